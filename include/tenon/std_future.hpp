#pragma once

/// `get(ctx, future)`: waits for a `std::future` as for anything else: the goroutine parks, and stops waiting when `ctx` is canceled.
///
///     auto page = tn::get(ctx, std::async(std::launch::async, load, url));   // tn::result<std::string>
///
/// A future says only to a thread that blocks when it is ready, so each call takes a thread while it waits, as `blocking(ctx, f)` does, whose rules are
/// these: what comes after `ctx` has ended is dropped, and the run's end waits for the future. Code of one's own does better with a
/// `promise`, which needs no thread. An exception is an error that holds it; a future without a state is `std::future_errc::no_state`.
///
/// Go counterpart: none needed. `tenon/tenon.hpp` does not include this header, since `<future>` is large.

#include <future>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/blocking.hpp>

namespace tenon {

template <class T>
auto get(const context& ctx, std::future<T> f, std::source_location where = std::source_location::current()) {
  return blocking(ctx, [f = std::move(f)]() mutable { return f.get(); }, where);
}

}  // namespace tenon
