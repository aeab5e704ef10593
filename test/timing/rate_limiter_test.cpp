// rate_limiter: with times of the test's own wherever nobody has to wait.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::settle;

using tenon::rate;
using tenon::rate_limiter;
const tenon::time_point t0{1h};
tenon::time_point t(int tenths) { return t0 + tenths * 100ms; }

struct request {
  int at;
  int n;
  bool ok;
};
void expect_allowed(rate_limiter& limit, const std::vector<request>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(limit.allow_at(t(all[i].at), all[i].n), all[i].ok) << "request " << i;
  }
}

// Go: x/time/rate TestLimit, TestEvery
TEST(RateLimiter, RatesAreEventsASecond) {
  EXPECT_EQ(tenon::every(100ms), rate(10));
  EXPECT_EQ(tenon::every(0s), rate::infinite());
  rate_limiter none(rate::infinite(), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(none.allow(1000));
}

// Go: x/time/rate TestLimiterBurst1
TEST(RateLimiter, ABurstOfOne) {
  rate_limiter limit(rate(10), 1);
  expect_allowed(limit, {{0, 1, true},
                         {0, 1, false},
                         {0, 1, false},
                         {1, 1, true},
                         {1, 1, false},
                         {1, 1, false},
                         {2, 2, false},
                         {2, 1, true},
                         {2, 1, false}});
}

// Go: x/time/rate TestLimiterBurst3
TEST(RateLimiter, ABurstOfThree) {
  rate_limiter limit(rate(10), 3);
  expect_allowed(limit, {{0, 2, true},
                         {0, 2, false},
                         {0, 1, true},
                         {0, 1, false},
                         {1, 4, false},
                         {2, 1, true},
                         {3, 1, true},
                         {4, 1, true},
                         {4, 1, true},
                         {4, 1, false},
                         {4, 1, false},
                         {9, 3, true},
                         {9, 0, true}});
}

// Go: x/time/rate TestLimiterJumpBackwards
TEST(RateLimiter, AClockThatGoesBack) {
  rate_limiter limit(rate(10), 3);
  expect_allowed(limit, {{1, 1, true},
                         {0, 1, true},
                         {0, 1, true},
                         {0, 1, false},
                         {0, 1, false},
                         {1, 1, true},
                         {1, 1, false},
                         {1, 1, false},
                         {2, 1, true},
                         {2, 1, false},
                         {2, 1, false}});
}

// Go: x/time/rate TestLongRunningQPS, with a clock of the test's own
TEST(RateLimiter, KeepsItsRateOverALongTime) {
  rate_limiter limit(rate(100), 100);
  int allowed = 0;
  for (int ms = 0; ms < 5000; ++ms) allowed += limit.allow_at(t0 + ms * 1ms) ? 1 : 0;
  EXPECT_NEAR(allowed, 100 + 500, 1);
}

// Go: x/time/rate TestSimultaneousRequests
TEST(RateLimiter, ManyAtOnceGetTheBurst) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context&) {
          rate_limiter limit(rate(1e-9), 5);
          std::atomic<int> ok = 0;
          tenon::wait_group wg;
          for (int i = 0; i < 15; ++i) wg.go([&] { ok += limit.allow() ? 1 : 0; });
          wg.wait();
          EXPECT_EQ(ok, 5);
        },
        {.workers = workers});
  }
}

// Go: x/time/rate TestSimpleReserve, TestMax, TestSetLimit, TestSetBurst
TEST(RateLimiter, AReservationSaysWhen) {
  const auto after = [](rate_limiter& limit, int at, int n) {
    auto r = limit.reserve_at(t(at), n);
    return r.ok() ? r.delay_from(t(at)) : std::chrono::nanoseconds::max();
  };
  rate_limiter limit(rate(10), 2);
  EXPECT_EQ(after(limit, 0, 2), 0ns);
  EXPECT_EQ(after(limit, 0, 2), 200ms);
  EXPECT_EQ(after(limit, 3, 2), 100ms);
  EXPECT_EQ(after(limit, 3, 3), std::chrono::nanoseconds::max());
  rate_limiter faster(rate(5), 2);
  EXPECT_EQ(after(faster, 0, 2), 0ns);
  EXPECT_EQ(after(faster, 0, 2), 400ms);
  faster.set_limit_at(t(1), rate(10));
  EXPECT_EQ(faster.limit(), rate(10));
  EXPECT_EQ(after(faster, 1, 2), 350ms) << "1.5 tokens were owed, 2 are asked for";
  faster.set_burst_at(t(3), 4);
  EXPECT_EQ(faster.burst(), 4);
}

