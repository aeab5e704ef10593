// Explored schedules: what is found, that it can be repeated, and how much there is to try.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::group;
using tenon::testing::explore;
using tenon::testing::explore_options;
using tenon::testing::explored;
using tenon::testing::strategy;
using tenon_test::ending;
using tenon_test::run_program;

std::string name_of(const testing::TestParamInfo<strategy>& info) {
  constexpr const char* names[] = {"random", "priorities", "exhaustive"};
  return names[static_cast<int>(info.param)];
}

class Explore : public testing::TestWithParam<strategy> {
 protected:
  /// As many schedules as a bug of two orderings needs, and far more.
  static explore_options options() { return {.by = GetParam(), .schedules = 2000, .time = 1h}; }

  static void finds(void (*program)(group&), const std::string& what) {
    try {
      explore(program, options());
      ADD_FAILURE() << "found nothing: " << what;
    } catch (const std::runtime_error& e) {
      EXPECT_EQ(e.what(), what);
    }
  }
  static void finds_nothing(void (*program)(group&)) {
    const explored e = explore(program, options());
    EXPECT_EQ(e.failure, "");
    EXPECT_EQ(e.all, GetParam() == strategy::exhaustive);
  }
};
INSTANTIATE_TEST_SUITE_P(By, Explore, testing::Values(strategy::random, strategy::priorities, strategy::exhaustive),
                         name_of);

// ---- what each of them finds -------------------------------------------------------------------------------------------

struct counter {
  tenon::mutex mu;
  int n = 0;
};

TEST_P(Explore, FindsAnUpdateThatIsLostBetweenTwoLocks) {
  finds(
      [](group& g) {
        const auto c = std::make_shared<counter>();
        for (int i = 0; i < 2; ++i) {
          g.go([c] {
            c->mu.lock();
            const int n = c->n;
            c->mu.unlock();
            const std::lock_guard hold(c->mu);
            c->n = n + 1;
          });
        }
        (void)g.wait();
        if (c->n != 2) throw std::runtime_error("lost");
      },
      "lost");
}

TEST_P(Explore, FindsNothingWhereTheUpdateIsOneStep) {
  finds_nothing([](group& g) {
    const auto c = std::make_shared<counter>();
    for (int i = 0; i < 2; ++i) {
      g.go([c] {
        const std::lock_guard hold(c->mu);
        ++c->n;
      });
    }
    (void)g.wait();
    if (c->n != 2) throw std::runtime_error("lost");
  });
}

TEST_P(Explore, FindsTheOrderOfTwoSenders) {
  finds(
      [](group& g) {
        const auto c = tenon::make_chan<int>(2, "nobody receives what comes second");
        for (const int i : {1, 2}) g.go([=] { c.send(i); });
        if (*c.recv() == 2) throw std::runtime_error("2 first");
      },
      "2 first");
}

TEST_P(Explore, FindsEachCaseOfASelectThatIsReady) {
  for (const std::size_t wanted : {0U, 1U, 2U}) {
    static std::size_t which;
    which = wanted;
    finds(
        [](group&) {
          const auto a = tenon::make_chan<int>(1);
          const auto b = tenon::make_chan<int>(1);
          const auto c = tenon::make_chan<int>(1);
          a.send(1);
          b.send(1);
          if (tenon::select(tenon::recv(a), tenon::recv(b), tenon::send(c, 1)) == which)
            throw std::runtime_error("that one");
        },
        "that one");
  }
}

TEST_P(Explore, FindsASignalThatNobodyWaitsForYet) {
  finds(
      [](group& g) {
        struct shared {
          tenon::mutex mu;
          tenon::cond woken;
          bool missed = true;
        };
        const auto s = std::make_shared<shared>();
        g.go([s](const context& ctx) {
          std::unique_lock hold(s->mu);
          s->missed = !s->woken.wait(hold, ctx);  // without a look at a condition
        });
        g.go([s] { s->woken.signal(); });
        tenon::sleep_for(1s);
        g.cancel();
        (void)g.wait();
        if (s->missed) throw std::runtime_error("missed");
      },
      "missed");
}

// The timeout comes although the work is done: it only takes longer than it.
TEST_P(Explore, FindsATimeoutThatComesWhileOthersCanRun) {
  finds(
      [](group& g) {
        const auto result = tenon::make_chan<int>(1);
        const auto late = tenon::after(1s);
        g.go([=] { result.send(1); });
        if (tenon::select(tenon::recv(result), tenon::recv(late)) == 1) throw std::runtime_error("late");
      },
      "late");
}

