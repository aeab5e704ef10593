// Time as channels: after, timer and ticker, with Go 1.23's rules, and sleep. On the virtual clock, where times are exact; what concerns
// OS threads is on the real one, and asserts only that nothing is early.
// long: one file a row group, and time has many rules

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
#include "support/memory.hpp"
#include "support/panics.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::context;
using tenon_test::in_virtual_time;
using tenon_test::stopwatch;
using clock = std::chrono::steady_clock;
using tick_chan = tenon::recv_chan<tenon::time_point>;

constexpr nanoseconds long_time = 10000s;

// On the real clock.
bool gets_tick(const tick_chan& c) {
  return tenon_test::eventually([&] { return c.try_recv().has_value(); });
}

// Nothing is there now, and nothing was on its way.
bool has_no_tick(const tick_chan& c) {
  if (c.try_recv()) return false;
  tenon::sleep_for(5ms);
  return !c.try_recv();
}

// A timer with a function that sends the time: another way through the same clock.
class function_timer {
 public:
  explicit function_timer(nanoseconds d)
      : c_(tenon::make_chan<tenon::time_point>(1)), timer_(d, [c = c_] { c.send(tenon::now()); }) {}
  [[nodiscard]] tick_chan c() const { return c_; }
  bool stop() const { return timer_.stop(); }
  bool reset(nanoseconds d) const { return timer_.reset(d); }

 private:
  tenon::chan<tenon::time_point> c_;
  tenon::timer timer_;
};

template <class T>
class TimerKind : public testing::Test {};
using timer_kinds = testing::Types<tenon::timer, function_timer>;
TYPED_TEST_SUITE(TimerKind, timer_kinds);

class TimeBy : public testing::TestWithParam<tenon_test::callers> {};

// ---- sleep --------------------------------------------------------------------------------------------------------

// Go: time/sleep_test.go TestSleep
TEST_P(TimeBy, SleepTakesAtLeastItsTime) {
  tenon_test::as(GetParam(), [] {
    const auto start = clock::now();
    auto other = tenon_test::start(GetParam(), [] {
      const auto begin = clock::now();
      tenon::sleep_for(10ms);
      EXPECT_GE(clock::now() - begin, 10ms);
    });
    tenon::sleep_for(20ms);
    EXPECT_GE(clock::now() - start, 20ms);
    other.join();
  });
}

// Go: time/sleep_test.go TestSleep
TEST(Sleep, TakesItsTime) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    for (int i = 0; i < 50; ++i) {
      g.go([&, d = i % 7 * 1s + 1ns] {
        for (int j = 1; j <= 5; ++j) {
          tenon::sleep_for(d);
          EXPECT_EQ(since(), j * d);
        }
      });
    }
    tenon::sleep_until(tenon::now() + 1h);
    EXPECT_EQ(since(), 1h);
    tenon::sleep_until(tenon::now());
    tenon::sleep_until(tenon::now() - 1ns);
    tenon::sleep_until(tenon::time_point::min());
    EXPECT_EQ(since(), 1h);
  });
}

// Go: time/sleep_test.go TestSleep
TEST(Sleep, SleepersWakeInTheOrderOfTheirTimes) {
  in_virtual_time([](tenon::group& g) {
    std::vector<int> woken;
    const std::vector<int> times = {5, 3, 6, 1, 2, 7, 9, 4, 8, 10, 12, 11};
    for (const int t : times) {
      g.go([&woken, t] {
        tenon::sleep_for(t * 1us);
        woken.push_back(t);
      });
    }
    tenon::sleep_for(1s);
    EXPECT_TRUE(std::is_sorted(woken.begin(), woken.end()));
    EXPECT_EQ(woken.size(), times.size());
  });
}

// Go: time/sleep_test.go TestSleepZeroDeadlock
TEST(Sleep, OfNothingReturns) {
  const auto sleeps = [] {
    auto g = tenon::go([] {
      for (int i = 0; i < 1000; ++i) tenon::sleep_for(0ns);
    });
    for (int i = 0; i < 1000; ++i) {
      tenon::sleep_for(0s);
      tenon::sleep_for(-1s);
      tenon::sleep_for(nanoseconds::min());
      const auto c = tenon::make_chan<int>(1);
      c.send(i);
      EXPECT_EQ(c.recv(), i);
    }
    g.join();
  };
  tenon::run(sleeps, {.workers = 4});
  in_virtual_time([&] {
    const stopwatch since;
    sleeps();
    EXPECT_EQ(since(), 0ns);
  });
  tenon::sleep_for(0s);
  tenon::sleep_for(nanoseconds::min());
}

// Go: time/sleep_test.go TestSleep, with a context
TEST_P(TimeBy, SleepEndsWithItsContext) {
  tenon_test::as(GetParam(), [] {
    auto scope = tenon::with_cancel(tenon::background());
    const tenon::context c = scope.ctx();
    EXPECT_TRUE(tenon::sleep_for(c, 1ms));
    auto other = tenon_test::start(GetParam(), [&c] { EXPECT_FALSE(tenon::sleep_for(c, long_time)); });
    tenon_test::settle();
    scope.cancel();
    other.join();
    EXPECT_FALSE(tenon::sleep_for(c, long_time)) << "canceled already";
    auto d_scope = tenon::with_timeout(tenon::background(), 2ms);
    const tenon::context d = d_scope.ctx();
    EXPECT_FALSE(tenon::sleep_for(d, long_time));
  });
}

