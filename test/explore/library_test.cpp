// What is built on the primitives, each in a small program whose order matters, in every order.
//
// long: one program for each way in which a type is used by several

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

#include "explore/explored.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::group;
using tenon::make_chan;
using tenon::testing::touch;
using tenon_test::one_at_a_time;
using tenon_test::require;
using tenon_test::wait_for_all;

class ExploreLibrary : public tenon_test::Explored {};
INSTANTIATE_TEST_SUITE_P(By, ExploreLibrary, tenon_test::each_strategy(), tenon_test::Explored::name_of);

// ---- group

TEST_P(ExploreLibrary, TheFirstErrorOfAGroupWinsAndCancelsTheOthers) {
  holds("group.first_error", [](group& root) {
    const tenon::error a("a");
    const tenon::error b("b");
    tenon::error cause;
    bool canceled = false;
    group g(root.ctx());
    g.go([&] { return a; });
    g.go([&] { return b; });
    g.go([&](const context& ctx) {
      (void)ctx.done().recv();
      canceled = true;
      cause = tenon::cause(ctx);
      return ctx.err();
    });
    const tenon::error first = g.wait();
    require(first == a || first == b, "not what a member has failed with");
    require(canceled && cause == first, "canceled for another reason");
    require(g.wait() == first, "another failure at the second look");
  });
}

TEST_P(ExploreLibrary, AnExceptionOfAMemberIsItsGroupsFailure) {
  holds("group.exception", [](group& root) {
    group g(root.ctx());
    g.go([] { throw std::logic_error("as wanted"); });
    g.go([](const context& ctx) {
      (void)ctx.done().recv();
      return ctx.err();
    });
    bool thrown = false;
    try {
      const tenon::error e = g.wait();
      require(static_cast<bool>(e), "no failure");
      e.rethrow();
    } catch (const std::logic_error&) {
      thrown = true;
    }
    require(thrown, "another failure");
  });
}

TEST_P(ExploreLibrary, AWaitForAGroupEndsWithItsMembersOrWithACancel) {
  holds("group.wait_or_cancel", [](group& root) {
    const tenon::error failed("failed");
    const auto scope = tenon::with_cancel(root.ctx());
    bool ended = false;
    group g(root.ctx());
    g.go([&] {
      touch(&ended);
      ended = true;
      return failed;
    });
    const auto canceler = tenon::go([&] { scope.cancel(); });
    const tenon::error e = g.wait(scope.ctx());
    require(e == failed || e == tenon::canceled(), "another error");
    if (e == failed) require(ended, "not at its end");
    require(g.wait() == failed && ended, "the failure is lost");
  });
}

TEST_P(ExploreLibrary, AGroupThatIsDestroyedCancelsAndWaits) {
  holds("group.destroyed", [](group& root) {
    std::array<bool, 2> ended{};
    {
      group g(root.ctx());
      g.go([&](const context& ctx) {
        (void)ctx.done().recv();
        touch(&ended[0]);
        ended[0] = true;
      });
      g.go([&] {
        touch(&ended[1]);
        ended[1] = true;
      });
    }
    require(ended[0] && ended[1], "a member goes on without its group");
  });
}

TEST_P(ExploreLibrary, NeverAreMoreMembersActiveThanTheLimit) {
  holds("group.limit", [](group& root) {
    int active = 0;
    int ran = 0;
    group g(root.ctx());
    g.set_limit(2);
    for (int i = 0; i < 3; ++i) {
      g.go([&] {
        touch(&active);
        require(++active <= 2, "more than the limit");
        ++ran;
        touch(&active);
        --active;
      });
    }
    if (const tenon::error e = g.wait()) e.rethrow();
    require(ran == 3, "a member did not run");
  });
}

TEST_P(ExploreLibrary, ATryGoStartsAMemberOrLeavesTheFunction) {
  holds("group.try_go", [](group& root) {
    one_at_a_time room;
    std::array<bool, 2> started{};
    group g(root.ctx());
    g.set_limit(1);
    for (bool& mine : started) {
      root.go([&] {
        auto f = [&room, kept = std::make_unique<int>(1)] { room.visit(); };
        mine = g.try_go(std::move(f));
      });
    }
    wait_for_all(root);
    if (const tenon::error e = g.wait()) e.rethrow();
    require(started[0] || started[1], "no room where nobody was");
    require(room.visits == int{started[0]} + int{started[1]}, "started and did not run, or the other way round");
  });
}

