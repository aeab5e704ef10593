// Time as channels: after, timer and ticker, with Go 1.23's rules, and sleep.
// long: one file a row group, and time has many rules

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
#include "support/memory.hpp"
#include "support/panics.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::context;
using clock = std::chrono::steady_clock;
using tick_chan = tenon::recv_chan<tenon::time_point>;

constexpr nanoseconds long_time = 10000s;

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
      : c_(tenon::make_chan<tenon::time_point>(1)), timer_(d, [c = c_] { c.send(clock::now()); }) {}
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

// Timing that a busy machine may spoil gets several tries.
template <class F>
void in_one_of_some_tries(F&& attempt) {
  std::string complaint;
  for (int i = 1; i <= 6; ++i) {
    complaint = attempt(nanoseconds(5ms) * (1 << i));
    if (complaint.empty()) return;
  }
  ADD_FAILURE() << complaint;
}

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

// Go: time/sleep_test.go TestSleepZeroDeadlock
TEST(Sleep, OfNothingReturns) {
  tenon::run(
      [](context) {
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
      },
      {.workers = 4});
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

// Go: time/sleep_test.go TestOverflowSleep
TEST(Sleep, BeyondTheEndOfTheClockIsNotShort) {
  tenon::run([](context) {
    auto scope = tenon::with_cancel(tenon::background());
    const tenon::context c = scope.ctx();
    std::atomic<bool> returned = false;
    auto g = tenon::go([&c, &returned] {
      EXPECT_FALSE(tenon::sleep_for(c, nanoseconds::max()));
      returned = true;
    });
    EXPECT_EQ(tenon::select(tenon::recv(tenon::after(nanoseconds::max())), tenon::recv(tenon::after(25ms))), 1U);
    EXPECT_FALSE(returned.load());
    scope.cancel();
    g.join();
    // And what is below the beginning is over.
    EXPECT_EQ(tenon::select(tenon::recv(tenon::after(nanoseconds::min())), tenon::recv(tenon::after(20s))), 0U);
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

// Go: time/sleep_test.go TestAfterTick
TEST(After, ManyInARowTakeAtLeastTheirSum) {
  tenon::run([](context) {
    const auto start = clock::now();
    for (int i = 0; i < 10; ++i) (void)tenon::after(2ms).recv();
    EXPECT_GE(clock::now() - start, 20ms);
  });
}

// Go: time/sleep_test.go TestAfterQueuing
TEST(After, TheyComeInTheOrderOfTheirTimes) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds delta) -> std::string {
      const std::vector<int> slots = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
      struct arrival {
        int slot;
        tenon::time_point at;
      };
      const auto arrivals = tenon::make_chan<arrival>(static_cast<std::int64_t>(slots.size()), "one for each slot");
      const auto start = clock::now();
      tenon::wait_group wg;
      for (const int slot : slots) {
        wg.go([arrivals, slot, c = tenon::after(slot * delta)] { arrivals.send({slot, c.recv().value()}); });
      }
      wg.wait();
      int before = 0;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto [slot, at] = arrivals.recv().value();
        EXPECT_GE(at - start, slot * delta);
        if (slot < before) return "out of order";
        before = slot;
      }
      return "";
    });
  });
}

// Go: time/tick_test.go TestAfterTimes
TEST(After, TheValueIsTheTimeItFiredNotTheTimeItWasTaken) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      const auto start = clock::now();
      const auto c = tenon::after(d);
      tenon::sleep_for(6 * d);
      const auto fired = c.recv().value() - start;
      EXPECT_GE(fired, d);
      return fired < 5 * d ? "" : "the value is late";
    });
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
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      TypeParam t(d);
      std::atomic<bool> ran = false;
      tenon::timer f(3 * d, [&] { ran = true; });
      const auto later = tenon::after(4 * d);
      if (!t.stop()) return "failed to stop the timer";
      if (!f.stop()) return "failed to stop the function";
      (void)later.recv();
      EXPECT_FALSE(t.c().try_recv());
      EXPECT_FALSE(ran.load());
      EXPECT_FALSE(t.stop());
      EXPECT_FALSE(f.stop());
      return "";
    });
  });
}