// Go: time/sleep_test.go TestSleep, with a context
TEST(Sleep, EndsAtTheMomentOfTheCancel) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const auto scope = tenon::with_cancel(g.ctx());
    const auto soon = tenon::with_timeout(g.ctx(), 7ms);
    g.go([&] {
      EXPECT_FALSE(tenon::sleep_for(scope.ctx(), 10ms));
      EXPECT_EQ(since(), 3ms);
    });
    g.go([&] {
      EXPECT_TRUE(tenon::sleep_for(scope.ctx(), 2ms));
      EXPECT_EQ(since(), 2ms);
      EXPECT_FALSE(tenon::sleep_until(scope.ctx(), tenon::now() + long_time));
      EXPECT_EQ(since(), 3ms);
      EXPECT_FALSE(tenon::sleep_for(scope.ctx(), 0ns)) << "canceled already";
    });
    g.go([&] {
      EXPECT_FALSE(tenon::sleep_for(soon.ctx(), long_time));
      EXPECT_EQ(since(), 7ms);
      EXPECT_EQ(soon.ctx().err(), tenon::deadline_exceeded());
    });
    tenon::sleep_for(3ms);
    scope.cancel();
    tenon::sleep_for(long_time);  // nobody's timer is left behind to wake somebody else
  });
}

// Go: time/sleep_test.go TestOverflowSleep
TEST(Sleep, BeyondTheEndOfTheClockIsNotShort) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const auto scope = tenon::with_cancel(g.ctx());
    bool returned = false;
    g.go([&] {
      EXPECT_FALSE(tenon::sleep_for(scope.ctx(), nanoseconds::max()));
      returned = true;
    });
    EXPECT_EQ(tenon::select(tenon::recv(tenon::after(nanoseconds::max())), tenon::recv(tenon::after(1000h))), 1U);
    EXPECT_FALSE(returned);
    EXPECT_EQ(since(), 1000h);
    scope.cancel();
    // And what is below the beginning is over.
    EXPECT_EQ(tenon::select(tenon::recv(tenon::after(nanoseconds::min())), tenon::recv(tenon::after(1s))), 0U);
    EXPECT_EQ(since(), 1000h);
    EXPECT_FALSE(g.wait());
  });
}

// ---- after --------------------------------------------------------------------------------------------------------

// Go: time/sleep_test.go TestAfter
TEST_P(TimeBy, AfterGivesATimeNotBeforeItsTime) {
  tenon_test::as(GetParam(), [] {
    const auto start = clock::now();
    const auto end = tenon::after(10ms).recv();
    ASSERT_TRUE(end);
    EXPECT_GE(clock::now() - start, 10ms);
    EXPECT_GE(*end, start + 10ms);
    EXPECT_LE(*end, clock::now());
  });
}

// Go: time/sleep_test.go TestAfter
TEST(After, GivesItsTime) {
  in_virtual_time([] {
    const stopwatch since;
    EXPECT_EQ(since.at(tenon::after(10ms).recv().value()), 10ms);
    EXPECT_EQ(since(), 10ms);
  });
}

// Go: time/sleep_test.go TestAfterTick
TEST(After, ManyInARowTakeTheirSum) {
  in_virtual_time([] {
    const stopwatch since;
    for (int i = 1; i <= 10; ++i) EXPECT_EQ(since.at(tenon::after(2ms).recv().value()), i * 2ms);
    EXPECT_EQ(since(), 20ms);
  });
}

// Go: time/sleep_test.go TestAfterQueuing
TEST(After, TheyComeInTheOrderOfTheirTimes) {
  in_virtual_time([] {
    const std::vector<int> slots = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
    struct arrival {
      int slot;
      tenon::time_point at;
    };
    const auto arrivals = tenon::make_chan<arrival>(static_cast<std::int64_t>(slots.size()), "one for each slot");
    const stopwatch since;
    tenon::wait_group wg;
    for (const int slot : slots) {
      wg.go([arrivals, slot, c = tenon::after(slot * 5ms)] { arrivals.send({slot, c.recv().value()}); });
    }
    wg.wait();
    int before = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto [slot, at] = arrivals.recv().value();
      EXPECT_EQ(since.at(at), slot * 5ms);
      EXPECT_GE(slot, before);
      before = slot;
    }
    EXPECT_EQ(since(), 45ms);
  });
}

// Go: time/sleep_test.go TestAfterQueuing: functions in the order of their times
TEST(Timer, FunctionsRunInTheOrderOfTheirTimes) {
  in_virtual_time([] {
    const stopwatch since;
    std::vector<int> ran;
    std::vector<tenon::timer> timers;
    for (const int slot : {5, 3, 6, 1, 2, 7, 9, 4, 8, 0}) {
      timers.emplace_back(slot * 5ms, [&, slot] {
        EXPECT_EQ(since(), slot * 5ms);
        ran.push_back(slot);
      });
    }
    tenon::sleep_for(1h);
    EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  });
}

// Go: time/tick_test.go TestAfterTimes
TEST(After, TheValueIsTheTimeItFiredNotTheTimeItWasTaken) {
  in_virtual_time([] {
    const stopwatch since;
    const auto c = tenon::after(10ms);
    tenon::sleep_for(500ms);
    EXPECT_EQ(since.at(c.recv().value()), 10ms);
    EXPECT_EQ(since(), 500ms);
  });
}

