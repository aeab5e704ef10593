#pragma once

// The monitor thread: one per process, started when first needed, never joined.
//
// It is the monitor of a running scheduler (notices workers that are stuck and lets others stand in, opens stale slots, keeps the
// coarse clock, trims idle stacks), it runs the timers that were started outside of any run, and it carries out what signal
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
/// The timers of threads outside of any run. In a child of fork none is left of those that were pending.
timer_heap& timers() noexcept;

/// Fires `t` on the monitor thread at the real time `when`. Not counted by deadlock detection.
void watch(timer_node* t, clock::nanos when);

/// Whether any of them is pending or just firing.
[[nodiscard]] bool has_timers() noexcept;
/// Asks it to call `job` soon (a null one: just to look around). Async-signal-safe. A few jobs may wait at a time; one that waits
/// already is not added again.
void request(void (*job)() noexcept) noexcept;
/// In a handler of `signal`, whose answer is to end the process: whether there is a thread that can. If not (a child of fork that has begun no run)
/// the signal does what it does by default.
bool answers(int signal) noexcept;
/// On its thread, when the process is about to end: carries out what is asked for, and nothing else, for ever. Elsewhere it does nothing.
void serve_requests() noexcept;
/// Returns when the monitor is not looking at the workers, and will not before the next run.
void await_pause() noexcept;
/// Its thread id, once started.
int thread_id() noexcept;
/// Whether the caller is its thread.
bool is_this_thread() noexcept;
/// For a thread of the user's that it has started: no signal is blocked but those that were when the monitor was started.
void unblock_signals() noexcept;

}  // namespace tenon::detail::monitor
