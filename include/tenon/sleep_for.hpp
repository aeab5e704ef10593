#pragma once

/// `sleep_for` and `sleep_until`: waits for a span, or a point, of the monotonic clock.
///
/// Go counterpart: `time.Sleep`, and the `select` of `time.After` and `ctx.Done()` that cancellable code writes instead. (Not called `sleep`:
/// POSIX has one, which would hold up the worker.)
/// Blocks the goroutine, or the calling OS thread, never a worker. A span of zero or less, and a point that has passed, return at once.

#include <chrono>

#include <tenon/detail/requirements.hpp>
#include <tenon/time_span.hpp>

namespace tenon {

class context;

void sleep_for(time_span d);
void sleep_until(std::chrono::steady_clock::time_point when);

/// False if `ctx` was canceled before the time was up.
[[nodiscard]] bool sleep_for(const context& ctx, time_span d);
[[nodiscard]] bool sleep_until(const context& ctx, std::chrono::steady_clock::time_point when);

}  // namespace tenon
