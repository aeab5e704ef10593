// What runs when a context is canceled: after_func, and both ways to std::stop_token.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon_test::in_virtual_time;
using tenon_test::stopwatch;

// Go: context/x_test.go TestAfterFuncCalledAfterCancel
TEST(AfterFunc, RunsAfterTheCancel) {
  in_virtual_time([] {
    const stopwatch since;
    auto scope = tenon::with_cancel(background());
    const auto ran = tenon::make_chan<void>();
    auto handle = tenon::after_func(scope.ctx(), [&] { ran.close(); });
    EXPECT_EQ(tenon::select(tenon::recv(ran), tenon::recv(tenon::after(1h))), 1U) << "ran before the cancel";
    scope.cancel();
    (void)ran.recv();
    EXPECT_EQ(since(), 1h);
    EXPECT_FALSE(handle.stop());
  });
}

// Go: context/x_test.go TestAfterFuncCalledAfterTimeout
TEST(AfterFunc, RunsAfterTheDeadline) {
  in_virtual_time([] {
    const stopwatch since;
    auto scope = tenon::with_timeout(background(), 50ms);
    const auto ran = tenon::make_chan<void>();
    auto handle = tenon::after_func(scope.ctx(), [&] { ran.close(); });
    (void)ran.recv();
    EXPECT_EQ(since(), 50ms);
    EXPECT_FALSE(handle.stop());
  });
}

// Go: context/x_test.go TestAfterFuncCalledImmediately
TEST(AfterFunc, RunsAtOnceIfItIsCanceledAlready) {
  in_virtual_time([] {
    const stopwatch since;
    auto scope = tenon::with_cancel(background());
    scope.cancel();
    const auto ran = tenon::make_chan<void>();
    auto handle = tenon::after_func(scope.ctx(), [&] { ran.close(); });
    (void)ran.recv();
    EXPECT_EQ(since(), 0ns);
    EXPECT_FALSE(handle.stop());
  });
}

// Go: context/x_test.go TestAfterFuncNotCalledAfterStop
TEST(AfterFunc, DoesNotRunOnceStopped) {
  in_virtual_time([] {
    auto scope = tenon::with_cancel(background());
    bool ran = false;
    auto handle = tenon::after_func(scope.ctx(), [&] { ran = true; });
    EXPECT_TRUE(handle.stop());
    scope.cancel();
    tenon::sleep_for(1h);
    EXPECT_FALSE(ran);
    EXPECT_FALSE(handle.stop());
  });
}

// Go: context/x_test.go TestAfterFuncCalledAsynchronously
TEST(AfterFunc, TheCancelDoesNotWaitForIt) {
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [](context) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const auto meeting = tenon::make_chan<int>();
          auto handle = tenon::after_func(c, [&] { meeting.send(1); });
          scope.cancel();
          EXPECT_EQ(meeting.recv(), 1);
        },
        {.workers = workers});
  }
}

// Go: the difference to Go is that the handle has an owner
TEST(AfterFunc, DroppingTheHandleTakesItBack) {
  in_virtual_time([] {
    auto scope = tenon::with_cancel(background());
    bool ran = false;
    {
      auto handle = tenon::after_func(scope.ctx(), [&] { ran = true; });
    }
    scope.cancel();
    tenon::sleep_for(1h);
    EXPECT_FALSE(ran);
  });
}