// Go: x/time/rate TestCancelInvalid, TestCancelLast, TestCancelTooLate, TestCancel0Tokens, TestCancel1Token, TestCancelMulti
TEST(RateLimiter, ACanceledReservationGivesBackWhatNobodyReservedBehindIt) {
  const auto at = [](rate_limiter& limit, int when, int n) { return limit.reserve_at(t(when), n); };
  {  // the last
    rate_limiter limit(rate(10), 2);
    (void)at(limit, 0, 2).ok();
    auto last = at(limit, 0, 2);
    last.cancel_at(t(1));
    last.cancel_at(t(1));
    EXPECT_EQ(at(limit, 1, 2).delay_from(t(1)), 100ms);
  }
  {  // too late
    rate_limiter limit(rate(10), 2);
    (void)at(limit, 0, 2).ok();
    auto late = at(limit, 0, 2);
    late.cancel_at(t(3));
    EXPECT_EQ(at(limit, 3, 2).delay_from(t(3)), 100ms);
  }
  {  // those behind it have counted on it: nothing is left to give back
    rate_limiter limit(rate(10), 2);
    (void)at(limit, 0, 2).ok();
    auto middle = at(limit, 0, 1);
    (void)at(limit, 0, 1).ok();
    middle.cancel_at(t(1));
    EXPECT_EQ(at(limit, 1, 2).delay_from(t(1)), 300ms);
  }
  {  // one of two is
    rate_limiter limit(rate(10), 2);
    (void)at(limit, 0, 2).ok();
    auto middle = at(limit, 0, 2);
    (void)at(limit, 0, 1).ok();
    middle.cancel_at(t(1));
    EXPECT_EQ(at(limit, 1, 2).delay_from(t(1)), 300ms);
  }
  rate_limiter limit(rate(10), 2);
  auto impossible = at(limit, 0, 3);
  impossible.cancel_at(t(0));
  EXPECT_TRUE(limit.allow_at(t(0), 2));
}

// Go: x/time/rate TestWaitSimple, TestWaitCancel, TestWaitTimeout, TestWaitInf
TEST(RateLimiter, WaitFailsAtOnceIfItsTimeCannotCome) {
  tenon::run([](const context& root) {
    rate_limiter limit(rate(1e-6), 3);
    EXPECT_FALSE(limit.wait(root));
    EXPECT_FALSE(limit.wait(root, 2));
    EXPECT_EQ(limit.wait(root, 4).message(), "rate: Wait(n=4) exceeds limiter's burst 3");
    auto soon_scope = tenon::with_timeout(root, 10s);
    const tenon::context soon = soon_scope.ctx();
    EXPECT_EQ(limit.wait(soon).message(), "rate: Wait(n=1) would exceed context deadline");
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    auto waits = tenon::go([&, &c = ctx] { return limit.wait(c); });
    settle();
    scope.cancel();
    EXPECT_TRUE(waits.join() == tenon::canceled());
    EXPECT_TRUE(limit.wait(ctx) == tenon::canceled());
    rate_limiter none(rate::infinite(), 0);
    EXPECT_FALSE(none.wait(root, 3));
    rate_limiter quick(tenon::every(1ms), 1);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(quick.wait(root));
  });
}

// Go: x/time/rate TestZeroLimit, TestSetAfterZeroLimit, TestTinyLimit
TEST(RateLimiter, ALimitOfZeroLetsTheBurstThroughAndNoMore) {
  rate_limiter limit(rate(0), 1);
  EXPECT_TRUE(limit.allow_at(t(0)));
  EXPECT_FALSE(limit.allow_at(t(10000)));
  limit.set_limit_at(t(10000), rate(10));
  EXPECT_TRUE(limit.allow_at(t(10001)));
  rate_limiter tiny(rate(0.0001), 1);
  EXPECT_TRUE(tiny.allow_at(t(0)));
  EXPECT_FALSE(tiny.allow_at(t(1)));
}

}  // namespace