// Go: time/sleep_test.go TestReset
TYPED_TEST(TimerKind, ResetCountsFromThen) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      TypeParam t(2 * d);
      tenon::sleep_for(d);
      if (!t.reset(3 * d)) return "resetting an active timer returned false";
      tenon::sleep_for(2 * d);
      if (t.c().try_recv()) return "fired early";
      tenon::sleep_for(2 * d);
      if (!t.c().try_recv()) return "did not fire";
      EXPECT_FALSE(t.reset(50ms));
      return "";
    });
  });
}

// Go: time/sleep_test.go TestZeroTimer
TYPED_TEST(TimerKind, OfNoTimeFiresAtOnce) {
  const std::size_t times = tenon_test::scaled(5000, 200);
  tenon::run([&](context) {
    for (std::size_t i = 0; i < times; ++i) {
      TypeParam t(i % 2 == 0 ? 0ns : -1ns);
      (void)t.c().recv();
    }
    TypeParam again(1h);
    for (std::size_t i = 0; i < times; ++i) {
      again.reset(0ns);
      (void)again.c().recv();
    }
  });
}

// Go: time/sleep_test.go TestTimerModifiedEarlier
TYPED_TEST(TimerKind, MovedEarlierIsNotLost) {
  const std::size_t times = tenon_test::scaled(500, 50);
  tenon::run([&](context) {
    for (std::size_t i = 0; i < times; ++i) {
      TypeParam t(1h);
      for (int j = 0; j < 10; ++j) {
        if (!t.stop()) (void)t.c().recv();
        t.reset(-std::chrono::hours(24));
      }
      const auto deadline = tenon::after(20s);
      EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(deadline)), 0U);
    }
  });
}

// Go: time/sleep_test.go TestAdjustTimers
TYPED_TEST(TimerKind, MovedToAndFroInAnyOrder) {
  const tenon_test::seed_in_use seed;
  tenon::run([&](context) {
    struct one {
      std::unique_ptr<TypeParam> timer;
      int state = 0;
    };
    std::vector<one> timers(100);
    tenon_test::random_source random(seed.of(0));
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
  });
}

// Go: time/sleep_test.go TestStopResult and TestResetResult
TEST(Timer, StopAndResetSayWhetherATickCanStillBeTaken) {
  const std::size_t goroutines = tenon_test::scaled_goroutines(200);
  for (const bool stop : {true, false}) {
    tenon::run(
        [&](context) {
          tenon::wait_group wg;
          for (std::size_t i = 0; i < goroutines; ++i) {
            wg.go([stop] {
              for (int j = 0; j < 20; ++j) {
                const tenon::timer a(1ms);
                const tenon::timer b(1ms);
                const bool first = tenon::select(tenon::recv(a.c()), tenon::recv(b.c())) == 0;
                const tenon::timer& other = first ? b : a;
                // With a false answer there is a tick to take; were it not so, this would wait for ever.
                if (!(stop ? other.stop() : other.reset(1h))) (void)other.c().recv();
              }
            });
          }
          wg.wait();
        },
        {.workers = 2});
  }
}

// Go: time/sleep_test.go TestAfterFunc
TEST(Timer, AFunctionMayStartItsOwnTimerAgain) {
  tenon::run([](context) {
    const auto over = tenon::make_chan<void>();
    const auto built = tenon::make_chan<void>();
    tenon::timer t;
    int left = 10;
    t = tenon::timer(0ns, [&] {
      (void)built.recv();
      if (--left == 0) {
        over.close();
      } else {
        t.reset(0ns);
      }
    });
    built.close();
    (void)over.recv();
    EXPECT_FALSE(t.stop());
    EXPECT_EQ(left, 0);
  });
}

