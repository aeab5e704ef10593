// rate_limiter: with times of the test's own wherever nobody has to wait, and on the virtual clock where somebody does.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/values.hpp"
#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::context;
using tenon::rate;
using tenon::rate_limiter;
using tenon_test::in_virtual_time;
using tenon_test::stopwatch;

constexpr nanoseconds never = nanoseconds::max();
const tenon::time_point t0{1h};
tenon::time_point t(int tenths) { return t0 + tenths * 100ms; }

struct request {
  int at;
  double tokens;
  int n;
  bool ok;
};
void expect_allowed(rate_limiter& limit, const std::vector<request>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(limit.tokens_at(t(all[i].at)), all[i].tokens) << "request " << i;
    EXPECT_EQ(limit.allow_at(t(all[i].at), all[i].n), all[i].ok) << "request " << i;
  }
}

// Reserves n at `at`, for `then`: both in tenths of a second after t0.
rate_limiter::reservation expect_reserved(rate_limiter& limit, int at, int n, int then) {
  auto r = limit.reserve_at(t(at), n);
  EXPECT_TRUE(r.ok()) << n << " at " << at;
  EXPECT_EQ(r.delay_from(t(at)) / 1ms, (then - at) * 100) << n << " at " << at;
  return r;
}
void reserve(rate_limiter& limit, int at, int n, int then) { (void)expect_reserved(limit, at, n, then).ok(); }

// ---- rates --------------------------------------------------------------------------------------------------------

// Go: x/time/rate TestLimit, TestEvery
TEST(RateLimiter, RatesAreEventsASecond) {
  EXPECT_FALSE(rate(10) == rate::infinite());
  EXPECT_EQ(tenon::every(0s), rate::infinite());
  EXPECT_EQ(tenon::every(-1ns), rate::infinite());
  const std::vector<std::pair<nanoseconds, double>> intervals = {
      {1ns, 1e9}, {1us, 1e6}, {1ms, 1e3}, {10ms, 100},   {100ms, 10},
      {1s, 1},    {2s, 0.5},  {4s, 0.25}, {2500ms, 0.4}, {nanoseconds::max(), 1e9 / static_cast<double>(INT64_MAX)}};
  for (const auto& [interval, per_second] : intervals) {
    EXPECT_DOUBLE_EQ(tenon::every(interval).per_second, per_second) << interval.count();
  }
  rate_limiter none(rate::infinite(), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(none.allow(1000));
}

// ---- allow --------------------------------------------------------------------------------------------------------

// Go: x/time/rate TestLimiterBurst1
TEST(RateLimiter, ABurstOfOne) {
  rate_limiter limit(rate(10), 1);
  expect_allowed(limit, {{0, 1, 1, true},
                         {0, 0, 1, false},
                         {0, 0, 1, false},
                         {1, 1, 1, true},
                         {1, 0, 1, false},
                         {1, 0, 1, false},
                         {2, 1, 2, false},
                         {2, 1, 1, true},
                         {2, 0, 1, false}});
}

// Go: x/time/rate TestLimiterBurst3
TEST(RateLimiter, ABurstOfThree) {
  rate_limiter limit(rate(10), 3);
  expect_allowed(limit, {{0, 3, 2, true},
                         {0, 1, 2, false},
                         {0, 1, 1, true},
                         {0, 0, 1, false},
                         {1, 1, 4, false},
                         {2, 2, 1, true},
                         {3, 2, 1, true},
                         {4, 2, 1, true},
                         {4, 1, 1, true},
                         {4, 0, 1, false},
                         {4, 0, 1, false},
                         {9, 3, 3, true},
                         {9, 0, 0, true}});
}

// Go: x/time/rate TestLimiterJumpBackwards
TEST(RateLimiter, AClockThatGoesBack) {
  rate_limiter limit(rate(10), 3);
  expect_allowed(limit, {{1, 3, 1, true},
                         {0, 2, 1, true},
                         {0, 1, 1, true},
                         {0, 0, 1, false},
                         {0, 0, 1, false},
                         {1, 1, 1, true},
                         {1, 0, 1, false},
                         {1, 0, 1, false},
                         {2, 1, 1, true},
                         {2, 0, 1, false},
                         {2, 0, 1, false}});
}

// Go: x/time/rate TestLimiter_noTruncationErrors
TEST(RateLimiter, TheFirstOfAnOddRateIsAllowed) {
  rate_limiter limit(rate(0.7692307692307693), 1);
  EXPECT_TRUE(limit.allow());
}

// Go: x/time/rate TestLongRunningQPS
TEST(RateLimiter, KeepsItsRateOverALongTime) {
  rate_limiter by_hand(rate(100), 100);
  int allowed = 0;
  for (int ms = 0; ms < 5000; ++ms) allowed += by_hand.allow_at(t0 + ms * 1ms) ? 1 : 0;
  EXPECT_NEAR(allowed, 100 + 500, 1);
  in_virtual_time(
      [] {
        const stopwatch since;
        rate_limiter limit(rate(100), 100);
        int allowed = 0;
        while (since() < 5s) {
          allowed += limit.allow() ? 1 : 0;
          tenon::sleep_for(2ms);
        }
        EXPECT_NEAR(allowed, 100 + 500, 1);
      },
      1);
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

// Go: x/time/rate TestZeroLimit, TestTinyLimit
TEST(RateLimiter, ALimitOfZeroLetsTheBurstThroughAndNoMore) {
  rate_limiter limit(rate(0), 1);
  EXPECT_TRUE(limit.allow_at(t(0)));
  EXPECT_FALSE(limit.allow_at(t(10000)));
  rate_limiter tiny(rate(1e-10), 1);
  EXPECT_TRUE(tiny.allow_at(t(0)));
  EXPECT_FALSE(tiny.allow_at(t(1)));
}

// ---- reservations -------------------------------------------------------------------------------------------------

// Go: x/time/rate TestSimpleReserve
TEST(RateLimiter, AReservationSaysWhen) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 0, 2, 0);
  reserve(limit, 0, 2, 2);
  reserve(limit, 3, 2, 4);
  auto impossible = limit.reserve_at(t(3), 3);
  EXPECT_FALSE(impossible.ok());
  EXPECT_EQ(impossible.delay_from(t(3)), never);
}

