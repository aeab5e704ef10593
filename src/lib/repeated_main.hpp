#pragma once

// One run in which goroutine 1 comes again and again: for an exploration (src/sim), whose schedules are many and short. Starting and stopping a
// run takes two threads' wake-ups, a hundred times as long as such a schedule.

#include <exception>
#include <source_location>

#include <tenon/run.hpp>

namespace tenon::detail {

/// What happens around each goroutine 1. Called on a goroutine of the library's own, which nobody sees, while no other is there.
class repeated_main {
 public:
  /// Before each. False: no more.
  virtual bool begins() noexcept = 0;
  /// Goroutine 1 is in the queue, and runs when this returns.
  virtual void started() noexcept = 0;
  /// It and all that it has started have ended.
  virtual void ended(const run_result& result, const std::exception_ptr& failure) noexcept = 0;

 protected:
  repeated_main() = default;
  ~repeated_main() = default;
};

/// As run_main each time, but for signals, which cancel nothing. In a simulated run only.
void run_repeatedly(repeated_main& what, const run_options& options, run_result (*entry)(void* arg, group& root),
                    void* arg, std::source_location where);

}  // namespace tenon::detail
