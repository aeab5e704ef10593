// long: seven small types, each beside its Go test file
// The smaller types: pool, concurrent_map, checked_map, singleflight, guarded, with_signals.

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::settle;

// ---- pool

// Go: sync/pool_test.go TestPool
TEST(Pool, WhatIsPutIsGot) {
  tenon::pool<std::string> p([] { return nullptr; });
  EXPECT_EQ(p.get(), nullptr);
  p.put(std::make_unique<std::string>("a"));
  p.put(nullptr);
  const auto got = p.get();
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, "a");
  EXPECT_EQ(p.get(), nullptr);
}

// Go: sync/pool_test.go TestPoolNew
TEST(Pool, MakesWhatIsNotThere) {
  int made = 0;
  tenon::pool<int> p([&] { return std::make_unique<int>(++made); });
  EXPECT_EQ(*p.get(), 1);
  EXPECT_EQ(*p.get(), 2);
  p.put(std::make_unique<int>(42));
  EXPECT_EQ(*p.get(), 42);
  EXPECT_EQ(*p.get(), 3);
}

struct counted {
  inline static std::atomic<int> alive = 0;
  counted() { ++alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --alive; }
  std::atomic<bool> used = false;
};

// Go: sync/pool_test.go TestPoolRelease, TestPoolGC; a pool of ours is bounded instead of being emptied
TEST(Pool, KeepsNoMoreThanItsBoundAndDestroysTheRest) {
  {
    tenon::pool<counted> p(16);
    std::vector<std::unique_ptr<counted>> out;
    for (int i = 0; i < 100; ++i) out.push_back(p.get());
    for (auto& c : out) p.put(std::move(c));
    EXPECT_LE(counted::alive, 16);
    EXPECT_EQ(static_cast<std::size_t>(counted::alive), p.idle());
    p.clear();
    EXPECT_EQ(counted::alive, 0);
    p.put(std::make_unique<counted>());
    EXPECT_EQ(counted::alive, 1);
  }
  EXPECT_EQ(counted::alive, 0);
}

// Go: sync/pool_test.go TestPoolStress
TEST(Pool, GivesEachObjectToOneAtATime) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context&) {
          tenon::pool<counted> p;
          std::atomic<int> wrong = 0;
          tenon::wait_group wg;
          for (int i = 0; i < 10; ++i) {
            wg.go([&] {
              const std::size_t loops = tenon_test::scaled(5000, 100);
              for (std::size_t k = 0; k < loops; ++k) {
                const auto c = p.borrow();
                if (c->used.exchange(true)) ++wrong;
                if (k % 16 == 0) tenon::yield();
                c->used = false;
              }
            });
          }
          wg.wait();
          EXPECT_EQ(wrong, 0);
          EXPECT_LE(p.idle(), 10U);
        },
        {.workers = workers});
  }
  EXPECT_EQ(counted::alive, 0);
}

// ---- concurrent_map

// Go: sync/map_test.go TestMapMatchesRWMutex
TEST(ConcurrentMap, DoesWhatAPlainMapDoes) {
  const tenon_test::seed_in_use seed;
  tenon_test::random_source random(seed.of(0));
  tenon::concurrent_map<int, int> ours;
  std::unordered_map<int, int> plain;
  const auto at = [&](int k) -> std::optional<int> {
    const auto i = plain.find(k);
    return i == plain.end() ? std::nullopt : std::optional(i->second);
  };
  for (int step = 0; step < 20000; ++step) {
    const int k = static_cast<int>(random.below(64));
    const int v = static_cast<int>(random.below(4));
    const auto before = at(k);
    switch (random.below(9)) {
      // Go: sync/map_test.go TestMapMatchesRWMutex: Load
      case 0: ASSERT_EQ(ours.load(k), before); break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: Store
      case 1:
        ours.store(k, v);
        plain[k] = v;
        break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: LoadOrStore
      case 2: {
        const auto [got, loaded] = ours.load_or_store(k, v);
        ASSERT_EQ(loaded, before.has_value());
        ASSERT_EQ(got, before.value_or(v));
        plain.try_emplace(k, v);
        break;
      }
      // Go: sync/map_test.go TestMapMatchesRWMutex: LoadAndDelete
      case 3:
        ASSERT_EQ(ours.load_and_erase(k), before);
        plain.erase(k);
        break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: Delete
      case 4:
        ASSERT_EQ(ours.erase(k), before.has_value());
        plain.erase(k);
        break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: Swap
      case 5:
        ASSERT_EQ(ours.swap(k, v), before);
        plain[k] = v;
        break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: CompareAndSwap
      case 6:
        ASSERT_EQ(ours.compare_and_swap(k, 1, v), before == 1);
        if (before == 1) plain[k] = v;
        break;
      // Go: sync/map_test.go TestMapMatchesRWMutex: CompareAndDelete
      case 7:
        ASSERT_EQ(ours.compare_and_erase(k, v), before == v);
        if (before == v) plain.erase(k);
        break;
      default:
        // Go: sync/map_test.go TestMapMatchesRWMutex: Clear
        if (random.one_in(200)) {
          ours.clear();
          plain.clear();
        }
        ASSERT_EQ(ours.size(), plain.size());
    }
  }
  // Go: sync/map_test.go TestMapMatchesRWMutex: Range
  std::unordered_map<int, int> seen;
  ours.range([&](int k, int v) { EXPECT_TRUE(seen.emplace(k, v).second); });
  EXPECT_EQ(seen, plain);
}