// Go: x/time/rate TestMix
TEST(RateLimiter, ReservingAndAskingMixed) {
  rate_limiter limit(rate(10), 2);
  EXPECT_FALSE(limit.reserve_at(t(0), 3).ok()) << "more than a burst";
  reserve(limit, 0, 2, 0);
  expect_allowed(limit, {{1, 1, 2, false}});
  reserve(limit, 1, 2, 2);
  expect_allowed(limit, {{1, -1, 1, false}, {3, 1, 1, true}});
}

// Go: x/time/rate TestCancelInvalid
TEST(RateLimiter, CancelingWhatNeverWasGivesNothingBack) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 0, 2, 0);
  auto impossible = limit.reserve_at(t(0), 3);
  EXPECT_FALSE(impossible.ok());
  impossible.cancel_at(t(0));
  reserve(limit, 0, 2, 2);
}

// Go: x/time/rate TestCancelLast
TEST(RateLimiter, CancelingTheLastGivesAllOfItBack) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 0, 2, 0);
  auto last = expect_reserved(limit, 0, 2, 2);
  last.cancel_at(t(1));
  last.cancel_at(t(1));  // once
  reserve(limit, 1, 2, 2);
}

// Go: x/time/rate TestCancelTooLate
TEST(RateLimiter, CancelingTooLateGivesNothingBack) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 0, 2, 0);
  auto late = expect_reserved(limit, 0, 2, 2);
  late.cancel_at(t(3));
  reserve(limit, 3, 2, 4);
}

// Go: x/time/rate TestCancel0Tokens, TestCancel1Token
TEST(RateLimiter, CancelingGivesBackWhatNobodyReservedBehindIt) {
  {
    rate_limiter limit(rate(10), 2);
    reserve(limit, 0, 2, 0);
    auto middle = expect_reserved(limit, 0, 1, 1);
    reserve(limit, 0, 1, 2);
    middle.cancel_at(t(0));  // nothing
    reserve(limit, 0, 1, 3);
  }
  {
    rate_limiter limit(rate(10), 2);
    reserve(limit, 0, 2, 0);
    auto middle = expect_reserved(limit, 0, 2, 2);
    reserve(limit, 0, 1, 3);
    middle.cancel_at(t(2));  // one of two
    reserve(limit, 2, 2, 4);
  }
}

// Go: x/time/rate TestCancelMulti
TEST(RateLimiter, CancelingSeveral) {
  rate_limiter limit(rate(10), 4);
  reserve(limit, 0, 4, 0);
  auto a = expect_reserved(limit, 0, 3, 3);
  reserve(limit, 0, 1, 4);
  auto c = expect_reserved(limit, 0, 1, 5);
  c.cancel_at(t(1));  // one
  a.cancel_at(t(1));  // two, as if c had never been
  reserve(limit, 1, 3, 5);
}

