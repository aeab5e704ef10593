#pragma once

// Who goes on, at each point of a schedule: the ways to choose. An exploration (exploration.cpp) asks one, schedule after schedule.
//
// Invariants
//  1. What a strategy answers depends on its parameters and on what it was asked before in this schedule, and for `exhaustive` on the schedules
//     before, and on nothing else. So a schedule can be repeated from a line of text: `replay`.
//  2. Answer 0 is the one that costs nothing: the goroutine that runs goes on, the first case that is ready fires.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tenon::detail {

/// What can come next.
struct alternatives {
  const std::uint32_t* who;  // goroutines, by their numbers; if `time`, the last is 0, and means that the clock goes on
  std::uint32_t n;
  bool may_stay;        // the first is the one that runs: another would preempt it
  bool time;            // the clock may go on
  std::uint64_t state;  // equal ones have the same future
};

class strategy {
 public:
  strategy() = default;
  strategy(const strategy&) = delete;
  strategy& operator=(const strategy&) = delete;
  virtual ~strategy() = default;

  /// Before each schedule. False: there is none left.
  virtual bool begin() = 0;
  virtual std::uint32_t pick(const alternatives& next) = 0;
  virtual std::uint32_t choose(std::uint32_t n) = 0;
  /// This one has said that others shall go first.
  virtual void yielded(std::uint32_t who) = 0;
  /// Text for `make_replay` that repeats the schedule as far as it has come, ended by a 0. Allocates nothing: for a process that has crashed.
  virtual void replay(char* to, std::size_t size) const noexcept = 0;
  /// How often the rest of a schedule was not new.
  [[nodiscard]] virtual std::size_t pruned() const { return 0; }
};

/// Each alternative is as likely as any other, but for the clock, which goes on in one of `time_odds` cases.
std::unique_ptr<strategy> make_random(std::uint64_t seed);

/// PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs" (ASPLOS 2010). Each
/// goroutine gets a random priority, and the first of those that can run goes on; at `depth` - 1 random moments it becomes the last, or the clock goes on. A bug that
/// needs `depth` orderings among n goroutines in k steps is found with a probability of at least 1 / (n * k^(depth - 1)) in each schedule.
std::unique_ptr<strategy> make_priorities(std::uint64_t seed, unsigned depth);

/// Every schedule with no preemption, then with one, and so on up to `preemptions`: Musuvathi, Qadeer, "Iterative context bounding for
/// systematic testing of multithreaded programs" (PLDI 2007). With `prune`, what follows a state that was met before is not explored again.
std::unique_ptr<strategy> make_exhaustive(unsigned preemptions, bool prune);

/// One schedule, as `text` says; null if that is not understood.
std::unique_ptr<strategy> make_replay(const std::string& text);

}  // namespace tenon::detail