// Go: sync/map_test.go TestCompareAndSwap_NonExistingKey
TEST(ConcurrentMap, AKeyThatIsNotThereIsNotSwapped) {
  tenon::concurrent_map<int, int> m;
  EXPECT_FALSE(m.compare_and_swap(1, 0, 42)) << "0 is what a key that is not there would have";
  EXPECT_FALSE(m.load(1));
  EXPECT_EQ(m.size(), 0U);
}

// Go: sync/map_test.go TestIssue40999
TEST(ConcurrentMap, WhatIsErasedIsFreed) {
  using key = std::shared_ptr<int>;
  tenon::concurrent_map<key, int> m;
  m.store(nullptr, 0);
  const auto erases = [&](const auto& erase) {
    auto k = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = k;
    m.store(k, 1);
    erase(k);
    k.reset();
    return watch.expired();
  };
  EXPECT_TRUE(erases([&](const key& k) { EXPECT_TRUE(m.erase(k)); }));
  EXPECT_TRUE(erases([&](const key& k) { EXPECT_EQ(m.load_and_erase(k), 1); }));
  EXPECT_TRUE(erases([&](const key& k) { EXPECT_TRUE(m.compare_and_erase(k, 1)); }));
  EXPECT_EQ(m.load(nullptr), 0);
  EXPECT_TRUE(erases([&](const key&) { m.clear(); }));
}

// Go: sync/map_test.go TestConcurrentClear
TEST(ConcurrentMap, MayBeClearedBesideChanges) {
  tenon::run(
      [](const context&) {
        tenon::concurrent_map<int, int> m;
        tenon::wait_group wg;
        for (int k = 0; k < 10; ++k) {
          wg.go([&m, k] { m.store(k, k * 10); });
          wg.go([&m, k] { EXPECT_EQ(m.load(k).value_or(k * 10), k * 10); });
          wg.go([&m] { m.clear(); });
        }
        wg.wait();
        m.clear();
        m.range([](int k, int) { ADD_FAILURE() << k << " is still there"; });
      },
      {.workers = 2});
}

// Go: sync/map_test.go TestConcurrentRange
TEST(ConcurrentMap, IterationSeesEachKeyOnceWhileItsValueChanges) {
  tenon::run(
      [](const context&) {
        const std::int64_t keys = static_cast<std::int64_t>(tenon_test::scaled(1000, 100));
        tenon::concurrent_map<std::int64_t, std::int64_t> m;
        for (std::int64_t k = 1; k <= keys; ++k) m.store(k, k);
        std::atomic<bool> stop = false;
        tenon::wait_group wg;
        for (std::int64_t g = 1; g <= 4; ++g) {
          wg.go([&, g] {
            for (std::int64_t i = 0; !stop; ++i) {
              for (std::int64_t k = 1; k <= keys; ++k) m.store(k, k * i * g);
              tenon::yield();
            }
          });
        }
        for (int round = 0; round < 10; ++round) {
          std::map<std::int64_t, int> seen;
          m.range([&](std::int64_t k, std::int64_t v) {
            EXPECT_EQ(v % k, 0);
            EXPECT_EQ(++seen[k], 1);
          });
          EXPECT_EQ(seen.size(), static_cast<std::size_t>(keys));
          tenon::yield();
        }
        stop = true;
        wg.wait();
      },
      {.workers = 2});
}