// Go: x/time/rate TestReserveJumpBack
TEST(RateLimiter, ReservingWithAClockThatGoesBack) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 1, 2, 1);
  reserve(limit, 0, 1, 1);
  reserve(limit, 2, 2, 3);
  // Go: x/time/rate TestReserveJumpBack: what is refused changes nothing
  EXPECT_FALSE(limit.reserve_at(t(0), 3).ok());  // and changes nothing
  reserve(limit, 2, 1, 4);
  EXPECT_FALSE(limit.allow_at(t(0), 2));  // nor does this
  reserve(limit, 2, 1, 5);
}

// Go: x/time/rate TestReserveJumpBackCancel
TEST(RateLimiter, CancelingWithAClockThatGoesBack) {
  rate_limiter limit(rate(10), 2);
  reserve(limit, 1, 2, 1);
  auto r = expect_reserved(limit, 1, 2, 3);
  reserve(limit, 1, 1, 4);
  r.cancel_at(t(0));  // one
  reserve(limit, 1, 2, 4);
}

// Go: x/time/rate TestReserveSetLimit
TEST(RateLimiter, AnotherLimitCountsFromThen) {
  rate_limiter limit(rate(5), 2);
  reserve(limit, 0, 2, 0);
  reserve(limit, 0, 2, 4);
  limit.set_limit_at(t(2), rate(10));
  EXPECT_EQ(limit.limit(), rate(10));
  reserve(limit, 2, 1, 4);
}

// Go: x/time/rate TestReserveSetBurst
TEST(RateLimiter, AnotherBurstCountsFromThen) {
  rate_limiter limit(rate(5), 2);
  reserve(limit, 0, 2, 0);
  reserve(limit, 0, 2, 4);
  limit.set_burst_at(t(3), 4);
  EXPECT_EQ(limit.burst(), 4);
  reserve(limit, 0, 4, 9);
}

// Go: x/time/rate TestReserveSetLimitCancel
TEST(RateLimiter, CancelingAfterTheLimitHasChanged) {
  rate_limiter limit(rate(5), 2);
  reserve(limit, 0, 2, 0);
  auto r = expect_reserved(limit, 0, 2, 4);
  limit.set_limit_at(t(2), rate(10));
  r.cancel_at(t(2));  // both
  reserve(limit, 2, 2, 3);
}

// ---- waiting ------------------------------------------------------------------------------------------------------

// Waits for n, which fails or not, and takes so many tenths of a second.
void expect_wait(rate_limiter& limit, const context& ctx, int n, int tenths, const std::string& failure = {}) {
  const stopwatch since;
  const tenon::error e = limit.wait(ctx, n);
  EXPECT_EQ(e ? e.message() : "", failure);
  EXPECT_EQ(since(), tenths * 100ms);
}

// Go: x/time/rate TestWaitSimple
TEST(RateLimiter, AWaitTakesUntilTheTokensAreThere) {
  in_virtual_time([](const context& root) {
    rate_limiter limit(rate(10), 3);
    // Go: x/time/rate TestWaitSimple: a canceled context takes nothing
    {
      const auto scope = tenon::with_cancel(root);
      scope.cancel();
      expect_wait(limit, scope.ctx(), 1, 0, "context canceled");
    }
    // Go: x/time/rate TestWaitSimple: more than a burst is refused
    expect_wait(limit, root, 4, 0, "rate: Wait(n=4) exceeds limiter's burst 3");
    expect_wait(limit, root, 2, 0);
    expect_wait(limit, root, 3, 2);
    tenon::sleep_for(150ms);
    EXPECT_EQ(limit.tokens(), 1.5);
    const stopwatch since;
    EXPECT_FALSE(limit.wait(root, 2));
    EXPECT_EQ(since(), 50ms);
  });
}

// Go: x/time/rate TestWaitCancel
TEST(RateLimiter, ACanceledWaitGivesItsTokensBack) {
  in_virtual_time([](tenon::group& g) {
    rate_limiter limit(rate(10), 3);
    const auto scope = tenon::with_cancel(g.ctx());
    expect_wait(limit, scope.ctx(), 2, 0);
    g.go([&] {
      tenon::sleep_for(100ms);
      scope.cancel();
    });
    expect_wait(limit, scope.ctx(), 3, 1, "context canceled");
    EXPECT_EQ(limit.tokens(), 2);
    expect_wait(limit, g.ctx(), 2, 0);
    EXPECT_EQ(limit.tokens(), 0);
  });
}