// Go: the difference to Go is that the handle has an owner
TEST(AfterFunc, DroppingTheHandleWaitsForOneThatHasStarted) {
  in_virtual_time([] {
    const stopwatch since;
    auto scope = tenon::with_cancel(background());
    bool finished = false;
    {
      auto handle = tenon::after_func(scope.ctx(), [&] {
        tenon::sleep_for(5ms);
        finished = true;
      });
      scope.cancel();
      tenon::sleep_for(2ms);
      EXPECT_FALSE(handle.stop());
      EXPECT_FALSE(finished);
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(since(), 5ms);
  });
  // And on two workers.
  tenon::run(
      [](context) {
        auto scope = tenon::with_cancel(background());
        const auto started = tenon::make_chan<void>();
        std::atomic<bool> finished = false;
        {
          auto handle = tenon::after_func(scope.ctx(), [&] {
            started.close();
            tenon_test::settle();
            finished = true;
          });
          scope.cancel();
          (void)started.recv();
        }
        EXPECT_TRUE(finished.load());
      },
      {.workers = 2});
}

// Go: the difference to Go is that the handle has an owner
TEST(AfterFunc, AMovedHandleStillOwnsIt) {
  tenon::run([](context) {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    std::atomic<int> ran = 0;
    tenon::after_func_handle outer;
    EXPECT_FALSE(outer.stop());
    {
      auto inner = tenon::after_func(c, [&] { ++ran; });
      outer = std::move(inner);
    }
    scope.cancel();
    EXPECT_TRUE(tenon_test::eventually([&] { return ran.load() == 1; }));
    EXPECT_FALSE(outer.stop());
  });
}

// Go: context/context.go AfterFunc
TEST(AfterFunc, SeveralOnOneContextAllRun) {
  in_virtual_time([] {
    auto scope = tenon::with_cancel(background());
    constexpr int n = 100;
    std::atomic<int> ran = 0;
    std::vector<tenon::after_func_handle> handles;
    for (int i = 0; i < n; ++i) handles.push_back(tenon::after_func(scope.ctx(), [&] { ++ran; }));
    for (int i = 0; i < n; i += 2) EXPECT_TRUE(handles[static_cast<std::size_t>(i)].stop());
    scope.cancel();
    tenon::sleep_for(1ns);
    EXPECT_EQ(ran, n / 2);
    tenon::sleep_for(1h);
    EXPECT_EQ(ran, n / 2);
  });
}

// Go: context/context.go AfterFunc: stop and cancel race for it, and one of them gets it
// Go: context/context.go AfterFunc: either stopped or run
TEST(AfterFunc, EitherStoppedOrRunNeverBothNorNeither) {
  const std::size_t times = tenon_test::scaled(1000, 50);
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&](context) {
          for (std::size_t i = 0; i < times; ++i) {
            auto scope = tenon::with_cancel(background());
            const tenon::context c = scope.ctx();
            std::atomic<bool> ran = false;
            bool stopped = false;
            {
              auto handle = tenon::after_func(c, [&] { ran = true; });
              auto g = tenon::go([&scope] { scope.cancel(); });
              stopped = handle.stop();
              g.join();
              if (!stopped) {
                EXPECT_TRUE(tenon_test::eventually([&] { return ran.load(); }));
              }
            }
            EXPECT_NE(ran.load(), stopped);
          }
        },
        {.workers = workers});
  }
}

// Go: context/context.go AfterFunc: the same with the moment of a deadline
TEST(AfterFunc, EitherStoppedOrRunAtTheMomentOfTheDeadline) {
  std::atomic<int> stops = 0;
  std::atomic<int> runs = 0;
  in_virtual_time([&](tenon::group& g) {
    g.go_n(20, [&](int i) {
      const auto before = tenon::with_timeout(background(), 1ms);
      bool ran = false;
      bool stopped = false;
      {
        auto handle = tenon::after_func(before.ctx(), [&] { ran = true; });
        tenon::sleep_for(i % 2 == 0 ? 1ms : 999'999ns);
        stopped = handle.stop();
        EXPECT_TRUE(stopped || i % 2 == 0);
      }
      EXPECT_NE(ran, stopped);
      ++(stopped ? stops : runs);
    });
    EXPECT_FALSE(g.wait());
  });
  EXPECT_GT(stops, 0);
  EXPECT_GT(runs, 0);
}

// Go: context/context.go AfterFunc: a context that is never canceled never runs it
TEST(AfterFunc, OfTheBackgroundNeverRuns) {
  in_virtual_time([] {
    bool ran = false;
    auto handle = tenon::after_func(background(), [&] { ran = true; });
    tenon::sleep_for(1h);
    EXPECT_TRUE(handle.stop());
    EXPECT_FALSE(ran);
  });
}

// Go: the difference to Go is that there is an outside
TEST(AfterFunc, OutsideOfRunTheCancelingThreadRunsIt) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c = scope.ctx();
  std::thread::id ran_on;
  auto handle = tenon::after_func(c, [&] { ran_on = std::this_thread::get_id(); });
  scope.cancel();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_FALSE(handle.stop());
}

// Go: the difference to Go is that there is an outside
TEST(AfterFunc, OutsideOfRunAfterADeadlineMayWait) {
  // Not on the monitor thread, which has to fire the timer.
  const long here = tenon_test::os_thread_number();
  bool on_the_spot = true;
  for (auto timeout = 1ms; on_the_spot; timeout *= 2) {
    std::atomic<bool> started = false;
    bool ran = false;
    {
      const auto scope = tenon::with_timeout(background(), timeout);
      const auto handle = tenon::after_func(scope.ctx(), [&] {
        on_the_spot = tenon_test::os_thread_number() == here;  // it was over before this was there
        started = true;
        while (!on_the_spot && !ran) {
          tenon::sleep_for(1ms);
          ran = tenon_test::state_of_thread(here) == 'S';  // which waits for the end of this
        }
      });
      while (!started) std::this_thread::yield();
    }
    EXPECT_NE(ran, on_the_spot);
  }
}