// Go: sync/map_test.go TestMapRangeNestedCall
TEST(ConcurrentMap, AnIterationInsideAnIteration) {
  tenon::concurrent_map<int, std::string> m;
  const std::map<int, std::string> words = {{0, "hello"}, {1, "world"}, {2, "Go"}};
  for (const auto& [k, v] : words) m.store(k, v);
  m.range([&](int outer, const std::string&) {
    m.range([&](int k, const std::string& v) {
      EXPECT_EQ(m.load(k), v);
      EXPECT_FALSE(m.load_or_store(42, "dummy").second);
      m.store(42, "sync.Map");
      EXPECT_EQ(m.load_and_erase(42), "sync.Map");
    });
    EXPECT_TRUE(m.erase(outer));
  });
  m.range([](int k, const std::string&) { ADD_FAILURE() << k << " is still there"; });
  EXPECT_EQ(m.size(), 0U);
}

// Go: sync/map_test.go TestMapRangeNestedCall: and it may clear the map
TEST(ConcurrentMap, TheFunctionOfAnIterationMayUseTheMap) {
  tenon::concurrent_map<int, std::string> m;
  for (int k = 0; k < 3; ++k) m.store(k, "x");
  int calls = 0;
  m.range([&](int k, const std::string&) {
    ++calls;
    m.range([&](int inner, const std::string&) {
      EXPECT_TRUE(m.load(inner));
      return false;
    });
    if (k != 0) {
      EXPECT_TRUE(m.erase(k));
    }
    m.store(k, "y");
  });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(m.size(), 3U);
  m.range([&](int, const std::string& v) { EXPECT_EQ(v, "y"); });
  m.range([&](int, const std::string&) { m.clear(); });
  EXPECT_EQ(m.size(), 0U);
}

// Go: the built-in map, used by one goroutine at a time
TEST(CheckedMap, IsAPlainMapForOneUser) {
  tenon::checked_map<std::string, int> m{{"a", 1}};
  m.store("b", 2);
  m.update("b", [](int& v) { v *= 10; });
  EXPECT_EQ(m.load("b"), 20);
  EXPECT_FALSE(m.load("c"));
  const auto copy = m;
  EXPECT_TRUE(m.erase("a"));
  EXPECT_FALSE(m.erase("a"));
  EXPECT_EQ(m.size(), 1U);
  EXPECT_EQ(copy.size(), 2U);
  int sum = 0;
  copy.range([&](const std::string&, int v) { sum += v; });
  EXPECT_EQ(sum, 21);
}

// ---- singleflight

// Go: x/sync/singleflight TestDo, TestDoErr
TEST(Singleflight, OneCallerGetsItsOwnResult) {
  tenon::run([](const context&) {
    tenon::singleflight<std::string, std::string> g;
    const auto [value, shared] = g.call("key", [] { return std::string("bar"); });
    EXPECT_EQ(value, "bar");
    EXPECT_FALSE(shared);
    EXPECT_THROW(g.call("key", []() -> std::string { throw std::runtime_error("some error"); }), std::runtime_error);
    EXPECT_EQ(g.call("key", [] { return std::string("again"); }).value, "again");
  });
}

// Go: x/sync/singleflight TestDoDupSuppress, TestPanicDo, TestPanicErrorUnwrap
TEST(Singleflight, DuplicatesWaitForTheOneThatFlies) {
  for (const bool fails : {false, true}) {
    tenon::run(
        [&](const context&) {
          tenon::singleflight<int, int> g;
          const auto land = tenon::make_chan<void>();
          int flights = 0;
          const auto fly = [&] {
            ++flights;
            (void)land.recv();
            if (fails) throw std::runtime_error("crashed");
            return 7;
          };
          std::atomic<int> results = 0;
          std::atomic<int> failures = 0;
          tenon::wait_group wg;
          for (int i = 0; i < 10; ++i) {
            wg.go([&] {
              try {
                const auto r = g.call(1, fly);
                if (r.value == 7 && r.shared) ++results;
              } catch (const std::runtime_error& e) {
                EXPECT_STREQ(e.what(), "crashed");
                ++failures;
              }
            });
          }
          settle();
          land.close();
          wg.wait();
          EXPECT_EQ(flights, 1);
          EXPECT_EQ(results, fails ? 0 : 10);
          EXPECT_EQ(failures, fails ? 10 : 0);
        },
        {.workers = 1});
  }
}

