#pragma once

// An execution: the program's threads as fibers, one of which runs; at each point it decides who goes on.
//
// Invariants
//  1. Only the fiber that runs touches any of this.
//  2. A location that only one thread has used so far is no point; if that turns out to be wrong, the level is begun anew with the new
//     knowledge. So each execution of a level asks at the same places.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/engine/fiber.hpp"
#include "model/engine/memory.hpp"
#include "model/engine/model.hpp"
#include "model/engine/race.hpp"
#include "model/engine/trail.hpp"

namespace tenon::model {

enum class state : std::uint8_t { unused, ready, paused, asleep, joining, done };

enum class action : std::uint8_t { load, store, modify, fail, fence, pause, sleep, woken, wake, start, end, join };

struct event {
  action what;
  std::uint8_t thread;
  std::uint32_t location;
  std::uint64_t value;
  std::memory_order order;
  place where;
};
constexpr std::uint32_t no_location = ~std::uint32_t{0};

struct modelled_thread {
  state now = state::unused;
  const void* word = nullptr;  // asleep on it
  bool timed = false;
  std::int64_t until = 0;
  bool has_just_paused = false;
  unsigned awaits = 0;
  std::function<void()> run;
  fiber its;
};

/// Where operations stand, and the order that each asks for.
class place_set {
 public:
  void add(const char* file, std::uint_least32_t line, std::memory_order order) noexcept;
  template <class F>
  void for_each(F f) const {
    for (const entry& e : entries_) {
      if (e.file != nullptr) f(e.file, e.line, e.order);
    }
  }

 private:
  struct entry {
    const char* file = nullptr;
    std::uint_least32_t line = 0;
    std::memory_order order = std::memory_order_relaxed;
  };
  std::array<entry, 4096> entries_{};
};

/// Of addresses; what it does not hold has no other address's bit.
class address_set {
 public:
  [[nodiscard]] bool has(const void* p) const noexcept { return ((bits_[mixed(p) / 64] >> (mixed(p) % 64)) & 1U) != 0; }
  void add(const void* p) noexcept { bits_[mixed(p) / 64] |= std::uint64_t{1} << (mixed(p) % 64); }
  void fill() noexcept { bits_.fill(~std::uint64_t{0}); }
  bool operator==(const address_set&) const noexcept = default;

 private:
  static std::uint64_t mixed(const void* p) noexcept {
    return (reinterpret_cast<std::uintptr_t>(p) * 0x9e3779b97f4a7c15U) >> 50U;
  }
  std::array<std::uint64_t, 256> bits_{};
};

struct execution {
  // ---- The same for all of an exploration.
  options how;
  trail decisions;
  address_set shared;                 // what several threads use: points
  address_set shared_next;            // as this level has found out
  std::uint_least32_t weak_line = 0;  // see options::weaken
  char weak_file[64] = {};
  place_set places;  // see options::tell_places

  std::uint64_t executions = 0;
  std::uint64_t all_points = 0;
  std::chrono::steady_clock::time_point began;

  // ---- This one's.
  std::uint32_t number = 0;
  memory mem;
  access_table accesses;
  std::array<modelled_thread, most_threads> threads;
  unsigned made = 0;
  std::array<std::uint8_t, most_locations> user{};  // the last that used it, + 1
  std::vector<event, own_heap<event>> events;
  std::uint64_t points = 0;
  std::int64_t time = 0;  // ns
  unsigned pauses = 0;    // of all, since something was written

  void run(const std::function<void()>& body);

  // ---- By the thread that runs, `me`.
  void point(unsigned me) noexcept;
  /// The same, before an operation on v; returns its location.
  std::uint32_t arrive(variable v, unsigned me) noexcept;
  std::uint32_t decide(kind what, std::uint32_t n) noexcept;
  void leave(unsigned me) noexcept;
  void sleep_on(variable v, std::uint32_t l, std::uint32_t expected, std::int64_t timeout_ns, unsigned me,
                const place& where) noexcept;
  void wake(const void* word, bool all) noexcept;
  /// Whoever paused has a reason to look again.
  void written() noexcept;
  unsigned start(std::function<void()> f, unsigned me, const place& where);
  void join(unsigned id, unsigned me, const place& where) noexcept;
  void note(action what, unsigned t, std::uint32_t l, std::uint64_t value, std::memory_order order,
            const place& where) noexcept {
    events.push_back({what, static_cast<std::uint8_t>(t), l, value, order, where});
  }
  [[nodiscard]] std::memory_order as_asked(std::memory_order o, const place& where) noexcept;

 private:
  static void thread_main(void* number);
  void count_point() noexcept;
  void switch_to(unsigned me, unsigned t) noexcept;
  unsigned next_thread() noexcept;
  std::uint32_t gather(state wanted, unsigned but, unsigned (&out)[most_threads]) const noexcept;
};

/// The one that is being run.
extern execution* const the_execution;

/// Ends the exploration: the report, and exit status 3.
[[noreturn]] void give_up(const char* format, ...) noexcept __attribute__((format(printf, 1, 2)));

const char* file_of(const place& where) noexcept;
/// "file:line" of an instruction.
std::string place_of(const void* code);

/// By compiled code (race.cpp): an access to data that is no atomic; an operation on an atomic that is none of tenon's.
void observed(const void* p, std::size_t n, bool writes, const void* code) noexcept;
void synchronize(void* p, std::size_t n, bool writes, const void* code) noexcept;

}  // namespace tenon::model
