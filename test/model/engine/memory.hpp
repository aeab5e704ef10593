#pragma once

// What a modelled thread may read. Three models, each allowing all that the one before does:
//
//   interleaving  a load reads the newest store
//   tso           x86's: a store that is not sequentially consistent waits in its thread's buffer, first in first out; the thread itself
//                 sees it at once, the others when it leaves the buffer. A read-modify-write, a sequentially consistent store or fence
//                 empties the buffer first
//   c11           the language's, without what would need values from the future: a load may read any store that is not older than one
//                 its thread knows of. What a thread knows of is its *view*: for each location the oldest store that it may still read.
//                 A release store carries its thread's view, an acquire load takes it over; fences do the same for the relaxed
//                 operations before and after them; sequentially consistent ones share one view besides
//
// In c11 a location's modification order is the order in which the execution made its stores: of two unordered relaxed stores the one that
// is run later is the later. (Kang et al., "A promising semantics for relaxed-memory concurrency", 2017, without the promises.)
//
// Buffers are emptied as late as can be told apart: when another thread comes to a location that they hold a store for, it is a choice how
// many of them have happened before.

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "model/engine/atomic.hpp"
#include "model/engine/heap.hpp"

namespace tenon::model {

enum class memory_model : std::uint8_t { interleaving, tso, c11 };

constexpr unsigned most_threads = 8;
constexpr unsigned most_locations = 512;

/// For each thread, how much of it is known to have happened; for each location, the oldest store that may still be read.
class view {
 public:
  view() noexcept = default;
  view(const view& o) noexcept { *this = o; }
  view& operator=(const view& o) noexcept;
  void join(const view& o) noexcept;
  /// Of the locations alone.
  void join_stores(const view& o) noexcept;
  void clear() noexcept { length_ = 0, epochs = {}; }
  [[nodiscard]] std::uint16_t operator[](std::uint32_t location) const noexcept {
    return location < length_ ? stores_[location] : std::uint16_t{0};
  }
  void raise(std::uint32_t location, std::uint32_t store) noexcept;

  std::array<std::uint16_t, most_threads> epochs{};

 private:
  std::uint32_t length_ = 0;
  std::array<std::uint16_t, most_locations> stores_;
};

/// Who decides: one of n, 0 being what a machine without reordering would do.
using decide = std::uint32_t (*)(std::uint32_t n) noexcept;

class memory {
 public:
  void begin(memory_model model, std::uint32_t execution, decide d) noexcept;
  /// What lies in buffers is stored.
  void end() noexcept;
  void start_thread(unsigned parent, unsigned child) noexcept;
  void join_thread(unsigned waiter, unsigned ended) noexcept;

  /// The number of v's location in this execution.
  std::uint32_t location_of(variable v) noexcept;
  [[nodiscard]] std::uint32_t locations() const noexcept { return used_; }
  /// t is about to do something to l.
  void uses(unsigned t, std::uint32_t l) noexcept { locations_[l].used[t] = epoch(t); }
  /// A thread whose last use of l is in no order with what t does now; most_threads: there is none.
  [[nodiscard]] unsigned unordered_user(unsigned t, std::uint32_t l) const noexcept;

  std::uint64_t load(unsigned t, std::uint32_t l, std::memory_order order) noexcept;
  void store(unsigned t, std::uint32_t l, std::uint64_t value, std::memory_order order) noexcept;
  /// The newest value; the thread is about to replace it.
  std::uint64_t newest(unsigned t, std::uint32_t l, std::memory_order order) noexcept;
  void replace(unsigned t, std::uint32_t l, std::uint64_t value, std::memory_order order) noexcept;
  /// A compare-exchange that may fail: whether it succeeds; `value` is then unchanged, else what it read.
  bool matches(unsigned t, std::uint32_t l, std::uint64_t& value, std::memory_order success,
               std::memory_order failure) noexcept;
  void fence(unsigned t, std::memory_order order) noexcept;
  void fence_everywhere(unsigned caller, unsigned threads) noexcept;

  /// Around an operation on an atomic that is not modelled: it orders all before it with all after it.
  void take_over(unsigned t, const void* address) noexcept;
  void hand_on(unsigned t, const void* address) noexcept;

  /// Whether all of `other` that is counted by `epoch` happened before what t does now.
  [[nodiscard]] bool knows(unsigned t, unsigned other, std::uint16_t epoch) const noexcept {
    return threads_[t].now.epochs[other] >= epoch;
  }
  [[nodiscard]] std::uint16_t epoch(unsigned t) const noexcept { return threads_[t].now.epochs[t]; }
  [[nodiscard]] memory_model model() const noexcept { return model_; }

 private:
  struct message {
    std::uint64_t value;
    view known;
  };
  struct location {
    const cell* its = nullptr;
    void* bytes = nullptr;
    std::uint32_t size = 0;
    std::array<std::uint16_t, most_threads> used{};  // each thread's epoch when it last did something to it
    std::vector<message, own_heap<message>> stores;  // in modification order; of tso, only the newest
  };
  struct pending {
    std::uint32_t location;
    std::uint64_t value;
  };
  struct thread {
    view now;       // what it knows of
    view acquired;  // what an acquire fence would add
    view released;  // what a relaxed store carries: as of the last release fence
    std::vector<pending, own_heap<pending>> buffer;
    bool draining = false;
  };

  std::uint64_t read(unsigned t, std::uint32_t l, std::uint32_t index, std::memory_order order) noexcept;
  void append(unsigned t, std::uint32_t l, std::uint64_t value, const view& known) noexcept;
  void commit(location& at, std::uint64_t value) noexcept;
  void settle(unsigned t, std::uint32_t l) noexcept;
  void drain(unsigned t, std::size_t n) noexcept;
  view* known_at(const void* address) noexcept;

  memory_model model_ = memory_model::interleaving;
  std::uint32_t execution_ = 0;
  decide decide_ = nullptr;
  std::uint32_t used_ = 0;
  std::vector<location, own_heap<location>> locations_;
  std::array<thread, most_threads> threads_;
  struct outside {
    const void* address;
    view known;
  };
  std::vector<outside, own_heap<outside>> outside_;  // see take_over
  view consistent_;                                  // that of the sequentially consistent operations
};

}  // namespace tenon::model
