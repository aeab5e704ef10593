// Cases from the field that turn on time: a deadline that meets a value, timers that expire unread, spans beyond the clock, tickers under
// load, and the end of a group. On the virtual clock, in many orders; with real threads they stand in test/stress and test/timing.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"
#include "support/random.hpp"
#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::context;
using tenon_test::in_virtual_time;
using tenon_test::random_source;
using tenon_test::stopwatch;

// ---- F3: a deadline that meets a value ----------------------------------------------------------------------------

enum class receive_by { context_form, select_with_after, select_with_done };

// One value, or nothing within 50 µs; `closed` when there will be none.
std::optional<int> receive_or_give_up(const tenon::chan<int>& c, receive_by how, bool& closed) {
  if (how == receive_by::select_with_after) {
    auto value = tenon::recv(c);
    auto late = tenon::recv(tenon::after(50us));
    tenon::select(value, late);
    closed = value.closed();
    return value && !closed ? std::optional(*value) : std::nullopt;
  }
  const auto scope = tenon::with_timeout(tenon::background(), 50us);
  if (how == receive_by::select_with_done) {
    auto value = tenon::recv(c);
    auto late = tenon::recv(scope.ctx().done());
    tenon::select(late, value);
    closed = value.closed();
    return value && !closed ? std::optional(*value) : std::nullopt;
  }
  const auto v = c.recv(scope.ctx());
  closed = !v && !scope.ctx().err();
  return v;
}

class FieldDeadline : public testing::TestWithParam<std::tuple<int, receive_by>> {};

