#pragma once

// Stops the world for the time in which stacks are read: a signal holds every worker thread in a handler, where it also
// writes down its own stack. Takes no lock of the layers below.

#include <signal.h>

#include "platform/backtrace.hpp"

namespace tenon::detail {
struct goroutine_core;
}

namespace tenon::diag {

/// Ignored by default and hardly used: Go's runtime chose it for the same reasons.
inline constexpr int freeze_signal = SIGURG;

/// The signal's handler. Once, before the first freeze.
void install_freezer();

/// By a new worker, before it runs a goroutine: stands still if the world does. From then on the signal holds it.
void join_the_world() noexcept;

/// By the monitor thread only. After it, what is on no CPU stays where it is. A worker that does not answer within a
/// second goes on: the program may have taken the signal for itself.
void freeze_world() noexcept;
void thaw_world() noexcept;

/// Between the two: the stack of the worker that runs `g`; null if it is not known.
const stack_ends* stack_of_running(const detail::goroutine_core* g) noexcept;
/// Between the two: whether `g` is in a blocking call.
bool in_blocking_call(const detail::goroutine_core* g) noexcept;

}  // namespace tenon::diag