// Go: x/sync/singleflight TestForget, TestForgetUnshared
TEST(Singleflight, AForgottenFlightGoesOnBesideTheNext) {
  tenon::run(
      [](const context&) {
        tenon::singleflight<int, int> g;
        const auto land = tenon::make_chan<void>();
        auto first = tenon::go([&] {
          return g
              .call(1,
                    [&] {
                      (void)land.recv();
                      return 1;
                    })
              .value;
        });
        settle();
        g.forget(1);
        EXPECT_EQ(g.call(1, [] { return 2; }).value, 2);
        land.close();
        EXPECT_EQ(first.join(), 1);
      },
      {.workers = 1});
}

// Go: x/sync/singleflight TestForget
TEST(Singleflight, AForgottenFlightThatLandsLeavesTheNextOneInTheAir) {
  tenon::run(
      [](const context&) {
        tenon::singleflight<int, int> g;
        const auto land_first = tenon::make_chan<void>();
        const auto land_second = tenon::make_chan<void>();
        const auto flight = [&g](const tenon::chan<void>& land, int result) {
          return [&g, land, result] {
            const auto fly = [&] {
              (void)land.recv();
              return result;
            };
            return g.call(1, fly);
          };
        };
        auto first = tenon::go(flight(land_first, 1));
        settle();
        g.forget(1);
        auto second = tenon::go(flight(land_second, 2));
        settle();
        land_first.close();
        EXPECT_EQ(first.join().value, 1);
        auto third = tenon::go(flight(nullptr, 3));  // would never land
        settle();
        land_second.close();
        EXPECT_EQ(second.join().value, 2);
        const auto got = third.join();
        EXPECT_EQ(got.value, 2);
        EXPECT_TRUE(got.shared);
      },
      {.workers = 1});
}

// Go: x/sync/singleflight TestDoChan
TEST(Singleflight, AChannelDeliversTheResult) {
  tenon::run([](const context&) {
    tenon::singleflight<int, std::string> g;
    const auto got = g.call_chan(1, [] { return std::string("bar"); }).recv();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->value, "bar");
    // Go: x/sync/singleflight TestPanicDoChan; here the exception comes on the channel
    const auto failed = g.call_chan(1, []() -> std::string { throw std::runtime_error("crashed"); }).recv();
    EXPECT_FALSE(failed->value);
    EXPECT_EQ(failed->err.message(), "crashed");
  });
}

// Go: x/sync/singleflight TestPanicDoSharedByDoChan; here the exception comes on the channel
TEST(Singleflight, AChannelGetsTheFailureOfTheFlightItShares) {
  tenon::run(
      [](const context&) {
        tenon::singleflight<int, int> g;
        const auto land = tenon::make_chan<void>();
        auto flies = tenon::go([&] {
          const auto crash = [&]() -> int {
            (void)land.recv();
            throw std::runtime_error("crashed");
          };
          EXPECT_THROW((void)g.call(1, crash), std::runtime_error);
        });
        settle();
        const auto shared = g.call_chan(1, [] { return 2; });
        settle();
        land.close();
        const auto got = shared.recv();
        ASSERT_TRUE(got);
        EXPECT_FALSE(got->value) << "it flew by itself";
        EXPECT_EQ(got->err.message(), "crashed");
        flies.join();
      },
      {.workers = 1});
}

// Go: none: a wait that can be given up
TEST(Singleflight, WhoWaitsMayGiveUpAndTheFlightGoesOn) {
  tenon::run(
      [](const context& root) {
        tenon::singleflight<int, int> g;
        const auto land = tenon::make_chan<void>();
        auto flies = tenon::go([&] {
          return g
              .call(1,
                    [&] {
                      (void)land.recv();
                      return 1;
                    })
              .value;
        });
        settle();
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto waits = tenon::go([&, &c = ctx] { return g.call(c, 1, [] { return 2; }).has_value(); });
        settle();
        scope.cancel();
        EXPECT_FALSE(waits.join());
        land.close();
        EXPECT_EQ(flies.join(), 1);
      },
      {.workers = 1});
}

