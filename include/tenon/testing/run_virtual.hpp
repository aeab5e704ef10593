#pragma once

/// `run_virtual(f, seed)`: `run(f)` for tests, with a clock that takes no time and an order that repeats.
///
/// Go counterpart: `testing/synctest`.
///
///     tn::testing::run_virtual([](tn::group& g) {
///       const auto began = tn::now();
///       tn::sleep_for(1h);                              // returns at once
///       EXPECT_EQ(tn::now() - began, 1h);               // exactly
///     });
///
/// **Time** is virtual: it stands still while any goroutine can run, and goes to the next timer when all of them wait. `now`, sleeps, timers,
/// tickers and deadlines use it. `std::chrono::steady_clock` does not: ask `tn::now()`. A goroutine in `blocking`, or waiting for a
/// descriptor, holds the clock, and so does what may wake one from outside: a context of `with_signals`, a promise's setter that has not been
/// used. Plain OS threads do not. What goroutines do before the clock moves happens before what they do after it, as with
/// Go's `synctest.Wait`: a test may sleep, and then look at a plain variable that others have written. Two goroutines at one moment are not
/// ordered by being on one thread: ThreadSanitizer reports them, as it would in `run`.
///
/// **Order**: one worker; who runs next, among all that can, and which ready case a `select` takes are drawn from `seed`. The same program with
/// the same seed takes the same course every time, as long as no OS thread of its own and no `blocking` is in play; other seeds try other orders.
/// Where everybody waits and no timer is pending it is a deadlock, reported as always.
///
/// Environment: `TENON_SEED` overrides every seed. Blocks, returns and throws as `run` does.

#include <cstdint>
#include <source_location>
#include <utility>

#include <tenon/detail/virtual_world.hpp>
#include <tenon/run.hpp>

namespace tenon::testing {

template <class F>
int run_virtual(F&& f, std::uint64_t seed = 1, std::source_location where = std::source_location::current()) {
  const tenon::detail::virtual_world world(seed);  // explore.hpp has a namespace detail here, too
  return run(std::forward<F>(f), {.workers = 1}, where);
}

}  // namespace tenon::testing
