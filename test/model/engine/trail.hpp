#pragma once

// What is decided in an execution, in order. The next one repeats it up to the last decision that has another outcome left: a depth-first
// search. Decisions that differ from what a machine would do by itself cost something, and a level has a budget for them.

#include <cstdint>
#include <string>
#include <vector>

#include "model/engine/heap.hpp"

namespace tenon::model {

enum class kind : std::uint8_t {
  preempt,  // who goes on, though the one that runs could
  timeout,  // a wait ends by its time
  read,     // which store a load reads; which stores have left a buffer
  forced,   // who goes on, where the one that runs cannot: costs nothing, as the next
  outcome,  // who is woken; the program's own
};

class trail {
 public:
  enum class mode : std::uint8_t { all, random, replay };

  void search(unsigned preemptions, unsigned reads) noexcept;
  void at_random(std::uint32_t seed) noexcept;
  /// `decisions` as `text` has them.
  void repeat(const std::string& decisions);

  void begin() noexcept;
  /// One of n, at the program's `point`-th operation: 0 is the default. n + 1: the program has come here in another way than before.
  std::uint32_t decide(kind what, std::uint32_t n, std::uint64_t point) noexcept;
  /// For the next execution. False: there is none.
  bool advance() noexcept;

  /// Those that were not the default: for each its kind, the operation, which one of that kind there, and the outcome. "-" if there are none.
  [[nodiscard]] std::string text() const;

 private:
  struct decision {
    std::uint64_t point;
    std::uint32_t nth;  // of its kind at this point
    std::uint16_t n;
    std::uint16_t taken;
    kind what;
  };
  std::uint32_t random_below(std::uint32_t n) noexcept;
  std::uint32_t drawn(kind what, std::uint32_t n) noexcept;

  mode mode_ = mode::all;
  std::vector<decision, own_heap<decision>> made_;
  std::size_t position_ = 0;
  unsigned preemptions_ = 0, reads_ = 0;  // the budget
  unsigned preemptions_left_ = 0, reads_left_ = 0;
  std::uint64_t random_ = 1;
  std::uint64_t point_ = 0;    // of the last decision
  std::uint32_t nth_[5] = {};  // how many there have been at it, of each kind
  std::vector<decision, own_heap<decision>> wanted_;
};

}  // namespace tenon::model