// Go: time/sleep_test.go TestAfterFunc
TEST(Timer, AFunctionHasAGoroutineOfItsOwn) {
  tenon::run(
      [](context) {
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
      },
      {.workers = 1});
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, DestructionWaitsForAFunctionThatHasStarted) {
  tenon::run([](context) {
    const auto started = tenon::make_chan<void>();
    std::atomic<bool> finished = false;
    {
      const tenon::timer t(0ns, [&] {
        started.close();
        tenon::sleep_for(5ms);
        finished = true;
      });
      (void)started.recv();
      EXPECT_FALSE(t.stop());
    }
    EXPECT_TRUE(finished.load());
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, DestructionTakesTheFunctionBack) {
  tenon::run([](context) {
    std::atomic<bool> ran = false;
    {
      const tenon::timer t(2ms, [&] { ran = true; });
    }
    tenon::sleep_for(10ms);
    EXPECT_FALSE(ran.load());
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, AChannelWhoseTimerIsGoneNeverDelivers) {
  tenon::run([](context) {
    tick_chan c;
    tick_chan d;
    {
      const tenon::timer t(2ms);
      const tenon::ticker u(2ms);
      c = t.c();
      d = u.c();
    }
    tenon::sleep_for(10ms);
    EXPECT_FALSE(c.try_recv());
    EXPECT_FALSE(d.try_recv());
  });
}

// Go: the difference to Go is that a timer has an owner
TEST(Timer, AMovedOneGoesOn) {
  tenon::run([](context) {
    tenon::timer outer;
    tick_chan c;
    {
      tenon::timer t(1ms);
      c = t.c();
      outer = std::move(t);
    }
    EXPECT_EQ(outer.c(), c);
    EXPECT_TRUE(c.recv());
    tenon::ticker k(1ms);
    tenon::ticker l(std::move(k));
    EXPECT_TRUE(l.c().recv());
  });
}

// Go: time/sleep_test.go TestTimerStopStress
TEST(Timer, ManyStoppedInTimeNeverRun) {
  const std::size_t n = tenon_test::scaled_goroutines(200);
  tenon::run(
      [&](context) {
        std::atomic<int> ran = 0;
        tenon::wait_group wg;
        for (std::size_t i = 0; i < n; ++i) {
          wg.go([&] {
            const tenon::timer t(20s, [&] { ++ran; });
            tenon::sleep_for(20ms);
            EXPECT_TRUE(t.stop());
          });
        }
        wg.wait();
        EXPECT_EQ(ran.load(), 0);
      },
      {.workers = 2});
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
  tenon::run([](context) {
    const tenon::ticker t(1h);
    EXPECT_PANIC(tenon::timer().stop(), "time: Stop called on uninitialized Timer");
    EXPECT_PANIC(t.reset(0s), "non-positive interval for Ticker.Reset");
    t.stop();
    EXPECT_TRUE(tenon::after(1ms).recv());
  });
}

// ---- the rules of a timer's channel -------------------------------------------------------------------------------

// Go: time/tick_test.go TestChan
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

// Go: time/tick_test.go TestChan
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

// Go: time/tick_test.go TestChan
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

// Go: time/tick_test.go TestChan
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

// Go: time/tick_test.go TestChan
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

// Go: time/tick_test.go TestChan
TEST_P(TimeBy, AStoppedTimerWakesNobody) {
  tenon_test::as(GetParam(), [] {
    const tenon::timer t(2ms);
    t.stop();
    const auto over = tenon::make_chan<void>();
    const auto wait = [&] { EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(over)), 1U); };
    auto a = tenon_test::start(GetParam(), wait);
    auto b = tenon_test::start(GetParam(), wait);
    tenon::sleep_for(10ms);
    over.close();
    a.join();
    b.join();
  });
}

// ---- tickers ------------------------------------------------------------------------------------------------------

// Go: time/tick_test.go TestTicker
TEST(Ticker, TicksAtItsPeriodAndAtAnotherAfterReset) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      const tenon::ticker t(d);
      const auto start = clock::now();
      for (int i = 0; i < 5; ++i) (void)t.c().recv();
      t.reset(2 * d);
      for (int i = 0; i < 5; ++i) (void)t.c().recv();
      t.stop();
      const auto took = clock::now() - start;
      if (took < 12 * d) return "too fast";
      if (took > 20 * d) return "too slow";
      tenon::sleep_for(3 * d);
      EXPECT_FALSE(t.c().try_recv()) << "it did not stop";
      return "";
    });
  });
}