// Go: time/tick_test.go TestTimerGC
TEST(After, IsFreedWithoutAStop) {
  if (tenon_test::sanitized()) GTEST_SKIP() << "a sanitizer keeps freed memory for a while";
  const std::size_t n = tenon_test::scaled(10000, 1000);
  const auto many = [&](auto make) {
    return tenon_test::stops_growing(n * 16, [&] {
      for (std::size_t i = 0; i < n; ++i) make();
    });
  };
  tenon::run([&](context) {
    EXPECT_TRUE(many([] { (void)tenon::after(1h); }));
    EXPECT_TRUE(many([] { tenon::timer t(1h); }));
    EXPECT_TRUE(many([] { tenon::timer t(1h, [] {}); }));
    EXPECT_TRUE(many([] { tenon::ticker t(1h); }));
    EXPECT_TRUE(many([] { tenon::timer(1h).stop(); }));
    EXPECT_TRUE(many([] { tenon::ticker(1h).stop(); }));
    EXPECT_TRUE(many([] { (void)tenon::ticker(1h).c(); }));
  });
}

// ---- timers -------------------------------------------------------------------------------------------------------

// Go: time/sleep_test.go TestAfterStop
TYPED_TEST(TimerKind, StoppedInTimeNeverFires) {
  in_virtual_time([] {
    TypeParam t(100ms);
    bool ran = false;
    tenon::timer f(300ms, [&] { ran = true; });
    const auto later = tenon::after(400ms);
    tenon::sleep_for(99'999'999ns);
    EXPECT_TRUE(t.stop());
    EXPECT_TRUE(f.stop());
    (void)later.recv();
    // Go: time/sleep_test.go TestAfterStop: a stopped timer sends nothing
    EXPECT_FALSE(t.c().try_recv());
    // Go: time/sleep_test.go TestAfterStop: a stopped function does not run
    EXPECT_FALSE(ran);
    // Go: time/sleep_test.go TestAfterStop: stop returns false the second time
    EXPECT_FALSE(t.stop());
    EXPECT_FALSE(f.stop());
  });
}

// Go: time/sleep_test.go TestReset
TYPED_TEST(TimerKind, ResetCountsFromThen) {
  in_virtual_time([] {
    const stopwatch since;
    TypeParam t(2ms);
    tenon::sleep_for(1ms);
    // Go: time/sleep_test.go TestReset: true while it ran, and it counts from then
    EXPECT_TRUE(t.reset(3ms));
    tenon::sleep_for(2'999'999ns);
    EXPECT_FALSE(t.c().try_recv()) << "it is early";
    EXPECT_EQ(since.at(t.c().recv().value()), 4ms);
    EXPECT_EQ(since(), 4ms);
    // Go: time/sleep_test.go TestReset: false when it had fired, and it fires again
    EXPECT_FALSE(t.reset(50ms));
    EXPECT_EQ(since.at(t.c().recv().value()), 54ms);
    EXPECT_FALSE(t.stop());
  });
}

// Go: time/sleep_test.go TestZeroTimer
TYPED_TEST(TimerKind, OfNoTimeFiresAtOnce) {
  in_virtual_time([] {
    const stopwatch since;
    for (int i = 0; i < 200; ++i) {
      TypeParam t(i % 2 == 0 ? 0ns : -1ns);
      EXPECT_EQ(since.at(t.c().recv().value()), 0ns);
    }
    TypeParam again(1h);
    for (int i = 0; i < 200; ++i) {
      again.reset(0ns);
      (void)again.c().recv();
    }
    EXPECT_EQ(since(), 0ns);
  });
  // And with a scheduler that does not look at them each time.
  const std::size_t times = tenon_test::scaled(5000, 200);
  tenon::run([&] {
    for (std::size_t i = 0; i < times; ++i) (void)TypeParam(0ns).c().recv();
  });
}

// Go: time/sleep_test.go TestTimerModifiedEarlier
TYPED_TEST(TimerKind, MovedEarlierIsNotLost) {
  in_virtual_time([] {
    const stopwatch since;
    for (int i = 0; i < 50; ++i) {
      TypeParam t(1h);
      for (int j = 0; j < 10; ++j) {
        if (!t.stop()) (void)t.c().recv();
        t.reset(-std::chrono::hours(24));
      }
      EXPECT_TRUE(t.c().recv());
    }
    EXPECT_EQ(since(), 0ns);
  });
}

// Go: time/sleep_test.go TestAdjustTimers
TYPED_TEST(TimerKind, MovedToAndFroInAnyOrder) {
  in_virtual_time([](std::uint64_t seed) {
    struct one {
      std::unique_ptr<TypeParam> timer;
      int state = 0;
    };
    const stopwatch since;
    std::vector<one> timers(100);
    tenon_test::random_source random(seed);
    const nanoseconds far[] = {1min, 3min, 2min};
    while (!timers.empty()) {
      one& t = timers[random.below(timers.size())];
      switch (t.state++) {
        case 0: t.timer = std::make_unique<TypeParam>(0ns); break;
        case 1: (void)t.timer->c().recv(); break;
        case 2:
        case 4:
        case 6: EXPECT_FALSE(t.timer->reset(far[random.below(3)])); break;
        case 3:
        case 5:
        case 7: EXPECT_TRUE(t.timer->stop()); break;
        case 8: EXPECT_FALSE(t.timer->reset(0ns)); break;
        case 9: (void)t.timer->c().recv(); break;
        default: std::swap(t, timers.back()); timers.pop_back();
      }
    }
    EXPECT_EQ(since(), 0ns) << "one of those that are far away came";
  });
}

// Go: time/sleep_test.go TestAdjustTimers
TYPED_TEST(TimerKind, EachOfManyFiresAtItsOwnTime) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    for (int i = 0; i < 100; ++i) {
      g.go([&, i] {
        const TypeParam t(i * 37 % 100 * 1ms);
        if (i % 3 == 0) {  // moved, sooner or later
          EXPECT_TRUE(t.reset(i * 53 % 100 * 1ms));
          EXPECT_EQ(since.at(t.c().recv().value()), i * 53 % 100 * 1ms);
        } else {
          EXPECT_EQ(since.at(t.c().recv().value()), i * 37 % 100 * 1ms);
        }
      });
      if (i % 10 == 0) {
        const TypeParam gone(i * 1ms + 1us);  // taken out of the middle
      }
    }
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 98ms);
  });
}

