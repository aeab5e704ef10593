#pragma once

// The monitor thread: one per process, started when first needed, never joined.
//
// It is the monitor of a running scheduler (notices workers that are stuck and lets others stand in, opens stale slots, keeps the
// coarse clock, trims idle stacks), it runs the timers that were started outside of any runtime, and it carries out what signal
// handlers ask for. It sleeps in the kernel when none of this is needed: with every worker idle and no timer it never wakes.
//
// Lower bound of its period while workers are active: 50 µs, doubling to 1 ms while it finds nothing to do.

#include "platform/clock.hpp"
#include "sched/timer_heap.hpp"

namespace tenon::detail::monitor {

/// Starts it if it does not run yet.
void start() noexcept;
/// A worker became active after all had been idle; a timer was started. Cheap when it is awake.
void wake() noexcept;
/// The timers of threads outside of any runtime.
timer_heap& timers() noexcept;

/// Fires `t` on the monitor thread at the real time `when`. Not counted by deadlock detection.
void watch(timer_node* t, clock::nanos when);

/// Whether any of them is pending or just firing.
[[nodiscard]] bool has_timers() noexcept;
/// Asks it to call `job` soon (a null one: just to look around). Async-signal-safe. A few jobs may wait at a time; one that waits
/// already is not added again.
void request(void (*job)() noexcept) noexcept;
/// Returns when the monitor is not looking at the workers, and will not before the next run.
void await_pause() noexcept;
/// Its thread id, once started.
int thread_id() noexcept;
/// Whether the caller is its thread.
bool is_this_thread() noexcept;

}  // namespace tenon::detail::monitor