// Go: the difference to Go is that there is an outside
TEST(AfterFunc, OutsideOfRunACanceledContextRunsItOnTheSpot) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c = scope.ctx();
  scope.cancel();
  std::thread::id ran_on;
  auto handle = tenon::after_func(c, [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

// Go: context/x_test.go TestAfterFuncCalledAfterCancel
TEST(AfterFunc, MayUseTheContextItRanFor) {
  tenon::run([](context) {
    auto scope = tenon::with_cancel_cause(background());
    const tenon::context c = scope.ctx();
    const tenon::error why(std::string("why"));
    const auto seen = tenon::make_chan<bool>(1);
    auto handle = tenon::after_func(c, [&c, &why, seen] {
      auto child_scope = tenon::with_cancel(c);
      const tenon::context child = child_scope.ctx();
      seen.send(child.is_canceled() && tenon::cause(child) == why);
    });
    scope.cancel(why);
    EXPECT_EQ(seen.recv(), true);
  });
}

// ---- std::stop_token ----------------------------------------------------------------------------------------------

class StopTokenBy : public testing::TestWithParam<tenon_test::callers> {};

// Go: none
TEST_P(StopTokenBy, OfAContextStopsWhenItIsCanceled) {
  tenon_test::as(GetParam(), [] {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    const std::stop_token token = c.stop_token();
    EXPECT_TRUE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    std::atomic<int> called = 0;
    const std::stop_callback callback(token, [&] { ++called; });
    auto other = tenon_test::start(GetParam(), [&scope] { scope.cancel(); });
    EXPECT_TRUE(tenon_test::eventually([&] { return token.stop_requested() && called.load() == 1; }));
    other.join();
    EXPECT_TRUE(c.stop_token().stop_requested());
    EXPECT_EQ(called.load(), 1);
  });
}

// Go: none
TEST_P(StopTokenBy, CancelsAContextMadeWithIt) {
  tenon_test::as(GetParam(), [] {
    std::stop_source source;
    auto scope = tenon::with_stop_token(background(), source.get_token());
    const tenon::context c = scope.ctx();
    EXPECT_FALSE(c.err());
    auto other = tenon_test::start(GetParam(), [&] { source.request_stop(); });
    (void)c.done().recv();
    EXPECT_EQ(c.err(), tenon::canceled()) << c.err().message();
    other.join();
  });
}

INSTANTIATE_TEST_SUITE_P(By, StopTokenBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: none
TEST(StopToken, OfACanceledContextIsStoppedFromTheStart) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c = scope.ctx();
  scope.cancel();
  EXPECT_TRUE(c.stop_token().stop_requested());
  std::stop_source source;
  source.request_stop();
  auto d_scope = tenon::with_stop_token(background(), source.get_token());
  const tenon::context d = d_scope.ctx();
  EXPECT_TRUE(d.is_canceled());
  EXPECT_EQ(d.err(), tenon::canceled());
}

// Go: none
TEST(StopToken, OfTheBackgroundNeverStops) {
  EXPECT_FALSE(background().stop_token().stop_requested());
  auto scope = tenon::with_stop_token(background(), std::stop_token());
  const tenon::context c = scope.ctx();
  EXPECT_FALSE(c.is_canceled());
  scope.cancel();
  EXPECT_EQ(c.err(), tenon::canceled());
}

// Go: none
TEST(StopToken, ACanceledContextDoesNotStopTheSource) {
  std::stop_source source;
  auto scope = tenon::with_stop_token(background(), source.get_token());
  const tenon::context c = scope.ctx();
  scope.cancel();
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_FALSE(source.stop_requested());
}

// Go: none
TEST(StopToken, EitherMayOutliveTheOther) {
  std::stop_source source;
  {
    auto derived = tenon::with_stop_token(background(), source.get_token());
  }
  source.request_stop();

  std::stop_token token;
  {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    token = c.stop_token();
  }
  EXPECT_TRUE(token.stop_requested()) << "the handle has gone, and with it canceled";

  auto d_scope = [] {
    const std::stop_source inner;
    return tenon::with_stop_token(background(), inner.get_token());
  }();
  const context d = d_scope.ctx();
  EXPECT_FALSE(d.is_canceled());
  d_scope.cancel();
  EXPECT_TRUE(d.is_canceled());
}

// Go: none
TEST(StopToken, StopsAStdJthread) {
  std::atomic<bool> ended = false;
  {
    std::jthread thread([&](const std::stop_token& token) {
      auto scope = tenon::with_stop_token(background(), token);
      const tenon::context c = scope.ctx();
      const auto never = tenon::make_chan<int>();
      EXPECT_FALSE(never.recv(c));
      ended = true;
    });
  }
  EXPECT_TRUE(ended.load());
}

// Go: none
TEST(StopToken, AParentsCancelStillCounts) {
  std::stop_source source;
  auto p_scope = tenon::with_cancel_cause(background());
  const tenon::context p = p_scope.ctx();
  auto scope = tenon::with_stop_token(p, source.get_token());
  const tenon::context c = scope.ctx();
  const tenon::error why(std::string("the parent"));
  p_scope.cancel(why);
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(c), why);
  source.request_stop();
  EXPECT_EQ(tenon::cause(c), why);
}

}  // namespace
