#include <tenon/time_span.hpp>

// How long: from any unit, and never shorter than was said.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::time_span;

// Go: time.Duration
TEST(Duration, IsInNanoseconds) {
  EXPECT_EQ(time_span(), 0ns);
  EXPECT_EQ(time_span(5ns).count(), 5);
  EXPECT_EQ(time_span(-2ms).count(), -2'000'000);
  EXPECT_EQ(time_span(1h).count(), 3'600'000'000'000);
  EXPECT_EQ(nanoseconds(time_span(3us)), 3us);
  EXPECT_LT(time_span(1ms), 2ms);
  static_assert(time_span(1s).count() == 1'000'000'000);
}

TEST(Duration, OfFractions) {
  EXPECT_EQ(time_span(std::chrono::duration<double>(1.5)), 1500ms);
  EXPECT_EQ(time_span(std::chrono::duration<float, std::milli>(-0.25F)), -250us);
  for (const double tenths : {1.0, 3.0, 6.0, 7.0, 23.0}) {  // none of which a double has exactly
    EXPECT_EQ(time_span(std::chrono::duration<double>(tenths / 10)),
              std::chrono::milliseconds(static_cast<int>(100 * tenths)));
  }
  EXPECT_EQ(time_span(std::chrono::duration<double>(std::numeric_limits<double>::infinity())), time_span::max());
  EXPECT_EQ(time_span(std::chrono::duration<double>(-1e300)).count(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(time_span(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())), 0ns);
  EXPECT_EQ(time_span(std::chrono::duration<std::int64_t, std::pico>(1'999)), 1ns);
  EXPECT_EQ(time_span(std::chrono::duration<std::int64_t, std::ratio<1, 3>>(1)).count(), 333'333'333);
  EXPECT_EQ(time_span(std::chrono::duration<std::int64_t, std::ratio<1, 30>>(100'000'000'000)).count() / 1'000'000'000,
            3'333'333'333);
  EXPECT_GT(time_span(std::chrono::duration<float>(9'223'371'776.0F)), 0ns);
}

TEST(Duration, ReckonsAsOneOfTheStandard) {
  tenon::run_options options{.grace = 2s};
  EXPECT_EQ(options.grace * 2, 4s);
  EXPECT_EQ(std::chrono::duration_cast<std::chrono::milliseconds>(options.grace).count(), 2000);
  EXPECT_EQ(std::chrono::duration<double>(options.grace).count(), 2.0);
  EXPECT_GT(std::chrono::steady_clock::now() + options.grace, std::chrono::steady_clock::now());
  EXPECT_EQ(options.grace > 5ns ? options.grace : 5ns, 2s);
}

TEST(Duration, TooLongIsTheLongest) {
  EXPECT_EQ(time_span(std::chrono::hours::max()), time_span::max());
  EXPECT_EQ(time_span(std::chrono::seconds::max()), time_span::max());
  EXPECT_EQ(time_span(std::chrono::microseconds::max()), time_span::max());
  EXPECT_EQ(time_span(nanoseconds::max()), time_span::max());
  EXPECT_EQ(time_span(std::chrono::hours::min()).count(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(time_span(24h * 365 * 300), time_span::max()) << "300 years";
  EXPECT_LT(time_span(24h * 365 * 292), time_span::max());
  EXPECT_EQ(time_span(std::chrono::duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max())),
            time_span::max());
}

// In nanoseconds, as std::chrono reckons, hours::max() is one hour ago.
TEST(Duration, ForEverIsNotAtOnce) {
  constexpr auto for_ever = std::chrono::hours::max();
  tenon::testing::run_virtual([&](const tenon::context& root) {
    const auto bounded = tenon::with_timeout(root, for_ever);
    EXPECT_FALSE(bounded.ctx().err());
    EXPECT_FALSE(tenon::sleep_for(tenon::within(root, 24h), for_ever));
    const tenon::timer t(for_ever);
    EXPECT_TRUE(t.stop());
    EXPECT_FALSE(t.reset(for_ever));
    EXPECT_TRUE(t.stop());
    const tenon::ticker ticks(for_ever);
    EXPECT_FALSE(ticks.c().try_recv());
    tenon::group g(root);
    bool has_finished = false;
    g.go([&](const tenon::context& ctx) { has_finished = tenon::sleep_for(ctx, 24h); });
    EXPECT_FALSE(g.finish(for_ever));
    EXPECT_TRUE(has_finished);
  });
}

}  // namespace