// ---- guarded

// Go: none: data that has its lock
TEST(Guarded, LetsOneAtATimeAtItsData) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          tenon::guarded<std::map<int, int>> m;
          tenon::wait_group wg;
          const int loops = static_cast<int>(tenon_test::scaled(500, 50));
          for (int i = 0; i < 8; ++i) {
            wg.go([&] {
              for (int k = 0; k < loops; ++k) m.with([&](auto& all) { ++all[k]; });
            });
          }
          wg.wait();
          const auto copy = m.snapshot();
          EXPECT_EQ(copy.size(), static_cast<std::size_t>(loops));
          EXPECT_EQ(copy.at(0), 8);
          EXPECT_EQ(m.with(root, [](auto& all) { return all.size(); }), static_cast<std::size_t>(loops));
        },
        {.workers = workers});
  }
}

// Go: none: data that has its lock
TEST(Guarded, ReadersOfASharedOneRunSideBySideAndMayGiveUp) {
  tenon::run(
      [](const context& root) {
        const tenon::guarded<int, tenon::shared_mutex> g(7);
        const auto leave = tenon::make_chan<void>();
        auto reads = tenon::go([&] {
          return g.with([&](int v) {
            (void)leave.recv();
            return v;
          });
        });
        settle();
        EXPECT_EQ(g.snapshot(), 7);
        leave.close();
        EXPECT_EQ(reads.join(), 7);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        scope.cancel();
        EXPECT_FALSE(g.snapshot(ctx));
        EXPECT_FALSE(g.with(ctx, [](int) {}));
      },
      {.workers = 1});
}

TEST(Guarded, ACopyWaitsForTheWriter) {
  tenon::run(
      [](const context&) {
        tenon::guarded<int> g(1);
        const auto leave = tenon::make_chan<void>();
        auto writes = tenon::go([&] {
          g.with([&](int& v) {
            v = 2;
            (void)leave.recv();
            v = 3;
          });
        });
        settle();
        auto copies = tenon::go([&] { return g.snapshot(); });
        settle();
        leave.close();
        writes.join();
        EXPECT_EQ(copies.join(), 3);
      },
      {.workers = 1});
}

// ---- with_signals

// Go: os/signal TestNotifyContextNotifications
TEST(WithSignals, ASignalCancelsAndSaysWhich) {
  struct sigaction before{};
  ::sigaction(SIGUSR1, nullptr, &before);
  for (const bool in_runtime : {false, true}) {
    const auto body = [](const context& root) {
      auto scope = tenon::with_signals(root, {SIGUSR1, SIGUSR2});
      const tenon::context ctx = scope.ctx();
      auto stop_other_scope = tenon::with_signals(root, {SIGUSR1});
      const tenon::context other = stop_other_scope.ctx();
      auto stop_third_scope = tenon::with_signals(root, {SIGUSR2});
      const tenon::context third = stop_third_scope.ctx();
      EXPECT_FALSE(ctx.is_canceled());
      ::raise(SIGUSR1);
      (void)ctx.done().recv();
      (void)other.done().recv();
      EXPECT_EQ(tenon::cause(ctx).message(), "user defined signal 1 signal received");
      EXPECT_TRUE(ctx.err() == tenon::canceled());
      EXPECT_FALSE(third.is_canceled());
      stop_third_scope.cancel();
      EXPECT_TRUE(third.err() == tenon::canceled());
    };
    if (in_runtime) {
      tenon::run(body);
    } else {
      body(tenon::background());
    }
    struct sigaction now{};
    ::sigaction(SIGUSR1, nullptr, &now);
    EXPECT_EQ(now.sa_handler, before.sa_handler) << "it does again what it did before";
    ::sigaction(SIGUSR2, nullptr, &now);
    EXPECT_EQ(now.sa_handler, before.sa_handler);
  }
}

// Go: none: Go ignores signals that cannot be caught
TEST(WithSignals, WhatCannotBeCaughtIsRefused) {
  EXPECT_THROW((void)tenon::with_signals(tenon::background(), {SIGUSR1, 4711}), std::system_error);
  EXPECT_THROW((void)tenon::with_signals(tenon::background(), {SIGKILL}), std::system_error);
}

}  // namespace