// Go: time/sleep_test.go TestStopResult, TestResetResult
TEST(Timer, StopAndResetSayWhetherATickCanStillBeTaken) {
  for (const bool stop : {true, false}) {
    in_virtual_time([stop](tenon::group& g) {
      g.go_n(20, [stop](int i) {
        for (int j = 0; j < 10; ++j) {
          const tenon::timer a(1ms);
          const tenon::timer b(1ms + i % 2 * 1ns);
          if (i % 3 == 0) tenon::sleep_for(2ms);  // both have fired
          const bool first = tenon::select(tenon::recv(a.c()), tenon::recv(b.c())) == 0;
          const tenon::timer& taken = first ? a : b;
          const tenon::timer& other = first ? b : a;
          EXPECT_TRUE(stop ? other.stop() : other.reset(1h)) << "its tick is there, or to come";
          EXPECT_FALSE(other.c().try_recv());
          EXPECT_FALSE(taken.stop()) << "its tick has been taken";
        }
      });
    });
  }
}

// Go: time/sleep_test.go TestAfterFunc
TEST(Timer, AFunctionMayStartItsOwnTimerAgain) {
  in_virtual_time([] {
    const stopwatch since;
    const auto over = tenon::make_chan<void>();
    const auto built = tenon::make_chan<void>();
    tenon::timer t;
    int left = 10;
    t = tenon::timer(0ns, [&] {
      (void)built.recv();
      if (--left == 0) {
        over.close();
      } else {
        t.reset(1ms);
      }
    });
    built.close();
    (void)over.recv();
    EXPECT_FALSE(t.stop());
    EXPECT_EQ(left, 0);
    EXPECT_EQ(since(), 9ms);
  });
}

// Go: time/sleep.go AfterFunc: each function in its own goroutine
TEST(Timer, AFunctionHasAGoroutineOfItsOwn) {
  const auto all_at_once = [] {
    // Each of them blocks until all of them run.
    tenon::wait_group all;
    all.add(10);
    std::vector<tenon::timer> timers;
    for (int i = 0; i < 10; ++i) {
      timers.emplace_back(0ns, [&] {
        all.done();
        all.wait();
      });
    }
    all.wait();
    EXPECT_FALSE(timers.front().c());
  };
  in_virtual_time(all_at_once);
  tenon::run(all_at_once, {.workers = 1});
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, DestructionWaitsForAFunctionThatHasStarted) {
  in_virtual_time([] {
    const stopwatch since;
    bool finished = false;
    {
      const tenon::timer t(1ms, [&] {
        tenon::sleep_for(5ms);
        finished = true;
      });
      tenon::sleep_for(2ms);
      EXPECT_FALSE(t.stop());
      EXPECT_FALSE(finished);
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(since(), 6ms);
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, DestructionTakesTheFunctionBack) {
  in_virtual_time([] {
    bool ran = false;
    {
      const tenon::timer t(2ms, [&] { ran = true; });
      tenon::sleep_for(1ms);
    }
    tenon::sleep_for(1h);
    EXPECT_FALSE(ran);
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, AChannelWhoseTimerIsGoneNeverDelivers) {
  in_virtual_time([] {
    std::vector<tick_chan> all;
    {
      const tenon::timer t(2ms);
      const tenon::ticker u(2ms);
      const tenon::timer fired(1ns);
      const tenon::ticker ticked(1us);
      tenon::sleep_for(1us);
      for (const tick_chan& c : {t.c(), u.c(), fired.c(), ticked.c()}) all.push_back(c);
    }
    for (const tick_chan& c : all) EXPECT_FALSE(c.try_recv()) << "also the tick that was there";
    tenon::sleep_for(1h);
    for (const tick_chan& c : all) EXPECT_FALSE(c.try_recv());
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, AMovedOneGoesOn) {
  in_virtual_time([] {
    const stopwatch since;
    tenon::timer outer;
    tick_chan c;
    {
      tenon::timer t(1ms);
      c = t.c();
      outer = std::move(t);
    }
    EXPECT_EQ(outer.c(), c);
    EXPECT_EQ(since.at(c.recv().value()), 1ms);
    tenon::ticker k(1ms);
    tenon::ticker l(std::move(k));
    EXPECT_EQ(since.at(l.c().recv().value()), 2ms);
  });
}

// Go: time/sleep_test.go TestTimerStopStress
TEST(Timer, ManyStoppedInTimeNeverRun) {
  in_virtual_time([](tenon::group& g) {
    std::atomic<int> ran = 0;
    g.go_n(100, [&](int i) {
      const tenon::timer t(i % 2 == 0 ? 20s : 19ms, [&] { ++ran; });
      tenon::sleep_for(20ms);
      EXPECT_EQ(t.stop(), i % 2 == 0);
    });
    tenon::sleep_for(100s);
    EXPECT_EQ(ran, 50);
  });
}

// Go: time/sleep_test.go TestZeroTimerStopPanics and TestZeroTimerResetPanics
TEST(Timer, AnUninitialisedOnePanics) {
  EXPECT_PANIC(tenon::timer().stop(), "time: Stop called on uninitialized Timer");
  EXPECT_PANIC(tenon::timer().reset(1s), "time: Reset called on uninitialized Timer");
  EXPECT_FALSE(tenon::timer().c());
  tenon::timer t(1h);
  const tenon::timer u(std::move(t));
  EXPECT_PANIC(t.stop(), "time: Stop called on uninitialized Timer");  // NOLINT: moved from on purpose
}

// Go: time/sleep_test.go TestIssue5745
TEST(Timer, APanicLeavesTheClockWorking) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::ticker t(1h);
    EXPECT_PANIC(tenon::timer().stop(), "time: Stop called on uninitialized Timer");
    // Go: time/tick.go Reset: what is refused changes nothing
    EXPECT_PANIC(t.reset(0s), "non-positive interval for Ticker.Reset");
    EXPECT_EQ(since.at(t.c().recv().value()), 1h) << "the refused reset changed nothing";
    t.stop();
    EXPECT_EQ(since.at(tenon::after(1ms).recv().value()), 1h + 1ms);
  });
}

// ---- the rules of a timer's channel, on the real clock ------------------------------------------------------------

// Go: time/tick_test.go TestChan: length and capacity are 0, also with a tick to take
TEST_P(TimeBy, ATimersChannelHasNoRoom) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(1ms);
    const tenon::ticker k(1ms);
    const tick_chan a = tenon::after(1ms);
    for (const tick_chan& c : {t.c(), k.c(), a}) {
      EXPECT_EQ(c.cap(), 0U);
      EXPECT_EQ(c.len(), 0U);
    }
    tenon::sleep_for(10ms);
    for (const tick_chan& c : {t.c(), k.c(), a}) {
      EXPECT_EQ(c.cap(), 0U);
      EXPECT_EQ(c.len(), 0U) << "also with a tick to take";
      EXPECT_TRUE(gets_tick(c));
      EXPECT_EQ(c.len(), 0U);
    }
  });
}

// Go: time/tick_test.go TestChan: stop takes an unread tick back
TEST_P(TimeBy, StopTakesAnUnreadTickBack) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(1ns);
    tenon::sleep_for(10ms);
    EXPECT_TRUE(t.stop()) << "its tick has not been taken";
    EXPECT_TRUE(has_no_tick(t.c()));
    EXPECT_FALSE(t.stop());
    EXPECT_FALSE(t.reset(1ns));
    EXPECT_TRUE(gets_tick(t.c()));
    EXPECT_FALSE(t.stop()) << "its tick has been taken";
    EXPECT_TRUE(has_no_tick(t.c())) << "it fires once";
  });
}