// tokio#4618, asio#1041, kanal#50: what was sent was received or is still there, in order, however receives and their deadlines meet.
TEST_P(FieldDeadline, NoValueIsLostWhereAReceiveGivesUp) {
  const auto [capacity, how] = GetParam();
  int given_up = 0;
  int received = 0;
  in_virtual_time([&, capacity = capacity, how = how](std::uint64_t seed) {
    constexpr int n = 200;
    const auto c = tenon::make_chan<int>(capacity, "a parameter of the test");
    tenon::group g(tenon::background());
    g.go([&] {
      random_source random(seed);
      for (int i = 0; i < n; ++i) {
        // Often at the very moment at which the other side gives up.
        tenon::sleep_for(random.one_in(2) ? 50us * random.below(3) : nanoseconds(random.below(120'000)));
        c.send(i);
      }
      c.close();
    });
    int next = 0;
    for (bool closed = false; !closed;) {
      if (const auto v = receive_or_give_up(c, how, closed)) {
        EXPECT_EQ(*v, next);
        ++next;
      } else if (!closed) {
        ++given_up;
      }
    }
    EXPECT_EQ(next, n);
    received += next;
    EXPECT_FALSE(g.wait());
  });
  EXPECT_GT(given_up, received / 10) << "the deadlines hardly ever came first";
}

// The same on the other side: a send that gives up has not sent, and still has its value.
TEST_P(FieldDeadline, ASendThatGivesUpKeepsItsValue) {
  const auto [capacity, how] = GetParam();
  int kept = 0;
  in_virtual_time([&, capacity = capacity, how = how](std::uint64_t seed) {
    constexpr int n = 200;
    const auto c = tenon::make_chan<std::unique_ptr<int>>(capacity, "a parameter of the test");
    tenon::group g(tenon::background());
    std::vector<int> sent;
    g.go([&, how] {
      random_source random(seed);
      for (int i = 0; i < n; ++i) {
        auto value = std::make_unique<int>(i);
        bool went = false;
        if (how == receive_by::context_form) {
          const auto scope = tenon::with_timeout(tenon::background(), 50us);
          went = c.send(scope.ctx(), std::move(value));
        } else {
          auto to = tenon::send(c, std::move(value));
          auto late = tenon::recv(tenon::after(50us));
          tenon::select(to, late);
          went = static_cast<bool>(to);
          if (!went) value = to.take();
        }
        if (went) {
          sent.push_back(i);
        } else {
          ++kept;
          ASSERT_TRUE(value);  // NOLINT: a refused send leaves it
          EXPECT_EQ(*value, i);
        }
        if (random.one_in(3)) tenon::sleep_for(50us * random.below(3));
      }
      c.close();
    });
    random_source random(seed + 1000);
    std::vector<int> got;
    for (;;) {
      if (random.one_in(2)) tenon::sleep_for(50us * random.below(4));
      const auto v = c.recv();
      if (!v) break;
      got.push_back(**v);
    }
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(got, sent);
  });
  EXPECT_GT(kept, 0) << "the deadlines never came first";
}

std::string case_name(const testing::TestParamInfo<std::tuple<int, receive_by>>& info) {
  constexpr std::array names = {"Context", "SelectAfter", "SelectDone"};
  return std::to_string(std::get<0>(info.param)) + names.at(static_cast<std::size_t>(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Capacity, FieldDeadline,
                         testing::Combine(testing::Values(0, 1, 8),
                                          testing::Values(receive_by::context_form, receive_by::select_with_after,
                                                          receive_by::select_with_done)),
                         case_name);

// ---- F8: tickers beside others --------------------------------------------------------------------------------------

// fiber#203, silk#127: those who yield hold nobody's tick up.
TEST(FieldTicker, KeepsItsBeatBesideGoroutinesThatYield) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    std::atomic<bool> stop = false;
    g.go_n(10, [&](int i) {
      while (!stop) {
        for (int j = 0; j < 20; ++j) tenon::yield();
        tenon::sleep_for(1ms + i * 10us);
      }
    });
    const tenon::ticker t(10ms);
    for (int i = 1; i <= 20; ++i) {
      EXPECT_EQ(since.at(t.c().recv().value()), i * 10ms);
      EXPECT_EQ(since(), i * 10ms);
    }
    stop = true;
    EXPECT_FALSE(g.wait());
  });
}

// helio#299: ten thousand who wait for something else.
TEST(FieldTicker, KeepsItsBeatBesideManyParkedGoroutines) {
  const std::size_t n = tenon_test::scaled_goroutines(10000);
  in_virtual_time(
      [n](tenon::group& g) {
        const stopwatch since;
        const auto over = tenon::make_chan<void>();
        for (std::size_t i = 0; i < n; ++i) {
          if (i % 2 == 0) {
            g.go([over] { (void)over.recv(); });
          } else {
            g.go([&g] { EXPECT_FALSE(tenon::sleep_for(g.ctx(), 1000h)); });
          }
        }
        const tenon::ticker t(1s);
        for (int i = 1; i <= 3600; ++i) ASSERT_EQ(since.at(t.c().recv().value()), i * 1s);
        EXPECT_EQ(since(), 1h);
        over.close();
        g.cancel();
        EXPECT_FALSE(g.wait());
        EXPECT_EQ(since(), 1h);
      },
      1);
}

// ---- F9: a timer that expires unread ----------------------------------------------------------------------------------

// golang/go#37196
TEST(FieldTimer, ResetAfterItExpiredUnreadLeavesNoTickOfBefore) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::timer t(1ms);
    tenon::sleep_for(1s);
    EXPECT_EQ(t.c().len(), 0U);
    EXPECT_EQ(t.c().cap(), 0U);
    EXPECT_TRUE(t.reset(1h)) << "its tick was unread";
    EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(tenon::after(1min))), 1U) << "a tick of before the reset";
    EXPECT_EQ(since.at(t.c().recv().value()), 1h + 1s);
    EXPECT_FALSE(t.stop());
  });
}

