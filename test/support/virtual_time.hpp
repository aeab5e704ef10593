#pragma once

/// Tests on the virtual clock: times are exact, and the same test runs again in other orders.
///
///     TEST(Sleep, TakesItsTime) {
///       tenon_test::in_virtual_time([] {
///         const tenon_test::stopwatch since;
///         tenon::sleep_for(1h);
///         EXPECT_EQ(since(), 1h);
///       });
///     }
///
/// The clock stands still while anybody can run: who waits for time to pass sleeps, and does not yield.

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <ostream>

#include <tenon/testing/run_virtual.hpp>
#include <tenon/timer.hpp>

#include "support/scale.hpp"

namespace tenon_test {

/// A span that a failing assertion prints.
struct span_of_time {
  std::chrono::nanoseconds ns;
  friend bool operator==(span_of_time a, std::chrono::nanoseconds b) noexcept { return a.ns == b; }
  friend auto operator<=>(span_of_time a, std::chrono::nanoseconds b) noexcept { return a.ns <=> b; }
  friend std::ostream& operator<<(std::ostream& os, span_of_time s) { return os << s.ns.count() << " ns"; }
};

/// From when it was made, by the clock that tenon goes by.
class stopwatch {
 public:
  [[nodiscard]] span_of_time operator()() const noexcept { return at(tenon::now()); }
  /// What it showed at `t`.
  [[nodiscard]] span_of_time at(tenon::time_point t) const noexcept { return {t - began_}; }

 private:
  tenon::time_point began_ = tenon::now();
};

/// Runs `f` as the first goroutine under the virtual clock, once for each of the seeds 1, 2, …; stops at the first that fails, and names
/// it. `f` takes what `run` passes, or the seed.
template <class F>
void in_virtual_time(F&& f, std::size_t orders = 20) {
  const std::size_t n = scaled(orders, orders < 3 ? orders : 3);
  for (std::uint64_t seed = 1; seed <= n; ++seed) {
    if constexpr (std::invocable<F&, std::uint64_t>) {
      tenon::testing::run_virtual([&] { f(seed); }, seed);
    } else {
      tenon::testing::run_virtual(f, seed);
    }
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "in the order of seed " << seed;
      return;
    }
  }
}

/// Whether `in_virtual_time` tried many orders: then both of two outcomes have come about.
inline bool tries_many_orders() { return scale() >= 1 && std::getenv("TENON_SEED") == nullptr; }

}  // namespace tenon_test
