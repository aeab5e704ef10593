#pragma once

/// `explore(f)`: runs `f` again and again, each time in another order of its goroutines, until one fails.
///
/// Go counterpart: none. In Rust: shuttle and loom.
///
///     TEST(Queue, LosesNothing) {
///       tn::testing::explore([](tn::group& g) {
///         queue q;
///         g.go([&](const tn::context&) { q.put(1); });
///         g.go([&](const tn::context&) { q.put(2); });
///         EXPECT_NE(q.take(), q.take());
///       }, {.failed = testing::Test::HasFailure});
///     }
///
/// **Each schedule** is as a run under `run_virtual`: one worker, a virtual clock. Besides, before each operation of a primitive (lock, unlock,
/// send, receive, close, select, go, join, wait, done, cancel, ...) another goroutine may go first; which ready case of a select fires is a choice;
/// and the clock may go to the next timer while goroutines can run, as if what they do took time. A `strategy` makes these choices.
/// Plain memory and `std::atomic` are not operations: `touch(&x)` before an access makes it one. ThreadSanitizer finds races within a schedule.
///
/// **A failure** is an exception that leaves `f`, a status or an error that it returns, `options.failed()`, or a fatal error: a deadlock, a panic that nobody
/// catches, a schedule that does not end. stderr then has the order of the operations that led to it, and a line
///
///     TENON_REPLAY=r1.417
///
/// With that in the environment `explore` runs this one schedule, with the same outcome, as often as you like: in a debugger, with more output. An
/// exception is rethrown; after a fatal error the process ends as always.
///
/// A goroutine that looks at something until it changes has to call `yield()` in its loop: otherwise a schedule in which it always goes on does not end. A
/// mutex that a goroutine locks twice is reported once, as it is where locks are checked.
///
/// `f` has to behave alike whenever its goroutines run in the same order, and begin anew each time: no clock but `tn::now()`, no threads,
/// `blocking` or descriptors, no randomness of its own, nothing left from the schedule before. Mutexes count that are locked first within an exploration:
/// not ones that a run before has locked.
///
/// Environment: `TENON_REPLAY`; `TENON_SEED` overrides the seed. Blocks until it ends; called where `run` may be called.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>

#include <tenon/run.hpp>
#include <tenon/time_span.hpp>

namespace tenon::testing {

enum class strategy : std::uint8_t {
  /// At each operation each goroutine that can run is as likely as any other. Finds most; schedules do not depend on each other.
  random,
  /// The goroutines go by random priorities, which change at `depth` - 1 random moments (PCT): long stretches of one, and few changes, as bugs with few
  /// orderings need them in long programs.
  priorities,
  /// All schedules with no preemption, then with one, up to `preemptions`: for small programs, where `explored::all` then says that there is no failure
  /// within the bound.
  exhaustive,
};

struct explore_options {
  strategy by = strategy::random;
  /// At most so many schedules, and none is begun after so much time (of the real clock).
  std::size_t schedules = 10'000;
  time_span time = std::chrono::seconds(30);
  /// Of `random` and `priorities`.
  std::uint64_t seed = 1;
  /// Of `priorities`: how many orderings a bug needs.
  unsigned depth = 3;
  /// Of `exhaustive`: how often a goroutine that could go on is made to wait.
  unsigned preemptions = 2;
  /// Of `exhaustive`: what follows a state that was met before is not explored again. States are alike if the same operations have been done, each on
  /// what the same operations had left. So goroutines may share nothing but what tenon's primitives order, or `touch` tells of.
  bool prune = true;
  /// The clock may go to the next timer while goroutines can run.
  bool time_passes = true;
  /// A schedule with more operations, and moves of the clock, is said not to end.
  std::size_t operations = 100'000;
  /// Asked after each schedule: true is a failure. For GoogleTest: `testing::Test::HasFailure`.
  bool (*failed)() = nullptr;
  /// A line on stderr each second. By default if that is a terminal.
  bool progress = false;
  /// Of the run that all schedules are part of. `workers`, `check_locks` and `cancel_on_interrupt` are the exploration's to choose.
  run_options run = {};
};

struct explored {
  std::size_t schedules = 0;
  /// No schedule is left that the strategy would try: of `exhaustive`, within its bound; under TENON_REPLAY the one.
  bool all = false;
  /// How many of them went on, from some point, as one before.
  std::size_t pruned = 0;
  /// How to repeat the schedule that failed, as in TENON_REPLAY; empty if none has.
  std::string failure;
};

namespace detail {

/// One call of `explore`. Nothing here is for users.
class exploration {
 public:
  exploration(const explore_options& options, std::source_location where);
  exploration(const exploration&) = delete;
  exploration& operator=(const exploration&) = delete;
  ~exploration();

  /// Throws what a schedule has thrown.
  explored run(tenon::detail::run_result (*entry)(void* arg, group& root), void* arg);

  class state;

 private:
  std::unique_ptr<state> state_;
};

}  // namespace detail

/// See above. f() or f(context) or f(group&), as for `run`.
template <class F>
  requires std::is_invocable_v<F&, group&> || std::is_invocable_v<F&, context> || std::is_invocable_v<F&>
explored explore(F&& f, const explore_options& options = {},
                 std::source_location where = std::source_location::current()) {
  if constexpr (std::is_function_v<std::remove_reference_t<F>>) {
    auto* const function = &f;  // an object, which a void* can point to
    return explore(function, options, where);
  } else {
    if (tenon::detail::is_nil(f)) tenon::detail::go_of_nil();
    return detail::exploration(options, where)
        .run(&tenon::detail::enter_main<std::remove_reference_t<F>>, tenon::detail::as_argument(f));
  }
}

/// The caller is about to read or write *what, which other goroutines do too: another may go first. Does nothing outside of an exploration. Does not block.
void touch(const volatile void* what) noexcept;

}  // namespace tenon::testing
