#pragma once

// Functions that must not run where they come up: the caller may hold locks, or be the monitor thread.

#include <source_location>
#include <thread>
#include <utility>

#include <tenon/detail/caught.hpp>
#include <tenon/detail/goroutine_frame.hpp>

#include "sched/monitor.hpp"

namespace tenon::detail {

/// Calls f() where no caller joins and no goroutine runs: an exception goes to the unhandled hook.
template <class F>
void call_outside(std::source_location where, F& f) noexcept {
  try {
    f();
  } catch (...) {
    unhandled_outside(caught(), where);
  }
}

/// Runs f() in a thread of its own or, where there is no memory for one, here.
template <class F>
void in_thread(std::source_location where, F f) noexcept {
  try {
    std::thread([where, f, by_monitor = monitor::is_this_thread()]() mutable {
      if (by_monitor) monitor::unblock_signals();  // a thread inherits what its creator blocks
      call_outside(where, f);
    }).detach();
  } catch (...) {
    call_outside(where, f);
  }
}

/// Runs f() in a goroutine of its own, which `owner` waits for; outside of a run, or where there is no stack, in a thread of its own. Where there is
/// memory for neither, here.
template <class F>
void spawn_or_thread(std::source_location where, F f, const void* owner = nullptr) noexcept {
  try {
    if (spawn_owned({.where = where, .owner = owner, .only_while_running = true}, f)) return;
  } catch (...) {  // NOLINT: no stack
  }
  in_thread(where, f);
}

}  // namespace tenon::detail