TEST_P(ExploreLibrary, AGroupWithAHandlerGivesEachFailureToItAndGoesOn) {
  holds("group.handler", [](group& root) {
    const tenon::error a("a");
    const tenon::error b("b");
    tenon::mutex mu;
    std::vector<tenon::error> failures;
    bool canceled = false;
    group g(root.ctx(), [&](const tenon::error& e) {
      const std::lock_guard hold(mu);
      failures.push_back(e);
    });
    g.go([&] { return a; });
    g.go([&] { return b; });
    g.go([&](const context& ctx) { canceled = ctx.is_canceled(); });
    const tenon::error e = g.wait();
    require(!e, "a failure although there is a handler");
    require(!canceled, "a failure has canceled the others");
    require(failures.size() == 2, "lost, or twice");
    require((failures[0] == a && failures[1] == b) || (failures[0] == b && failures[1] == a), "another failure");
  });
}

TEST_P(ExploreLibrary, AFinishLetsMembersEndWithinTheGraceAndStopsTheOthers) {
  holds("group.finish", [](group& root) {
    const tenon::time_point began = tenon::now();
    std::array<bool, 2> ended{};
    bool in_time = false;
    tenon::time_point woke;
    root.go([&](const context& ctx) {
      in_time = tenon::sleep_for(ctx, 1ms);
      woke = tenon::now();
      ended[0] = true;
    });
    root.go([&](const context& ctx) {
      (void)ctx.done().recv();
      ended[1] = true;
      return ctx.err();
    });
    const tenon::error e = root.finish(2ms);
    require(!e, "told to stop, and called a failure");
    require(ended[0] && ended[1], "not at their end");
    require(in_time || woke >= began + 2ms, "stopped within the grace");
  });
}

TEST_P(ExploreLibrary, AFailureWithinTheGraceIsWhatAFinishReturns) {
  holds("group.finish_fails", [](group& root) {
    const tenon::error failed("failed");
    bool ended = false;
    root.go([&] {
      tenon::sleep_for(1ms);
      return failed;
    });
    root.go([&](const context& ctx) {
      (void)ctx.done().recv();
      ended = true;
      return ctx.err();
    });
    const tenon::error e = root.finish(1ms);
    // The grace may be over first: then the second one was told to stop, and the first fails all the same.
    require(e == failed, "the failure is lost");
    require(ended, "not at its end");
  });
}

// ---- stages

tenon::recv_chan<int> numbers(group& g, int n) {
  return g.produce<int>([n](tenon::sender<int>& out, const context& ctx) -> tenon::error {
    for (int i = 1; i <= n; ++i) {
      if (!out.send(ctx, i)) break;
    }
    return ctx.err();
  });
}

tenon::recv_chan<int> squares(group& g, const tenon::recv_chan<int>& in) {
  return g.produce<int>([in](tenon::sender<int>& out, const context& ctx) -> tenon::error {
    for (const int n : in.range(ctx)) {
      if (!out.send(ctx, n * n)) break;
    }
    return ctx.err();
  });
}

TEST_P(ExploreLibrary, StagesDeliverAllInOrderAndEnd) {
  holds("stages.all", [](group& root) {
    group g(root.ctx());
    std::vector<int> got;
    for (const int n : squares(g, numbers(g, 3))) got.push_back(n);
    const tenon::error e = g.wait();
    require(!e, "a failure");
    require(got == std::vector<int>{1, 4, 9}, "lost, twice or out of order");
  });
}

TEST_P(ExploreLibrary, StagesEndWhenTheirConsumerStopsEarly) {
  holds("stages.stop_early", [](group& root) {
    group g(root.ctx());
    const auto out = squares(g, numbers(g, 3));
    const std::optional<int> first = out.recv();
    g.cancel();
    const tenon::error e = g.wait();
    require(first == 1, "not the first");
    require(!e, "told to stop, and called a failure");
    std::vector<int> rest;
    for (const int n : out) rest.push_back(n);
    require(rest.empty(), "a value although nobody sends");
  });
}