// golang/go#11513: everybody who stops or resets it, and everybody who receives, at the moment at which it fires. Each expiry is answered
// for once: by a receive, or by a stop or reset that returned true.
TEST(FieldTimer, AtTheMomentItFiresOneGetsIt) {
  int taken = 0;
  int stopped = 0;
  in_virtual_time([&](std::uint64_t seed) {
    random_source random(seed);
    for (int round = 0; round < 20; ++round) {
      const stopwatch since;
      const tenon::timer t(1ms);
      const bool waits = random.one_in(2);  // in the channel already
      const bool resets = random.one_in(2);
      int ticks = 0;
      int stops = 0;
      tenon::group g(tenon::background());
      g.go([&] {
        if (!waits) tenon::sleep_for(1ms);
        auto tick = tenon::recv(t.c());
        auto late = tenon::recv(tenon::after(1s));
        tenon::select(tick, late);
        if (!tick) return;
        EXPECT_EQ(since.at(*tick), 1ms);
        ++ticks;
      });
      g.go([&] {
        tenon::sleep_for(1ms);
        if (resets ? t.reset(1h) : t.stop()) ++stops;
      });
      EXPECT_FALSE(g.wait());
      EXPECT_EQ(ticks + stops, 1);
      EXPECT_TRUE(!waits || ticks == 1) << "somebody waited: the tick was his";
      taken += ticks;
      stopped += stops;
      EXPECT_EQ(t.stop(), resets);
      EXPECT_FALSE(t.c().try_recv());
    }
  });
  EXPECT_GT(taken, 0);
  EXPECT_GT(stopped, 0);
}

// The same for a function: it runs, or somebody kept it from running.
TEST(FieldTimer, AtTheMomentItFiresItsFunctionRunsOrIsTakenBack) {
  in_virtual_time([](tenon::group& g) {
    g.go_n(50, [](int i) {
      int ran = 0;
      bool stopped = false;
      {
        const tenon::timer t(1ms, [&] { ++ran; });
        tenon::sleep_for(1ms - i % 2 * 1ns);
        stopped = i % 3 == 0 ? t.reset(1h) : t.stop();
        if (stopped) tenon::sleep_for(10ms);
      }
      EXPECT_EQ(ran, stopped ? 0 : 1);
      EXPECT_EQ(stopped, i % 2 == 1);
    });
  });
}

// ---- F10: spans and moments beyond the clock ----------------------------------------------------------------------------

class FieldSpan : public testing::TestWithParam<nanoseconds> {};

// tokio#7193, tokio#8384: what is not positive has passed, what is huge never comes, and each can be canceled.
TEST_P(FieldSpan, IsOverAtOnceOrNeverAndCanBeCanceled) {
  const nanoseconds d = GetParam();
  const bool over = d <= 0ns;
  in_virtual_time([d, over](tenon::group& g) {
    const stopwatch since;
    const auto scope = tenon::with_cancel(g.ctx());
    g.go([&] {
      EXPECT_EQ(tenon::sleep_for(scope.ctx(), d), over);
      EXPECT_EQ(since(), over ? 0ns : 20ms);
    });
    g.go([&] {
      const bool ended = tenon::sleep_until(scope.ctx(), over ? tenon::time_point(d) : tenon::time_point::max());
      EXPECT_EQ(ended, over);
      EXPECT_EQ(since(), over ? 0ns : 20ms);
    });
    g.go([&] {
      auto tick = tenon::recv(tenon::after(d));
      auto stop = tenon::recv(scope.ctx().done());
      tenon::select(tick, stop);
      EXPECT_EQ(static_cast<bool>(tick), over);
      EXPECT_EQ(since(), over ? 0ns : 20ms);
    });
    g.go([&] {
      const auto timeout = tenon::with_timeout(scope.ctx(), d);
      (void)timeout.ctx().done().recv();
      EXPECT_EQ(timeout.ctx().err(), over ? tenon::deadline_exceeded() : tenon::canceled());
      EXPECT_EQ(since(), over ? 0ns : 20ms);
    });
    g.go([&] {
      const auto when = over ? tenon::time_point(d) : tenon::time_point::max();
      const auto deadline = tenon::with_deadline(scope.ctx(), when);
      EXPECT_EQ(deadline.ctx().deadline(), when);
      (void)deadline.ctx().done().recv();
      EXPECT_EQ(deadline.ctx().err(), over ? tenon::deadline_exceeded() : tenon::canceled());
      EXPECT_EQ(since(), over ? 0ns : 20ms);
    });
    g.go([&] {
      bool ran = false;
      const tenon::timer t(d, [&] { ran = true; });
      tenon::sleep_for(20ms);
      EXPECT_EQ(ran, over);
      EXPECT_EQ(t.stop(), !over);
      EXPECT_FALSE(t.reset(d));
      EXPECT_TRUE(t.reset(d)) << "again, at the same moment";
      EXPECT_TRUE(t.stop());
    });
    tenon::sleep_for(20ms);
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 20ms);
  });
}