// Go: time/tick_test.go TestChan: reset takes an unread tick back
TEST_P(TimeBy, ResetTakesAnUnreadTickBack) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(1ns);
    tenon::sleep_for(10ms);
    EXPECT_TRUE(t.reset(long_time));
    EXPECT_TRUE(has_no_tick(t.c()));
    EXPECT_TRUE(t.reset(1ns));
    const auto now = clock::now();
    tenon::sleep_for(5ms);
    EXPECT_TRUE(t.reset(1ns));
    const auto tick = t.c().recv();
    ASSERT_TRUE(tick);
    EXPECT_GE(*tick, now + 5ms) << "a tick of before the reset";
    EXPECT_FALSE(t.reset(long_time));
  });
}

// Go: time/tick_test.go TestChan
TEST_P(TimeBy, StopAndResetOfATickerTakeAnUnreadTickBack) {
  tenon_test::as(GetParam(), [] {
    const tenon::ticker t(1ns);
    tenon::sleep_for(5ms);
    t.stop();
    EXPECT_TRUE(has_no_tick(t.c()));
    t.reset(1ns);
    EXPECT_TRUE(gets_tick(t.c()));
    EXPECT_TRUE(gets_tick(t.c()));
    tenon::sleep_for(5ms);
    t.reset(long_time);
    EXPECT_TRUE(has_no_tick(t.c()));
    t.stop();
    t.stop();
    EXPECT_TRUE(has_no_tick(t.c()));
  });
}

// Go: time/tick_test.go TestChan: a reset moves the tick of somebody who waits
TEST_P(TimeBy, ResetMovesTheTickOfSomebodyWhoWaits) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(long_time);
    std::atomic<bool> woken = false;
    auto other = tenon_test::start(GetParam(), [&] {
      EXPECT_TRUE(t.c().recv());
      woken = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(woken));
    EXPECT_TRUE(t.reset(2 * long_time));
    EXPECT_TRUE(tenon_test::stays_false(woken));
    EXPECT_TRUE(t.stop());
    EXPECT_TRUE(tenon_test::stays_false(woken));
    EXPECT_FALSE(t.reset(1ns));
    other.join();
    EXPECT_TRUE(has_no_tick(t.c()));
  });
}

// Go: time/tick_test.go TestChan: one tick wakes one of two who wait
TEST_P(TimeBy, OneTickWakesOneOfTwo) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(long_time);
    const auto over = tenon::make_chan<void>();
    std::atomic<int> ticks = 0;
    const auto wait = [&] {
      if (tenon::select(tenon::recv(t.c()), tenon::recv(over)) == 0) ++ticks;
    };
    auto a = tenon_test::start(GetParam(), wait);
    auto b = tenon_test::start(GetParam(), wait);
    tenon_test::settle();
    EXPECT_EQ(ticks.load(), 0);
    t.reset(1ms);
    EXPECT_TRUE(tenon_test::eventually([&] { return ticks.load() == 1; }));
    tenon::sleep_for(5ms);
    EXPECT_EQ(ticks.load(), 1);
    over.close();
    a.join();
    b.join();
    EXPECT_EQ(ticks.load(), 1);
  });
}