TEST_P(ExploreLibrary, AFailureOfAStageIsThereBeforeItsOutputEnds) {
  holds("stages.failure", [](group& root) {
    const tenon::error failed("failed");
    group g(root.ctx());
    const auto out = g.produce<int>([&](tenon::sender<int>& to, const context& ctx) {
      (void)to.send(ctx, 1);
      return failed;
    });
    int n = 0;
    while (out.recv()) ++n;
    const tenon::error cause = tenon::cause(g.ctx());
    const tenon::error e = g.wait();
    require(n == 1, "lost, or twice");
    require(cause == failed && e == failed, "the output ended before the failure was known");
  });
}

TEST_P(ExploreLibrary, TheLastOfSeveralStagesEndsTheirOutput) {
  holds("stages.several", [](group& root) {
    group g(root.ctx());
    const auto in = numbers(g, 2);
    const auto out = g.produce_n<int>(2, [in](tenon::sender<int>& to, const context& ctx) {
      for (const int n : in.range(ctx)) {
        if (!to.send(ctx, n)) break;
      }
      return ctx.err();
    });
    int sum = 0;
    for (const int n : out) sum += n;
    const tenon::error e = g.wait();
    require(!e && sum == 3, "lost, or twice");
  });
}

// ---- pipeline

/// Closed, so that no goroutine is needed that sends them.
tenon::recv_chan<int> ready_numbers(int n) {
  const auto c = make_chan<int>(n, "room for all");
  for (int i = 1; i <= n; ++i) c.send(i);
  c.close();
  return c;
}

TEST_P(ExploreLibrary, AStageWithWorkersKeepsTheOrder) {
  holds("pipeline.ordered", [](group& root) {
    tenon::pipeline p(root.ctx());
    const auto out = p.transform({.workers = 2}, ready_numbers(2), [](int n) { return n * n; });
    std::vector<int> got;
    for (const int n : out) got.push_back(n);
    const tenon::error e = p.wait();
    require(!e, "a failure");
    require(got == std::vector<int>{1, 4}, "lost, twice or out of order");
  });
}

TEST_P(ExploreLibrary, APipelineWhoseConsumerStopsEarlyEnds) {
  holds("pipeline.stop_early", [](group& root) {
    std::optional<int> first;
    {
      tenon::pipeline p(root.ctx());
      first = p.transform({.workers = 2}, ready_numbers(2), [](int n) { return n * n; }).recv();
    }
    require(first == 1, "not the first");
  });
}

TEST_P(ExploreLibrary, AFailureInAPipelineEndsItsStages) {
  holds("pipeline.failure", [](group& root) {
    tenon::pipeline p(root.ctx());
    const auto in = p.generate<int>([](auto& emit) {
      for (int n = 1; emit(n); ++n) {
      }
    });
    p.for_each(in, [](int n) { return n == 2 ? tenon::error("failed") : tenon::error(); });
    const tenon::error e = p.wait();
    require(e && e.message() == "failed", "another failure");
  });
}

// ---- singleflight

using flights = tenon::singleflight<int, int>;

TEST_P(ExploreLibrary, CallsAtTheSameTimeShareOneFlight) {
  holds("singleflight.share", [](group& g) {
    flights air;
    int runs = 0;
    std::array<flights::result, 2> got{};
    for (auto& mine : got) {
      g.go([&] {
        mine = air.call(1, [&] {
          const int n = ++runs;
          touch(&runs);
          require(n == runs, "two at a time");
          return n;
        });
      });
    }
    wait_for_all(g);
    if (runs == 1) {
      require(got[0].value == 1 && got[1].value == 1, "not its result");
      require(got[0].shared && got[1].shared, "shared, and not said so");
    } else {
      require(runs == 2 && got[0].value + got[1].value == 3, "not their results");
      require(!got[0].shared && !got[1].shared, "not shared, and said so");
    }
  });
}

TEST_P(ExploreLibrary, AllOnAFlightThatFailsGetTheException) {
  holds("singleflight.failure", [](group& g) {
    flights air;
    int runs = 0;
    std::array<int, 2> caught{};
    for (int& mine : caught) {
      g.go([&] {
        try {
          (void)air.call(1, [&]() -> int {
            ++runs;
            touch(&runs);
            throw std::logic_error(std::to_string(runs));
          });
        } catch (const std::logic_error& e) {
          mine = std::stoi(e.what());
        }
      });
    }
    wait_for_all(g);
    require(runs == 1 || runs == 2, "another number of flights");
    require(caught[0] + caught[1] == (runs == 1 ? 2 : 3), "an exception that is not that of the flight");
  });
}