std::string span_name(const testing::TestParamInfo<nanoseconds>& info) {
  constexpr std::array names = {"Min", "MinusOne", "Zero", "HalfOfMax", "MaxLessOne", "Max"};
  return names.at(info.index);
}

INSTANTIATE_TEST_SUITE_P(Of, FieldSpan,
                         testing::Values(nanoseconds::min(), nanoseconds(-1), nanoseconds(0), nanoseconds::max() / 2,
                                         nanoseconds::max() - nanoseconds(1), nanoseconds::max()),
                         span_name);

// Go: time/sleep_test.go TestOverflowPeriodRuntimeTimer
TEST(FieldTicker, APeriodBeyondTheClockNeverComes) {
  in_virtual_time([] {
    const stopwatch since;
    const tenon::ticker t(nanoseconds::max());
    const tenon::ticker moved(1ms);
    moved.reset(nanoseconds::max() - 1ns);
    EXPECT_EQ(tenon::select(tenon::recv(t.c()), tenon::recv(moved.c()), tenon::recv(tenon::after(20ms))), 2U);
    t.stop();
    t.reset(1ms);
    EXPECT_EQ(since.at(t.c().recv().value()), 21ms);
  });
}

TEST(FieldTicker, APeriodOfNothingPanicsAndChangesNothing) {
  in_virtual_time([] {
    const stopwatch since;
    for (const nanoseconds d : {nanoseconds::min(), -1ns, 0ns}) {
      EXPECT_PANIC(tenon::ticker t(d), "non-positive interval for NewTicker");
    }
    const tenon::ticker t(1ms);
    for (const nanoseconds d : {nanoseconds::min(), -1ns, 0ns}) {
      EXPECT_PANIC(t.reset(d), "non-positive interval for Ticker.Reset");
    }
    EXPECT_EQ(since.at(t.c().recv().value()), 1ms);
  });
}

// ---- F21: a group and its end ---------------------------------------------------------------------------------------------

// golang/go#57534
TEST(FieldGroup, ItsContextIsCanceledAfterTheWait) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    tenon::group g(root);
    g.go([] { tenon::sleep_for(3s); });
    g.go([] { tenon::sleep_for(5s); });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(since(), 5s);
    EXPECT_EQ(g.ctx().err(), tenon::canceled());
    bool ran = false;
    g.go([&](const context& c) {  // it may be used further, under a context that is over
      EXPECT_FALSE(tenon::sleep_for(c, 1h));
      ran = true;
    });
    EXPECT_FALSE(g.wait());
    EXPECT_TRUE(ran);
    EXPECT_EQ(since(), 5s);
    EXPECT_FALSE(root.err());
  });
}