// Go: time/tick_test.go TestChan: a stopped timer wakes nobody
TEST_P(TimeBy, AStoppedTimerWakesNobody) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(1ns);
    tenon::sleep_for(10ms);  // it has fired, most times
    EXPECT_TRUE(t.stop());
    const auto over = tenon::make_chan<void>();
    const auto wait = [&] { EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(over)), 1U); };
    auto a = tenon_test::start(GetParam(), wait);
    auto b = tenon_test::start(GetParam(), wait);
    tenon_test::settle();
    over.close();
    a.join();
    b.join();
  });
}

// ---- the same rules, exactly --------------------------------------------------------------------------------------

// A ticker by a timer's members, as in Go's test.
class ticker_timer {
 public:
  explicit ticker_timer(nanoseconds d) : ticker_(d) {}
  [[nodiscard]] const tick_chan& c() const { return ticker_.c(); }
  bool stop() {
    ticker_.stop();
    return !std::exchange(stopped_, true);
  }
  bool reset(nanoseconds d) {
    ticker_.reset(d);
    return !std::exchange(stopped_, false);
  }

 private:
  tenon::ticker ticker_;
  bool stopped_ = false;
};

template <class T>
class TimerChannel : public testing::Test {
 protected:
  static constexpr bool ticks_again = std::is_same_v<T, ticker_timer>;
};
using channel_kinds = testing::Types<tenon::timer, ticker_timer>;
TYPED_TEST_SUITE(TimerChannel, channel_kinds);

// Go: time/tick_test.go TestChan: length and capacity are 0, also with a tick to take
TYPED_TEST(TimerChannel, HasNoRoomAndTheTickIsThere) {
  in_virtual_time(
      [] {
        const stopwatch since;
        TypeParam t(long_time);
        const auto is_empty = [&] { return t.c().len() == 0 && t.c().cap() == 0; };
        EXPECT_TRUE(is_empty());
        EXPECT_TRUE(t.stop());
        EXPECT_FALSE(t.c().try_recv());
        EXPECT_FALSE(t.reset(long_time));
        EXPECT_FALSE(t.c().try_recv());
        EXPECT_TRUE(t.reset(1ms));
        tenon::sleep_for(999'999ns);
        EXPECT_TRUE(is_empty());
        EXPECT_FALSE(t.c().try_recv()) << "it is early";
        tenon::sleep_for(1us);
        EXPECT_TRUE(is_empty()) << "with a tick to take";
        const auto tick = t.c().try_recv();
        ASSERT_TRUE(tick);
        EXPECT_EQ(since.at(*tick), 1ms);
        EXPECT_TRUE(is_empty());
        EXPECT_FALSE(t.c().try_recv());
        tenon::sleep_for(long_time);
        EXPECT_EQ(t.c().try_recv().has_value(), TestFixture::ticks_again);
      },
      1);
}

// Go: time/tick_test.go TestChan; issue 37196
TYPED_TEST(TimerChannel, StopAndResetLeaveNoTickOfBefore) {
  in_virtual_time([] {
    TypeParam t(1ms);
    tenon::sleep_for(10ms);
    // Go: time/tick_test.go TestChan: stop takes an unread tick back
    EXPECT_TRUE(t.stop()) << "its tick has not been taken";
    EXPECT_FALSE(t.c().try_recv());
    tenon::sleep_for(1h);
    EXPECT_FALSE(t.c().try_recv());
    EXPECT_FALSE(t.stop());

    EXPECT_FALSE(t.reset(1ms));
    tenon::sleep_for(10ms);
    // Go: time/tick_test.go TestChan: reset takes an unread tick back
    EXPECT_TRUE(t.reset(1h)) << "its tick has not been taken";
    EXPECT_FALSE(t.c().try_recv());
    const stopwatch since;
    EXPECT_EQ(since.at(t.c().recv().value()), 1h) << "a tick of before the reset";

    EXPECT_EQ(t.reset(1ms), TestFixture::ticks_again) << "its tick has been taken";
    tenon::sleep_for(5ms);
    EXPECT_TRUE(t.c().try_recv());
    // Go: time/tick_test.go TestChan: stop of a timer whose tick was taken is false
    EXPECT_EQ(t.stop(), TestFixture::ticks_again) << "its tick has been taken";
    tenon::sleep_for(1h);
    EXPECT_FALSE(t.c().try_recv());
  });
}

// Go: time/tick_test.go TestChan; issue 11513. At one instant somebody else wakes who stops it, or resets it.
TYPED_TEST(TimerChannel, AtTheMomentItFiresStopAndResetStillCount) {
  for (const bool stop : {true, false}) {
    in_virtual_time([stop](tenon::group& g) {
      const stopwatch since;
      std::vector<std::unique_ptr<TypeParam>> all;
      for (int i = 0; i < 40; ++i) {
        if (i % 2 == 0) all.push_back(std::make_unique<TypeParam>(1ms));
        g.go([&, i] {  // half of them are made before the timers that they meet, half behind
          tenon::sleep_for(1ms);
          TypeParam& t = *all[static_cast<std::size_t>(i) / 2];
          if (i % 2 == 0) {
            EXPECT_TRUE(stop ? t.stop() : t.reset(1h));
            EXPECT_FALSE(t.c().try_recv());
          }
        });
      }
      tenon::sleep_for(2ms);
      for (const auto& t : all) EXPECT_FALSE(t->c().try_recv());
      if (stop) return;
      for (const auto& t : all) EXPECT_EQ(since.at(t->c().recv().value()), 1h + 1ms);
    });
  }
}

// Go: time/tick_test.go TestChan: a reset moves the tick of somebody who waits
TYPED_TEST(TimerChannel, ResetMovesTheTickOfSomebodyWhoWaits) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    TypeParam t(long_time);
    bool woken = false;
    g.go([&] {
      const auto tick = t.c().recv();
      EXPECT_EQ(since.at(*tick), 3 * long_time + 1ms);
      EXPECT_EQ(since(), 3 * long_time + 1ms);
      woken = true;
    });
    tenon::sleep_for(long_time / 2);
    EXPECT_TRUE(t.reset(2 * long_time));
    tenon::sleep_for(long_time);  // beyond the first time
    EXPECT_TRUE(t.stop());
    tenon::sleep_for(long_time * 3 / 2);  // beyond the second one
    EXPECT_FALSE(woken);
    EXPECT_FALSE(t.reset(1ms));
    tenon::sleep_for(1'999'999ns);
    EXPECT_TRUE(woken);
    EXPECT_FALSE(t.c().try_recv());
    tenon::sleep_for(1us);
    EXPECT_EQ(t.c().try_recv().has_value(), TestFixture::ticks_again);
  });
}

