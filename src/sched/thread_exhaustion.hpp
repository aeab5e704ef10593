#pragma once

// Notices that goroutines could run and no thread is left to run them on: bare system calls and foreign locks keep all of `max_threads`. (Blocking
// calls by tenon::blocking cannot: see sched/blocking.cpp.) It is said once a run; the program goes on if one of them returns.
//
// The monitor alone uses it.

#include "platform/clock.hpp"

namespace tenon::detail {

class scheduler;

class thread_exhaustion {
 public:
  /// Once in each round. `starving`: goroutines or timers wait, and no worker has made a step since the last round.
  void observe(const scheduler& s, clock::nanos now, bool starving) noexcept;

 private:
  static void report(const scheduler& s, clock::nanos for_how_long) noexcept;
  clock::nanos since_ = 0;  // 0: it is not so now
  bool reported_ = false;
};

}  // namespace tenon::detail