TEST_P(Explore, WithoutTimePassingATimeoutComesOnlyWhenAllWait) {
  explore_options o = options();
  o.time_passes = false;
  const explored e = explore(
      [](group& g) {
        const auto result = tenon::make_chan<int>();
        const auto late = tenon::after(1s);
        g.go([=] { result.send(1); });
        if (tenon::select(tenon::recv(result), tenon::recv(late)) == 1) throw std::runtime_error("late");
      },
      o);
  EXPECT_EQ(e.all, GetParam() == strategy::exhaustive);
}

TEST_P(Explore, FindsACancelBetweenALookAndAWait) {
  finds(
      [](group& g) {
        const auto scope = tenon::with_cancel(g.ctx());
        const context ctx = scope.ctx();
        const auto c = tenon::make_chan<int>(1);
        g.go([&scope] { scope.cancel(); });
        if (!ctx.is_canceled() && !c.send(ctx, 1)) throw std::runtime_error("canceled in between");
        (void)g.wait();
      },
      "canceled in between");
}

TEST_P(Explore, FindsWhatLiesBetweenTwoTouchesOfAnAtomic) {
  finds(
      [](group& g) {
        const auto n = std::make_shared<std::atomic<int>>(0);
        for (int i = 0; i < 2; ++i) {
          g.go([n] {
            tenon::testing::touch(n.get());
            const int seen = n->load();
            tenon::testing::touch(n.get());
            n->store(seen + 1);
          });
        }
        (void)g.wait();
        if (*n != 2) throw std::runtime_error("lost");
      },
      "lost");
}

// ---- a failure, and its repetition -------------------------------------------------------------------------------------

/// What stands after TENON_REPLAY= in the last line that has it.
std::string replay_in(const std::string& text) {
  const std::string mark = "TENON_REPLAY=";
  const std::size_t at = text.rfind(mark);
  if (at == std::string::npos) return {};
  return text.substr(at + mark.size(), text.find('\n', at) - at - mark.size());
}

/// The lines of the interleaving.
std::vector<std::string> operations_in(const std::string& text) {
  std::vector<std::string> found;
  for (const std::string& line : tenon_test::lines_of(text)) {
    if (line.starts_with("  goroutine ") || line.starts_with("  time passes")) found.push_back(line);
  }
  return found;
}

class ExploreProgram : public testing::TestWithParam<const char*> {};

constexpr const char* not_seen = "the emulator's own threads look like threads that may wake a goroutine";

TEST_P(ExploreProgram, SaysHowToRepeatWhatEndsIt) {
  if (GetParam() == std::string("crash") && tenon_test::sanitized()) GTEST_SKIP() << "a sanitizer answers the signal";
  if (std::string(GetParam()).starts_with("deadlock") && tenon_test::emulated()) GTEST_SKIP() << not_seen;
  const ending first = run_program("explore", {GetParam()});
  const std::string replay = replay_in(first.err);
  ASSERT_NE(replay, "") << first.describe();
  const ending again = run_program("explore", {GetParam()}, {{"TENON_REPLAY", replay}});
  EXPECT_EQ(again.status, first.status) << again.describe();
  EXPECT_EQ(again.signal, first.signal) << again.describe();
  EXPECT_EQ(replay_in(again.err), replay);
  EXPECT_EQ(operations_in(again.err), operations_in(first.err));
}
INSTANTIATE_TEST_SUITE_P(Of, ExploreProgram,
                         testing::Values("deadlock", "deadlock_random", "deadlock_priorities", "abort", "crash",
                                         "status", "endless"),
                         [](const auto& which) { return std::string(which.param); });

TEST(ExploreReport, ShowsWhoDidWhatInWhichOrder) {
  if (tenon_test::emulated()) GTEST_SKIP() << not_seen;
  const ending e = run_program("explore", {"deadlock"});
  EXPECT_EQ(e.status, 2);
  EXPECT_EQ(tenon_test::first_line(e.err), "fatal error: all goroutines are asleep - deadlock!");
  std::string last_locks;
  for (const std::string& line : operations_in(e.err)) {
    if (line.find(" lock mutex ") != std::string::npos)
      last_locks += line.substr(12, 1) + ":" + line.substr(28, 1) + " ";
    EXPECT_NE(line.find("explore.cpp:"), std::string::npos) << line;
  }
  // The first to lock numbers the mutex.
  EXPECT_EQ(last_locks, "2:1 3:2 3:1 2:2 ") << e.err;
}