TEST_P(ExploreLibrary, APassengerThatGivesUpLeavesTheFlightAlone) {
  holds("singleflight.gives_up", [](group& g) {
    flights air;
    int runs = 0;
    const auto scope = tenon::with_cancel(g.ctx());
    const auto f = [&] {
      const int n = ++runs;
      touch(&runs);
      require(n == runs, "two at a time");
      return n;
    };
    g.go([&] {
      const flights::result r = air.call(1, f);
      require(r.value == 1 || r.value == 2, "not a result");
    });
    g.go([&] {
      if (const auto r = air.call(scope.ctx(), 1, f)) {
        require(r->value == 1 || r->value == 2, "not a result");
      } else {
        require(scope.ctx().is_canceled(), "gave up without a reason");
      }
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(runs == 1 || runs == 2, "another number of flights");
  });
}

TEST_P(ExploreLibrary, ACallByChannelDeliversOnceToEach) {
  holds("singleflight.call_chan", [](group& g) {
    int runs = 0;
    std::array<flights::outcome, 2> got;
    {
      flights air;
      const auto f = [&] {
        touch(&runs);
        return ++runs;
      };
      g.go([&] { got[0] = *air.call_chan(1, f).recv(); });
      g.go([&] { got[1].value = air.call(1, f).value; });
      wait_for_all(g);
    }
    require(runs == 1 || runs == 2, "another number of flights");
    require(got[0].value && !got[0].err, "a failure");
    require(*got[0].value + *got[1].value == (runs == 1 ? 2 : 3), "not its result");
  });
}

// ---- promise

TEST_P(ExploreLibrary, AWaitThatGivesUpLeavesThePromise) {
  holds("promise.set_or_cancel", [](group& g) {
    tenon::promise<int> p;
    const auto scope = tenon::with_cancel(g.ctx());
    bool got = false;
    g.go([set = p.setter()] {
      touch(&set);
      require(set(1), "settled before");
    });
    g.go([&] {
      const auto r = p.wait(scope.ctx());
      got = static_cast<bool>(r);
      if (got) require(*r == 1, "another value");
      if (!got) require(r.err() == tenon::canceled(), "gave up without a reason");
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    if (got) return;
    const auto later = p.wait();
    require(later && *later == 1, "lost");
  });
}

TEST_P(ExploreLibrary, TheFirstToSettleAPromiseCounts) {
  holds("promise.two_setters", [](group& g) {
    tenon::promise<int> p;
    const tenon::error failed("failed");
    std::array<bool, 2> settled{};
    const auto set = p.setter();
    g.go([&] {
      touch(&set);
      settled[0] = set(1);
    });
    g.go([&] {
      touch(&set);
      settled[1] = set.fail(failed);
    });
    const auto r = p.wait();
    wait_for_all(g);
    require(settled[0] != settled[1], "both, or neither");
    require(settled[0] ? r && *r == 1 : !r && r.err() == failed, "not the outcome of the first");
  });
}

TEST_P(ExploreLibrary, APromiseIsBrokenOnlyIfNobodySetsIt) {
  holds("promise.broken", [](group& g) {
    tenon::promise<int> p;
    bool set_it = false;
    {
      auto set = p.setter();
      g.go([&, set] {
        touch(&set_it);
        set_it = set(1);
      });
      g.go([set = std::move(set)] {});
    }
    const auto r = p.wait();
    wait_for_all(g);
    require(set_it && r && *r == 1, "broken although it was set");
    tenon::promise<int> other;
    g.go([set = other.setter()] { touch(&set); });
    const auto none = other.wait();
    require(!none && none.err().is(std::future_errc::broken_promise), "not broken although nobody could set it");
  });
}

// ---- maps

TEST_P(ExploreLibrary, OneOfTwoStoresAndBothGetItsValue) {
  holds("concurrent_map.load_or_store", [](group& g) {
    tenon::concurrent_map<int, int> map;
    std::array<std::pair<int, bool>, 2> got;
    for (const int i : {0, 1}) g.go([&, i] { got[static_cast<std::size_t>(i)] = map.load_or_store(1, i); });
    g.go([&] {
      const auto seen = map.load(1);
      require(!seen || seen == map.load(1), "another value than before");
    });
    wait_for_all(g);
    require(got[0].second != got[1].second, "stored by both, or by neither");
    require(got[0].first == got[1].first && map.load(1) == got[0].first, "two values");
  });
}

TEST_P(ExploreLibrary, ACompareAndSwapLosesNoUpdate) {
  holds("concurrent_map.compare_and_swap", [](group& g) {
    tenon::concurrent_map<int, int> map;
    map.store(1, 0);
    for (int i = 0; i < 3; ++i) {
      g.go([&] {
        for (int n = *map.load(1); !map.compare_and_swap(1, n, n + 1);) n = *map.load(1);
      });
    }
    wait_for_all(g);
    require(map.load(1) == 3, "an update is lost");
  });
}

TEST_P(ExploreLibrary, AKeyIsErasedByOne) {
  holds("concurrent_map.erase", [](group& g) {
    tenon::concurrent_map<int, int> map;
    map.store(1, 7);
    std::array<std::optional<int>, 2> had;
    for (auto& mine : had) g.go([&] { mine = map.load_and_erase(1); });
    g.go([&] { map.range([](int key, int value) { require(key == 1 && value == 7, "what was never stored"); }); });
    wait_for_all(g);
    require(had[0].has_value() != had[1].has_value(), "erased by both, or by neither");
    require(map.size() == 0, "still there");
  });
}

// The check is fatal where two are at it.
TEST_P(ExploreLibrary, ACheckedMapUnderALockIsUsedByOneAtATime) {
  holds("checked_map.locked", [](group& g) {
    tenon::mutex mu;
    tenon::checked_map<int, int> map;
    for (int i = 0; i < 2; ++i) {
      g.go([&] {
        const std::lock_guard hold(mu);
        map.update(1, [](int& n) {
          touch(&n);
          ++n;
        });
      });
    }
    g.go([&] {
      const std::lock_guard hold(mu);
      map.range([&](int, int n) {
        touch(&map);
        require(n == 1 || n == 2, "what was never stored");
      });
    });
    wait_for_all(g);
    require(map.load(1) == 2, "an update is lost");
  });
}

// ---- pool

TEST_P(ExploreLibrary, APoolLendsAnObjectToOneAtATime) {
  holds("pool.borrow", [](group& g) {
    int made = 0;
    tenon::pool<one_at_a_time> pool([&] {
      touch(&made);
      ++made;
      return std::make_unique<one_at_a_time>();
    });
    int visits = 0;
    for (int i = 0; i < 2; ++i) {
      g.go([&] {
        for (int k = 0; k < 2; ++k) {
          touch(&pool);
          const auto object = pool.borrow();
          object->visit();
          touch(&pool);
        }
      });
    }
    wait_for_all(g);
    require(made == 1 || made == 2, "more objects than borrowers");
    require(pool.idle() == static_cast<std::size_t>(made), "an object is lost");
    for (int i = 0; i < made; ++i) visits += pool.get()->visits;
    require(visits == 4, "a visit is missing");
  });
}

// ---- rate_limiter

TEST_P(ExploreLibrary, AWaitForALimitThatGivesUpGivesItsTokenBack) {
  holds("rate_limiter.wait_or_cancel", [](group& g) {
    constexpr auto interval = 125ms;  // eight a second: a binary fraction
    tenon::rate_limiter limit(tenon::every(interval), 1);
    const auto scope = tenon::with_cancel(g.ctx());
    const tenon::time_point began = tenon::now();
    std::array<std::optional<tenon::time_point>, 2> passed;
    g.go([&] {
      const tenon::error e = limit.wait(g.ctx());
      require(!e, "failed without a reason");
      passed[0] = tenon::now();
    });
    g.go([&] {
      const tenon::error e = limit.wait(scope.ctx());
      if (!e) passed[1] = tenon::now();
      if (e) require(e == tenon::canceled() && scope.ctx().is_canceled(), "gave up without a reason");
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    if (passed[1]) require(std::max(*passed[0], *passed[1]) >= began + interval, "two within the time of one");
    tenon::sleep_for(interval);
    require(limit.allow(), "the token of the one that gave up is lost");
    require(!limit.allow(), "a token too many");
  });
}

// ---- run's root group

TEST_P(ExploreLibrary, AMemberThatStartsOthersIsWaitedForWithThem) {
  holds("run.nested", [](group& root) {
    const auto ended = std::make_shared<int>(0);
    root.go([&root, ended] {
      root.go([ended] { ++*ended; });
      touch(ended.get());
      ++*ended;
    });
    wait_for_all(root);
    require(*ended == 2, "a member was left behind");
  });
}

}  // namespace
