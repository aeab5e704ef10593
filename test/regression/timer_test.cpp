// The functions of timers and of after_func: once their owner is gone they do not run, and what they captured is gone, too.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>

#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::in_virtual_time;

TEST(TimerFunction, ThatStartsItsTimerAgainDoesNotDoSoOnceItsOwnerDestroysIt) {
  for (const auto again : {1ms, 0ms}) {
    in_virtual_time([again] {
      int calls = 0;
      {
        tenon::timer t;
        t = tenon::timer(1ms, [&] {
          ++calls;
          tenon::sleep_for(5ms);
          if (calls < 3) t.reset(again);
        });
        tenon::sleep_for(2ms);
      }
      EXPECT_EQ(calls, 1);
      tenon::sleep_for(1h);
      EXPECT_EQ(calls, 1);
    });
  }
}

TEST(TimerFunction, IsGoneWithItsTimer) {
  in_virtual_time([] {
    for (const auto d : {1ms, 5ms}) {  // runs as the timer goes; is taken back
      auto captured = std::make_shared<int>();
      const std::weak_ptr<int> seen = captured;
      {
        const tenon::timer t(d, [c = std::move(captured)] { tenon::sleep_for(5ms); });
        tenon::sleep_for(2ms);
        EXPECT_FALSE(seen.expired());
      }
      EXPECT_TRUE(seen.expired());
    }
  });
}

TEST(AfterFunc, AFunctionThatIsTakenBackIsGoneWithItsHandle) {
  auto captured = std::make_shared<int>();
  const std::weak_ptr<int> seen = captured;
  bool gone = false;
  const auto scope = tenon::with_cancel(tenon::background());
  std::optional<tenon::after_func_handle> second;
  // Without a run the canceler itself calls the first, when it has taken both out of the context's list.
  const auto first = tenon::after_func(scope.ctx(), [&] {
    second.reset();
    gone = seen.expired();
  });
  second.emplace(tenon::after_func(scope.ctx(), [c = std::move(captured)] { ADD_FAILURE() << "taken back"; }));
  scope.cancel();
  EXPECT_TRUE(gone);
}

TEST(TickerPeriod, ThatTakesTheClockToItsEndTicksNoMore) {
  in_virtual_time([] {
    tenon::sleep_for(1h);
    const tenon::ticker half(std::chrono::nanoseconds::max() / 2 + 1ns);
    EXPECT_TRUE(half.c().recv());
    tenon::sleep_for(1h);
    EXPECT_EQ(tenon::select(tenon::recv(half.c()), tenon::otherwise), 1U);
  });
}

TEST(DeadlineText, OfOneBeforeAllTimesSaysSo) {
  const auto scope = tenon::with_deadline(tenon::background(), tenon::time_point::min());
  const std::string text = tenon::to_string(scope.ctx());
  EXPECT_TRUE(text.starts_with("context.Background.WithDeadline([-")) << text;
}

}  // namespace