TEST(ExploreReport, SaysThatAScheduleDoesNotEnd) {
  const ending e = run_program("explore", {"endless"});
  EXPECT_NE(tenon_test::first_line(e.err).find("a schedule has not ended after 2,000 operations"), std::string::npos)
      << e.describe();
}

// Nothing ever happens but that: the crossed locks are not reported as a deadlock, since the ticker could wake somebody.
TEST(ExploreReport, SaysThatAScheduleInWhichOnlyATickerGoesOnDoesNotEnd) {
  const ending e = run_program("explore", {"ticker"});
  EXPECT_NE(tenon_test::first_line(e.err).find("a ticker goes on while all wait"), std::string::npos) << e.describe();
  EXPECT_NE(replay_in(e.err), "");
}

TEST(ExploreReport, NamesTheCaseOfASelect) {
  testing::internal::CaptureStderr();
  explore(
      [](group&) {
        const auto a = tenon::make_chan<int>(1);
        const auto b = tenon::make_chan<int>(1);
        tenon::select(tenon::recv(a), tenon::recv(b), tenon::otherwise);
        b.send(1);
        tenon::select(tenon::recv(a), tenon::recv(b));
      },
      {.failed = [] { return true; }});
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_NE(err.find("select channel 1, 2: otherwise"), std::string::npos) << err;
  EXPECT_NE(err.find("select channel 1, 2: case 2"), std::string::npos) << err;
}

// PCT: the clock has the last priority once it has gone on; a goroutine that has yielded is before it.
TEST(ExplorePriorities, TimeDoesNotPassForEver) {
  const explored e = explore(
      [](group& g) {
        const tenon::ticker t(1ms);
        for (int i = 0; i < 3; ++i) g.go([] { tenon::yield(); });
        (void)g.wait();
      },
      {.by = strategy::priorities, .schedules = 200, .time = 1h});
  EXPECT_EQ(e.schedules, 200U);
}

TEST(ExploreReport, SaysThatAProgramDoesNotRepeatItself) {
  const ending e = run_program("explore", {"does_not_repeat"});
  EXPECT_NE(tenon_test::first_line(e.err).find("the program does not repeat itself"), std::string::npos)
      << e.describe();
}

TEST(ExploreReport, RefusesAReplayThatItDoesNotUnderstand) {
  for (const char* text : {"q1", "r1", "r1.0", "r1.2.3", "x1", "x1.2-", "p1.2", "r1.x", "r99999999999999999999999.1"}) {
    const ending e = run_program("explore", {"deadlock"}, {{"TENON_REPLAY", text}});
    EXPECT_EQ(e.status, 2) << text;
    EXPECT_EQ(e.err, std::string("tenon: TENON_REPLAY=") + text + ": not what an exploration has printed\n");
  }
}

TEST(ExploreReport, OfAScheduleThatFailsNoLongerSaysSo) {
  const ending e = run_program("explore", {"deadlock"}, {{"TENON_REPLAY", "x"}});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_NE(e.err.find("the schedule of TENON_REPLAY, without a failure"), std::string::npos) << e.err;
  EXPECT_EQ(replay_in(e.err), "x");
}

TEST(ExploreFailure, IsWhatTheOptionsSay) {
  static int schedules;
  schedules = 0;
  testing::internal::CaptureStderr();
  const explored e = explore([](group&) { ++schedules; }, {.failed = [] { return schedules == 7; }});
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_EQ(e.schedules, 7U);
  EXPECT_EQ(e.failure, "r1.7");
  EXPECT_NE(err.find("schedule 7: the test has failed"), std::string::npos) << err;
}

// ---- how much there is ------------------------------------------------------------------------------------------------

/// So many goroutines, each with so many operations on a lock of its own and then on one of all.
std::function<void(group&)> independent(int goroutines, int operations) {
  return [=](group& g) {
    for (int i = 0; i < goroutines; ++i) {
      g.go([=] {
        for (int k = 0; k < operations; ++k) {
          tenon::mutex mine;
          const std::lock_guard hold(mine);
        }
      });
    }
    (void)g.wait();
  };
}