// Between `go` and `wait` something throws, or returns: the members are told, and waited for.
TEST(FieldGroup, AReturnBeforeTheWaitCancelsAndWaits) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    int ended = 0;
    const auto work = [&] {
      tenon::group g(root);
      g.go_n(5, [&](const context& c, int i) {
        EXPECT_FALSE(tenon::sleep_for(c, 1h));
        tenon::sleep_for(i * 1s);  // what there is to tidy up
        ++ended;
      });
      tenon::sleep_for(10s);
      throw std::runtime_error("no more");
    };
    EXPECT_THROW(work(), std::runtime_error);
    EXPECT_EQ(ended, 5);
    EXPECT_EQ(since(), 14s);
  });
}

// golang/go#59355: who starts members in a loop sees that one has failed.
TEST(FieldGroup, TheLoopThatStartsThemSeesTheCancel) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    tenon::group g(root);
    g.set_limit(2);
    int started = 0;
    while (!g.ctx().is_canceled() && started < 1000) {
      g.go([i = started++](const context& c) -> tenon::error {
        if (i == 7) return tenon::error(std::string("the seventh"));
        return tenon::sleep_for(c, 1s) ? nullptr : c.err();
      });
    }
    EXPECT_EQ(g.wait().message(), "the seventh");
    EXPECT_EQ(tenon::cause(g.ctx()).message(), "the seventh");
    EXPECT_LE(started, 10);
    EXPECT_EQ(since(), 3s);
  });
}

// A member of a limited group that starts another one keeps its own place meanwhile.
TEST(FieldGroup, AMemberMayStartAnotherUnderALimitOfTwo) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    tenon::group g(root);
    g.set_limit(2);
    std::vector<std::string> done;
    g.go([&] {
      tenon::sleep_for(1s);
      g.go([&] {
        tenon::sleep_for(1s);
        done.emplace_back("inner");
      });
      EXPECT_FALSE(g.try_go([] { ADD_FAILURE() << "a third one"; }));
      tenon::sleep_for(2s);
      done.emplace_back("outer");
    });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(done, (std::vector<std::string>{"inner", "outer"}));
    EXPECT_EQ(since(), 3s);
  });
}

// The first of three that has an answer wins, and the others stop.
TEST(FieldGroup, TheFirstOfThreeWins) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    const auto ask = [](const context& c, int replica) -> std::optional<int> {
      if (!tenon::sleep_for(c, (replica * 2 + 1) % 3 * 1s + 1s)) return std::nullopt;  // 2 s, 1 s, 3 s
      return replica;
    };
    const auto first_answer = [&]() -> std::optional<int> {
      tenon::group g(root);
      const auto answers = tenon::make_chan<int>();
      g.go_n(3, [&](const context& c, int i) {
        if (const auto a = ask(c, i)) (void)answers.send(c, *a);
      });
      return answers.recv();  // the group's end cancels the others
    };
    EXPECT_EQ(first_answer(), 1);
    EXPECT_EQ(since(), 1s);
  });
}

// Results in the order of the questions, whoever ends first; the first failure is the one that counts, in time and not in number.
TEST(FieldGroup, ResultsAreInOrderAndTheFirstFailureCounts) {
  in_virtual_time([](const context& root) {
    const stopwatch since;
    const auto all = [&](int fails_from) {
      std::vector<int> results(10);
      tenon::group g(root);
      g.go_n(10, [&](const context& c, int i) -> tenon::error {
        if (!tenon::sleep_for(c, (10 - i) * 1s)) return c.err();
        if (i >= fails_from) return tenon::error("no " + std::to_string(i));
        results[static_cast<std::size_t>(i)] = i * i;
        return nullptr;
      });
      const tenon::error e = g.wait();
      return std::pair(e, results);
    };
    const auto [fine, squares] = all(10);
    EXPECT_FALSE(fine) << fine.message();
    EXPECT_EQ(squares, (std::vector<int>{0, 1, 4, 9, 16, 25, 36, 49, 64, 81}));
    EXPECT_EQ(since(), 10s);
    EXPECT_EQ(all(3).first.message(), "no 9");
    EXPECT_EQ(since(), 11s);
  });
}

}  // namespace