// Go: time/tick_test.go TestChan: one tick wakes one of two who wait
TYPED_TEST(TimerChannel, OneTickWakesOneOfTwo) {
  std::set<int> winners;
  in_virtual_time([&](tenon::group& g) {
    TypeParam t(long_time);
    const auto over = tenon::make_chan<void>();
    std::vector<int> woken;
    g.go_n(2, [&](int i) {
      if (tenon::select(tenon::recv(t.c()), tenon::recv(over)) == 0) woken.push_back(i);
    });
    tenon::sleep_for(1ms);
    EXPECT_TRUE(woken.empty());
    EXPECT_TRUE(t.reset(1ms));
    tenon::sleep_for(1'500us);
    EXPECT_EQ(woken.size(), 1U);
    winners.insert(woken.begin(), woken.end());
    EXPECT_EQ(t.stop(), TestFixture::ticks_again);
    over.close();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(woken.size(), 1U);
  });
  EXPECT_EQ(winners.size(), tenon_test::tries_many_orders() ? 2U : winners.size());
}

// Go: time/tick_test.go TestChan: a stopped timer wakes nobody
TYPED_TEST(TimerChannel, AStoppedOneWakesNobody) {
  in_virtual_time([](tenon::group& g) {
    TypeParam t(2ms);
    const auto over = tenon::make_chan<void>();
    g.go_n(2, [&] { EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(over)), 1U); });
    tenon::sleep_for(1ms);
    EXPECT_TRUE(t.stop());
    tenon::sleep_for(long_time);
    over.close();
    EXPECT_FALSE(g.wait());
  });
}

// ---- tickers ------------------------------------------------------------------------------------------------------

// Go: time/tick_test.go TestTicker
TEST(Ticker, TicksAtItsPeriodAndAtAnotherAfterReset) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::ticker t(20ms);
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(since.at(t.c().recv().value()), i * 20ms);
    tenon::sleep_for(5ms);
    // Go: time/tick_test.go TestTicker: at another period after a reset
    t.reset(40ms);
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(since.at(t.c().recv().value()), 105ms + i * 40ms);
    EXPECT_EQ(since(), 305ms);
    t.stop();
    tenon::sleep_for(1h);
    // Go: time/tick_test.go TestTicker: none after a stop
    EXPECT_FALSE(t.c().try_recv()) << "it did not stop";
    t.reset(1s);
    EXPECT_EQ(since.at(t.c().recv().value()), 1h + 1305ms);
  });
}

// Go: time/tick_test.go TestTeardown
TEST(Ticker, CanBeStoppedRightAfterATick) {
  in_virtual_time([] {
    const stopwatch since;
    for (int i = 1; i <= 3; ++i) {
      const tenon::ticker t(5ms);
      (void)t.c().recv();
      t.stop();
      EXPECT_EQ(since(), i * 5ms);
    }
  });
}

// Go: time/tick_test.go TestNewTickerLtZeroDuration
TEST(Ticker, APeriodOfNothingPanics) {
  const char* text = "non-positive interval for NewTicker";
  EXPECT_PANIC(tenon::ticker t(0s), text);
  EXPECT_PANIC(tenon::ticker t(-1ns), text);
  EXPECT_PANIC(tenon::ticker t(nanoseconds::min()), text);
}

// Go: time/tick_test.go TestTickerResetLtZeroDuration
TEST(Ticker, AResetToNothingPanics) {
  const tenon::ticker t(1h);
  const char* text = "non-positive interval for Ticker.Reset";
  EXPECT_PANIC(t.reset(0s), text);
  EXPECT_PANIC(t.reset(-1ns), text);
}

// Go: time/tick_test.go TestTickerStopWithDirectInitialization and TestManualTicker
TEST(Ticker, AnUninitialisedOneCanBeStoppedButNotReset) {
  const tenon::ticker t;
  t.stop();
  EXPECT_FALSE(t.c());
  EXPECT_PANIC(t.reset(1s), "time: Reset called on uninitialized Ticker");
}

// Go: time/tick_test.go TestTickTimes
TEST(Ticker, TheValueIsTheTimeOfTheTick) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::ticker t(10ms);
    tenon::sleep_for(55ms);
    EXPECT_EQ(since.at(t.c().recv().value()), 10ms);
    EXPECT_EQ(since.at(t.c().recv().value()), 60ms);
    EXPECT_EQ(since(), 60ms);
  });
}

