#pragma once

/// `sleep(d)` and `sleep(ctx, d)`: waits for a span of the monotonic clock.
///
/// Go counterpart: `time.Sleep`, and the `select` of `time.After` and `ctx.Done()` that cancellable code writes instead.
/// Blocks the goroutine, or the calling OS thread, never a worker. A span of zero or less returns at once.

#include <chrono>

namespace tenon {

class context;

void sleep(std::chrono::nanoseconds d);

/// False if `ctx` was canceled before the time was up.
[[nodiscard]] bool sleep(const context& ctx, std::chrono::nanoseconds d);

}  // namespace tenon