// Go: time/tick_test.go TestTeardown
TEST(Ticker, CanBeStoppedRightAfterATick) {
  tenon::run([](context) {
    for (int i = 0; i < 3; ++i) {
      const tenon::ticker t(5ms);
      (void)t.c().recv();
      t.stop();
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
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      const auto start = clock::now();
      const tenon::ticker t(d);
      tenon::sleep_for(6 * d);
      const auto first = t.c().recv().value() - start;
      EXPECT_GE(first, d);
      return first < 5 * d ? "" : "the value is late";
    });
  });
}

// Go: time/tick.go NewTicker: it drops ticks to make up for slow receivers
TEST(Ticker, TicksThatNobodyTakesAreDropped) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      const tenon::ticker t(d);
      tenon::sleep_for(5 * d);
      int ticks = 0;
      while (t.c().try_recv()) ++ticks;
      if (ticks > 2) return "ticks had piled up: " + std::to_string(ticks);
      return ticks >= 1 ? "" : "no tick";
    });
  });
}

// Go: time/sleep_test.go TestTickerStress and TestTickerConcurrentStress
TEST(Ticker, AVeryShortPeriodServesEverybody) {
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [](context) {
          const tenon::ticker t(1ns);
          for (int i = 0; i < 100; ++i) (void)t.c().recv();
          tenon::wait_group wg;
          for (int i = 0; i < 10; ++i) {
            wg.go([&] {
              for (int j = 0; j < 100; ++j) (void)t.c().recv();
            });
          }
          wg.wait();
          t.stop();
        },
        {.workers = workers});
  }
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
TEST(Timer, ManyWaitForOneTicker) {
  const std::size_t times = tenon_test::scaled(2000, 100);
  tenon::run(
      [&](context) {
        const tenon::ticker t(1us);
        tenon::wait_group wg;
        for (int i = 0; i < 4; ++i) {
          wg.go([&] {
            for (std::size_t j = 0; j < times; ++j) tenon::select(tenon::recv(t.c()), tenon::recv(tenon::after(1ms)));
          });
        }
        wg.wait();
      },
      {.workers = 2});
}

// Go: time/sleep_test.go TestMultiWakeupTimer
TEST(Timer, ManyResetOneTimer) {
  const std::size_t times = tenon_test::scaled(5000, 200);
  tenon::run(
      [&](context) {
        const tenon::timer t(1ns);
        tenon::wait_group wg;
        for (int i = 0; i < 4; ++i) {
          wg.go([&] {
            for (std::size_t j = 0; j < times; ++j) {
              tenon::select(tenon::recv(t.c()), tenon::otherwise);
              t.reset(1ns);
            }
          });
        }
        wg.wait();
      },
      {.workers = 2});
}

// Go: time/tick_test.go TestLongAdjustTimers
TEST(Timer, ManyTimersInASelectLoopStayQuick) {
  const std::size_t sleepers = tenon_test::scaled_goroutines(1000);
  const std::size_t rounds = tenon_test::scaled(1000, 50);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::size_t i = 0; i < sleepers; ++i) wg.go([] { tenon::sleep_for(10us); });
        const auto in = tenon::make_chan<int>();
        const auto out = tenon::make_chan<int>();
        wg.go([&] {
          std::vector<int> queue;
          std::optional<int> got;
          for (;;) {
            // With nothing to pass on, the send case is one on the nil channel.
            int next = queue.empty() ? 0 : queue.front();
            const auto to = queue.empty() ? tenon::chan<int>() : out;
            if (tenon::select(tenon::send(to, std::move(next)), tenon_test::into(in, got)) == 0) {
              queue.erase(queue.begin());
            } else if (got) {
              queue.push_back(*got);
            } else {
              break;
            }
          }
          out.close();
        });
        for (std::size_t i = 0; i < rounds; ++i) {
          for (int j = 0; j < 20; ++j) in.send(j);
          for (int j = 0; j < 20; ++j) {
            std::optional<int> v;
            ASSERT_EQ(tenon::select(tenon_test::into(out, v), tenon::recv(tenon::after(20s))), 0U);
            ASSERT_EQ(v, j);
          }
        }
        in.close();
        wg.wait();
      },
      {.workers = 2});
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