// Go: time/tick.go NewTicker: it drops ticks to make up for slow receivers
TEST(Ticker, TicksThatNobodyTakesAreDropped) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::ticker t(10ms);
    for (int round = 0; round < 10; ++round) {
      tenon::sleep_for(45ms);
      EXPECT_TRUE(t.c().try_recv());
      EXPECT_FALSE(t.c().try_recv()) << "ticks had piled up";
    }
    // The beat is still that of its start.
    EXPECT_EQ(since.at(t.c().recv().value()), 460ms);
  });
}

// Go: time/sleep_test.go TestTickerStress and TestTickerConcurrentStress
TEST(Ticker, EachTickServesOneOfThoseWhoWait) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const tenon::ticker t(1ns);
    for (int i = 1; i <= 100; ++i) EXPECT_EQ(since.at(t.c().recv().value()), i * 1ns);
    g.go_n(10, [&] {
      for (int i = 0; i < 20; ++i) (void)t.c().recv();
    });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 300ns);
  });
}

// ---- together with everything else --------------------------------------------------------------------------------

// Go: time/sleep_test.go TestAfterFuncStarvation
TEST(Timer, IsNotStarvedByGoroutinesThatKeepOneWorkerBusy) {
  tenon::run(
      [](context) {
        std::atomic<bool> stop = false;
        const auto c = tenon::make_chan<bool>(1);
        auto a = tenon::go([&] {
          while (!stop.load()) c.send(true);
          c.close();
        });
        auto b = tenon::go([&] {
          for (bool v : c) (void)v;
        });
        const tenon::timer t(1us, [&] { stop = true; });
        a.join();
        b.join();
      },
      {.workers = 1});
}

// Go: runtime/proc_test.go TestTimerFairness
TEST(Timer, IsNotStarvedByGoroutinesThatYield) {
  tenon::run(
      [](context) {
        std::atomic<bool> stop = false;
        tenon::wait_group wg;
        for (int i = 0; i < 2; ++i) {
          wg.go([&] {
            while (!stop.load()) tenon::yield();
          });
        }
        (void)tenon::after(1ms).recv();
        stop = true;
        wg.wait();
      },
      {.workers = 1});
}

// Go: time/sleep_test.go TestMultiWakeupTicker
TEST(Timer, EachOfManyGetsItsShareOfOneTicker) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const tenon::ticker t(1us);
    g.go_n(4, [&] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(tenon::after(1ms))), 0U);
      }
    });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 400us);
  });
}

// Go: time/sleep_test.go TestMultiWakeupTimer
TEST(Timer, OneThatManyResetFiresAfterTheLastOfThem) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const tenon::timer t(5ms);
    g.go_n(4, [&](int i) {
      for (int j = 0; j < 100; ++j) {
        EXPECT_TRUE(t.reset(5ms));
        EXPECT_FALSE(t.c().try_recv());
        tenon::sleep_for(1ms + i * 1us);
      }
    });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 100 * 1003us);
    EXPECT_EQ(since.at(t.c().recv().value()), 99 * 1003us + 5ms);
  });
}

// Go: time/tick_test.go TestLongAdjustTimers
TEST(Timer, NoneIsLateInASelectLoopThatMakesMany) {
  in_virtual_time(
      [](tenon::group& g) {
        const stopwatch since;
        for (int i = 0; i < 200; ++i) {
          g.go([&] {
            tenon::sleep_for(10us);
            EXPECT_EQ(since(), 10us);
          });
        }
        const auto in = tenon::make_chan<int>();
        const auto out = g.produce<int>([in](tenon::sender<int>& to) {
          std::vector<int> queue;
          auto next = tenon::recv(in);
          for (;;) {
            auto pass = tenon::send(to, queue.empty() ? 0 : queue.front());
            if (queue.empty()) pass.disable();
            tenon::select(pass, next);
            if (pass) {
              queue.erase(queue.begin());
            } else if (next.closed()) {
              return;
            } else {
              queue.push_back(*next);
            }
          }
        });
        for (int i = 0; i < 20; ++i) {
          for (int j = 0; j < 20; ++j) in.send(j);
          for (int j = 0; j < 20; ++j) {
            std::optional<int> v;
            ASSERT_EQ(tenon::select(tenon_test::into(out, v), tenon::recv(tenon::after(20s))), 0U);
            ASSERT_EQ(v, j);
          }
        }
        in.close();
        EXPECT_FALSE(g.wait());
        EXPECT_EQ(since(), 10us);
      },
      5);
}

// Go: the difference to Go is that there is an outside
TEST(Timer, WorksWithoutARun) {
  const auto start = clock::now();
  const auto first = tenon::after(5ms).recv();
  ASSERT_TRUE(first);
  EXPECT_GE(*first, start + 5ms);
  const tenon::ticker k(1ms);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(k.c().recv());
  std::atomic<bool> ran = false;
  const tenon::timer f(1ms, [&] { ran = true; });
  EXPECT_TRUE(tenon_test::eventually([&] { return ran.load(); }));
  const tenon::timer g(1h, [&] { ADD_FAILURE(); });
  EXPECT_TRUE(g.stop());
}

// Go: the difference to Go is that there is an outside
TEST(Timer, StartedOutsideOfRunGoesOnInsideAndBack) {
  const tenon::timer t(20ms);
  const tenon::ticker k(1ms);
  tenon::run([&](context) {
    EXPECT_TRUE(t.c().recv());
    EXPECT_TRUE(k.c().recv());
    t.reset(10ms);
  });
  EXPECT_TRUE(t.c().recv());
  EXPECT_TRUE(k.c().recv());
}

INSTANTIATE_TEST_SUITE_P(By, TimeBy, tenon_test::every_caller, tenon_test::caller_name);

}  // namespace