// Go: x/time/rate TestWaitTimeout
TEST(RateLimiter, AWaitFailsAtOnceIfItsTimeCannotCome) {
  in_virtual_time([](const context& root) {
    rate_limiter limit(rate(10), 3);
    const auto scope = tenon::with_timeout(root, 100ms);
    expect_wait(limit, scope.ctx(), 2, 0);
    expect_wait(limit, scope.ctx(), 3, 0, "rate: Wait(n=3) would exceed context deadline");
    // Go: x/time/rate/rate.go WaitN: a refused wait takes no tokens
    EXPECT_EQ(limit.tokens(), 1) << "what was refused took nothing";
    tenon::sleep_for(100ms);
    expect_wait(limit, scope.ctx(), 1, 0, "context deadline exceeded");
    expect_wait(limit, root, 2, 0);
  });
}

// Go: x/time/rate TestReserveMax: here by a wait's deadline
TEST(RateLimiter, AWaitThatEndsAtItsDeadlineIsNotRefused) {
  in_virtual_time([](tenon::group& g) {
    rate_limiter limit(rate(10), 2);
    expect_wait(limit, g.ctx(), 2, 0);
    const auto too_soon = tenon::with_timeout(g.ctx(), 99'999'999ns);
    expect_wait(limit, too_soon.ctx(), 1, 0, "rate: Wait(n=1) would exceed context deadline");
    const auto in_time = tenon::with_timeout(g.ctx(), 100'000'001ns);
    expect_wait(limit, in_time.ctx(), 1, 1);
  });
}

// Go: x/time/rate TestWaitInf
TEST(RateLimiter, WithoutALimitNobodyWaits) {
  in_virtual_time([](const context& root) {
    rate_limiter limit(rate::infinite(), 0);
    for (int i = 0; i < 100; ++i) expect_wait(limit, root, 3, 0);
  });
}

// Go: x/time/rate TestSetAfterZeroLimit
TEST(RateLimiter, ALimitAfterAZeroLimitLetsTokensIn) {
  in_virtual_time([](const context& root) {
    rate_limiter limit(rate(0), 1);
    EXPECT_TRUE(limit.allow());
    EXPECT_FALSE(limit.allow());
    tenon::sleep_for(1h);
    EXPECT_FALSE(limit.allow());
    limit.set_limit(rate(10));
    expect_wait(limit, root, 1, 1);
  });
}

// Go: x/time/rate/rate.go WaitN: those who wait are served in the order of their calls
TEST(RateLimiter, ThoseWhoWaitAreServedInTheOrderOfTheirCalls) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    rate_limiter limit(tenon::every(10ms), 1);
    tenon_test::journal called;
    tenon_test::journal served;
    g.go_n(20, [&](int i) {
      called += static_cast<char>('a' + i);
      EXPECT_FALSE(limit.wait(g.ctx()));
      served += static_cast<char>('a' + i);
      EXPECT_EQ(since(), (served.text().size() - 1) * 10ms);
    });
    tenon::sleep_for(1s);
    EXPECT_EQ(served.text(), called.text());
    EXPECT_EQ(limit.tokens(), 1);
  });
}

// Go: x/time/rate/rate.go Reserve: the forms without a time go by the clock
TEST(RateLimiter, TheFormsWithoutATimeGoByTheClock) {
  in_virtual_time([] {
    rate_limiter limit(rate(10), 2);
    EXPECT_EQ(limit.reserve(2).delay(), 0ns);
    auto r = limit.reserve(2);
    EXPECT_EQ(r.delay(), 200ms);
    tenon::sleep_for(50ms);
    EXPECT_EQ(r.delay(), 150ms);
    r.cancel();
    EXPECT_EQ(limit.tokens(), 0.5);
    EXPECT_EQ(limit.reserve(2).delay(), 150ms);
    tenon::sleep_for(200ms);
    limit.set_limit(rate(100));
    EXPECT_EQ(limit.tokens(), 0.5);
    tenon::sleep_for(10ms);
    EXPECT_EQ(limit.tokens(), 1.5);
    limit.set_burst(1);
    EXPECT_EQ(limit.tokens(), 1);
    EXPECT_EQ(limit.reserve(2).delay(), never);
  });
}

}  // namespace
