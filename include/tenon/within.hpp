#pragma once

/// `within(ctx, d)`: `ctx` for one call, and no longer than `d`: a bound beside the context where a wait has one of its own.
///
///     auto v = c.recv(tn::within(ctx, 5s));
///     if (tn::error e = tn::wait_readable(tn::within(ctx, 30s), fd)) return e;   // deadline_exceeded() if it took longer
///
/// Go counterpart: `ctx, cancel := context.WithTimeout(ctx, d); defer cancel()` around the call.
///
/// Only a temporary can be passed as a context, so that its end is the call's. For more than one call, and for what keeps the context (`go`, `range`,
/// a group, a program that is started), take `with_timeout`: a group, a pipeline and `range` refuse it. Does not block.

#include <tenon/context.hpp>
#include <tenon/time_span.hpp>

namespace tenon {

class [[nodiscard]] within {
 public:
  within(const context& ctx, time_span d) : scope_(with_timeout(ctx, d)) {}
  within(const within&) = delete;
  within& operator=(const within&) = delete;
  operator const context&() && noexcept { return scope_.ctx(); }  // NOLINT: implicit

 private:
  cancel_scope scope_;
};

}  // namespace tenon