TEST(ExploreExhaustive, TriesEachOrderOnce) {
  std::multiset<std::string> seen;
  const auto program = [&](group& g) {
    struct notes {
      std::mutex lock;  // not tenon's: it is no point at which another goroutine may go first
      std::string text;
    };
    const auto log = std::make_shared<notes>();
    for (const char who : {'a', 'b', 'c'}) {
      g.go([=] {
        const std::lock_guard hold(log->lock);
        log->text += who;
      });
    }
    (void)g.wait();
    seen.insert(log->text);
  };
  const explored e = explore(program, {.by = strategy::exhaustive, .schedules = 100'000, .time = 1h, .preemptions = 3});
  EXPECT_TRUE(e.all);
  const std::set<std::string> orders(seen.begin(), seen.end());
  EXPECT_EQ(orders, (std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"}));
}

// After a yield another one is to go first: a state in which that is so is another one.
TEST(ExploreExhaustive, LeavesOutNoOrderThatAYieldMakes) {
  std::set<std::string> seen[2];
  for (const bool prune : {false, true}) {
    const auto program = [&](group& g) {
      struct notes {
        std::mutex lock;
        std::string text;
      };
      const auto log = std::make_shared<notes>();
      const auto note = [log](char c) {
        tenon::testing::touch(log.get());
        const std::lock_guard hold(log->lock);
        log->text += c;
      };
      g.go([=] {
        note('a');
        tenon::yield();
        note('b');
      });
      g.go([=] {
        tenon::yield();
        note('c');
      });
      g.go([=] { note('d'); });
      (void)g.wait();
      seen[prune ? 1 : 0].insert(log->text);
    };
    EXPECT_TRUE(
        explore(program,
                {.by = strategy::exhaustive, .schedules = 1'000'000, .time = 1h, .preemptions = 0, .prune = prune})
            .all);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

TEST(ExploreExhaustive, LeavesOutWhatLeadsToTheSame) {
  const auto program = independent(2, 3);
  const explore_options every{
      .by = strategy::exhaustive, .schedules = 1'000'000, .time = 1h, .preemptions = 4, .prune = false};
  explore_options pruned = every;
  pruned.prune = true;
  const explored a = explore(program, every);
  const explored b = explore(program, pruned);
  EXPECT_TRUE(a.all);
  EXPECT_TRUE(b.all);
  EXPECT_LT(b.schedules * 2, a.schedules);
  EXPECT_EQ(a.pruned, 0U);
  EXPECT_GT(b.pruned, 0U);
}

TEST(ExploreExhaustive, TakesMorePreemptionsForMoreOrders) {
  std::size_t before = 0;
  for (const unsigned preemptions : {0U, 1U, 2U, 3U}) {
    const explored e = explore(
        independent(2, 1),
        {.by = strategy::exhaustive, .schedules = 1'000'000, .time = 1h, .preemptions = preemptions, .prune = false});
    EXPECT_TRUE(e.all);
    EXPECT_GT(e.schedules, before) << preemptions;
    before = e.schedules;
  }
}

TEST(ExploreExhaustive, ComesToAnEndWhereGoroutinesWaitInALoop) {
  const auto program = [](group& g) {
    struct shared {
      tenon::mutex mu;
      bool set = false;
    };
    const auto s = std::make_shared<shared>();
    g.go([s] {
      for (;;) {
        s->mu.lock();
        const bool set = s->set;
        s->mu.unlock();
        if (set) return;
        tenon::yield();
      }
    });
    g.go([s] {
      const std::lock_guard hold(s->mu);
      s->set = true;
    });
    (void)g.wait();
  };
  const explored e = explore(program, {.by = strategy::exhaustive, .schedules = 100'000, .time = 1h});
  EXPECT_TRUE(e.all) << e.schedules;
}

TEST(ExploreRandom, TakesTheSameCourseWithTheSameSeed) {
  const auto course = [](std::uint64_t seed, strategy by) {
    std::string log;
    explore(
        [&](group& g) {
          const auto c = tenon::make_chan<char>();
          for (const char who : {'a', 'b', 'c', 'd'}) g.go([=] { c.send(who); });
          for (int i = 0; i < 4; ++i) log += *c.recv();
          log += ' ';
        },
        {.by = by, .schedules = 20, .time = 1h, .seed = seed});
    return log;
  };
  for (const strategy by : {strategy::random, strategy::priorities}) {
    EXPECT_EQ(course(1, by), course(1, by));
    EXPECT_NE(course(1, by), course(2, by));
  }
}

TEST(ExploreOptions, NoMoreSchedulesThanWanted) {
  EXPECT_EQ(explore([] {}, {.schedules = 3}).schedules, 3U);
  EXPECT_EQ(explore([] {}, {.schedules = 0}).schedules, 1U) << "at least one";
  EXPECT_EQ(explore([] {}, {.schedules = 3, .time = 0s}).schedules, 1U);
}

TEST(ExploreTouch, DoesNothingElsewhere) {
  int n = 0;
  tenon::testing::touch(&n);
  tenon::run([&] { tenon::testing::touch(&n); });
}

}  // namespace
