// wait_group: counting, reuse, misuse, and the functions it starts itself.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;

class WaitGroupBy : public testing::TestWithParam<tenon_test::callers> {};

// Go: sync/waitgroup_test.go TestWaitGroup
TEST_P(WaitGroupBy, ReleasesEverybodyAtZeroAndNobodyBefore) {
  tenon_test::as(GetParam(), [] {
    tenon::wait_group first;
    tenon::wait_group second;
    for (int round = 0; round < 8; ++round) {
      constexpr int n = 16;
      first.add(n);
      second.add(n);
      std::atomic<int> released = 0;
      std::vector<tenon_test::companion> all;
      for (int i = 0; i < n; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          first.done();
          second.wait();
          ++released;
        }));
      }
      first.wait();
      for (int i = 0; i < n; ++i) {
        EXPECT_EQ(released.load(), 0);
        second.done();
      }
      for (auto& a : all) a.join();
      EXPECT_EQ(released.load(), n);
    }
  });
}

// Go: sync/waitgroup.go: "WaitGroup is reused before previous Wait has returned"
TEST(WaitGroup, AReuseBeforeTheWaitHasReturnedPanics) {
  tenon_test::in_virtual_time([] {
    tenon::wait_group wg;
    wg.add(1);
    auto g = tenon::go([&] {
      wg.done();  // wakes the wait, which runs when this goroutine ends
      wg.add(1);
    });
    EXPECT_PANIC(wg.wait(), "sync: WaitGroup is reused before previous Wait has returned");
    g.join();
    wg.done();
  });
}

// Go: sync/waitgroup_test.go TestWaitGroupMisuse
TEST(WaitGroup, ANegativeCountPanics) {
  const char* text = "sync: negative WaitGroup counter";
  tenon::wait_group wg;
  wg.add(1);
  wg.done();
  EXPECT_PANIC(wg.done(), text);
}

// Go: sync/waitgroup.go Add: the counter has 32 bits
TEST(WaitGroup, ACountBeyondTheLargestPanics) {
  tenon::wait_group wg;
  wg.add(std::numeric_limits<int>::max());
  EXPECT_PANIC(wg.add(1), "sync: negative WaitGroup counter");
}

// Go: sync/waitgroup_test.go TestWaitGroupMisuse
TEST(WaitGroup, ANegativeSumPanics) {
  const char* text = "sync: negative WaitGroup counter";
  const auto wg = std::make_unique<tenon::wait_group>();
  EXPECT_PANIC(wg->add(-1), text);
  const auto other = std::make_unique<tenon::wait_group>();
  other->add(2);
  other->add(-1);
  EXPECT_PANIC(other->add(-2), text);
}

// Go: sync/waitgroup_test.go TestWaitGroupRace
TEST_P(WaitGroupBy, IsNotWokenTooEarly) {
  const std::size_t times = tenon_test::scaled(500, 50);
  tenon_test::as(GetParam(), [&] {
    for (std::size_t i = 0; i < times; ++i) {
      tenon::wait_group wg;
      std::atomic<int> n = 0;
      std::vector<tenon_test::companion> all;
      for (int j = 0; j < 2; ++j) {
        wg.add(1);
        all.push_back(tenon_test::start(GetParam(), [&] {
          ++n;
          wg.done();
        }));
      }
      wg.wait();
      EXPECT_EQ(n.load(), 2);
      for (auto& a : all) a.join();
    }
  });
}

// Go: sync/waitgroup_test.go TestWaitGroupAlign
TEST(WaitGroup, WorksAfterAnOddMember) {
  struct odd {
    char c = 0;
    tenon::wait_group wg;
  };
  tenon::run([](context) {
    odd o;
    o.wg.add(1);
    auto g = tenon::go([&] { o.wg.done(); });
    o.wg.wait();
    g.join();
  });
}

// Go: sync/waitgroup_test.go TestWaitGroupGo
TEST(WaitGroup, StartsFunctionsAndWaitsForThem) {
  tenon::run([](context) {
    tenon::wait_group wg;
    int i = 0;  // not atomic: the wait orders it
    wg.go([&] { ++i; });
    wg.wait();
    EXPECT_EQ(i, 1);
    std::atomic<int> many = 0;
    for (int j = 0; j < 100; ++j) wg.go([&] { ++many; });
    wg.wait();
    EXPECT_EQ(many.load(), 100);
  });
}

// Go: sync/waitgroup.go: Add with a positive delta while the counter is not zero
TEST(WaitGroup, ItsFunctionsMayStartMore) {
  tenon::run([](context) {
    tenon::wait_group wg;
    std::atomic<int> n = 0;
    std::function<void(int)> tree = [&](int depth) {
      ++n;
      if (depth == 0) return;
      for (int i = 0; i < 2; ++i) wg.go([&, depth] { tree(depth - 1); });
    };
    wg.go([&] { tree(6); });
    wg.wait();
    EXPECT_EQ(n.load(), 127);
  });
}

// Go: sync/waitgroup_test.go TestWaitGroup: used again after its end
// Go: sync/waitgroup.go: "If a WaitGroup is reused …"
TEST(WaitGroup, CanBeUsedAgain) {
  const std::size_t times = tenon_test::scaled(1000, 100);
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&](context) {
          tenon::wait_group wg;
          std::size_t sum = 0;
          for (std::size_t i = 0; i < times; ++i) {
            wg.go([&] { ++sum; });
            wg.wait();
            ASSERT_EQ(sum, i + 1);
          }
        },
        {.workers = workers});
  }
}

// Go: sync/waitgroup.go: a wait at zero does not wait
TEST(WaitGroup, AnEmptyOneDoesNotBlock) {
  tenon::wait_group wg;
  wg.wait();
  EXPECT_TRUE(wg.wait(background()));
  wg.add(3);
  wg.add(-3);
  wg.wait();
  wg.add(0);
  wg.wait();
}

// Go: sync/waitgroup.go: any number of waiters
TEST_P(WaitGroupBy, HasAnyNumberOfWaiters) {
  tenon_test::as(GetParam(), [] {
    tenon::wait_group wg;
    wg.add(1);
    std::atomic<int> released = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 8; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        wg.wait();
        ++released;
      }));
    }
    tenon_test::settle();
    EXPECT_EQ(released.load(), 0);
    wg.done();
    for (auto& a : all) a.join();
    EXPECT_EQ(released.load(), 8);
  });
}

// Go: none: a wait that can be given up
TEST_P(WaitGroupBy, AWaitEndsWithItsContext) {
  tenon_test::as(GetParam(), [] {
    tenon::wait_group wg;
    wg.add(1);
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    std::atomic<int> gave_up = 0;
    std::atomic<int> released = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        if (!wg.wait(c)) ++gave_up;
      }));
      all.push_back(tenon_test::start(GetParam(), [&] {
        wg.wait();
        ++released;
      }));
    }
    tenon_test::settle();
    scope.cancel();
    for (std::size_t i = 0; i < all.size(); i += 2) all[i].join();
    EXPECT_EQ(gave_up.load(), 3);
    EXPECT_EQ(released.load(), 0);
    EXPECT_FALSE(wg.wait(c)) << "canceled already";
    wg.done();
    for (std::size_t i = 1; i < all.size(); i += 2) all[i].join();
    EXPECT_EQ(released.load(), 3);
    // Nobody is counted as waiting any more: the group can be used again.
    wg.add(1);
    wg.done();
    wg.wait();
  });
}

// Go: none: a wait that can be given up
TEST(WaitGroup, AWaitThatIsGivenUpDoesNotCountOutOneThatBeganLater) {
  tenon::run(
      [](const context& root) {
        tenon::wait_group wg;
        const auto impatience = tenon::with_cancel(root);
        wg.add(1);
        auto gives_up = tenon::go([&] { EXPECT_FALSE(wg.wait(impatience.ctx())); });
        tenon_test::settle();
        // It is told to give up; before it runs again the count has been zero, and somebody waits for another one.
        impatience.cancel();
        wg.done();
        wg.add(1);
        auto ends = tenon::go([&] { wg.done(); });
        wg.wait();
        gives_up.join();
        ends.join();
      },
      {.workers = 1});
}

// Go: none: a wait that can be given up
TEST(WaitGroup, ADeadlineEndsTheWait) {
  tenon_test::in_virtual_time([] {
    const tenon_test::stopwatch since;
    tenon::wait_group wg;
    const auto over = tenon::make_chan<void>();
    wg.go([&] { (void)over.recv(); });
    auto scope = tenon::with_timeout(background(), 2ms);
    const tenon::context c = scope.ctx();
    EXPECT_FALSE(wg.wait(c));
    EXPECT_EQ(since(), 2ms);
    EXPECT_EQ(c.err(), tenon::deadline_exceeded());
    over.close();
    wg.wait();
    EXPECT_EQ(since(), 2ms);
  });
}

// What the hook was told; a hook is a plain function.
struct told {
  std::string what;
  std::string goroutine;
  std::string where;
};
std::vector<told>* heard = nullptr;

void hear(std::exception_ptr failure, const char* goroutine, const char* where) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const std::exception& e) {
    heard->push_back({e.what(), goroutine, where});
  }
}

// Go: sync/waitgroup_test.go TestIssue76126; here the exception comes out of wait
TEST(WaitGroup, WaitRethrowsTheFirstException) {
  tenon::run(
      [](context) {
        tenon::wait_group wg;
        wg.go([] { throw std::runtime_error("in the group"); });
        wg.go([] { throw std::runtime_error("the second"); });
        EXPECT_THROW(wg.wait(), std::runtime_error);
        EXPECT_THROW(wg.wait(), std::runtime_error) << "until it is used again";
        wg.go([] {});
        EXPECT_NO_THROW(wg.wait()) << "a new round";
        wg.go([] { throw std::runtime_error("in the group"); });
        EXPECT_THROW((void)wg.wait(tenon::background()), std::runtime_error);
      },
      {.workers = 1});
}

// Go: sync/waitgroup_test.go TestIssue76126; nothing is dropped silently
TEST(WaitGroup, AnExceptionThatNobodyWaitedForGoesToTheHook) {
  std::vector<told> all;
  heard = &all;
  const tenon::unhandled_hook before = tenon::set_unhandled_hook(hear);
  tenon::testing::run_virtual([] {
    tenon::wait_group wg;
    wg.go([] { throw std::runtime_error("in the group"); });
    tenon::sleep_for(std::chrono::seconds(1));  // the clock moves when all others have ended, or wait
  });
  tenon::set_unhandled_hook(before);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, "in the group");
  EXPECT_NE(all[0].goroutine.find("goroutine "), std::string::npos) << all[0].goroutine;
}

// Go: sync/waitgroup.go: what happens before done happens before the return of wait
TEST(WaitGroup, OrdersWhatWasWritten) {
  const std::size_t times = tenon_test::scaled(500, 50);
  tenon::run(
      [&](context) {
        for (std::size_t i = 0; i < times; ++i) {
          std::vector<int> written(8, 0);
          tenon::wait_group wg;
          for (std::size_t j = 0; j < written.size(); ++j) wg.go([&, j] { written[j] = static_cast<int>(j); });
          wg.wait();
          for (std::size_t j = 0; j < written.size(); ++j) ASSERT_EQ(written[j], static_cast<int>(j));
        }
      },
      {.workers = 2});
}

INSTANTIATE_TEST_SUITE_P(By, WaitGroupBy, tenon_test::every_caller, tenon_test::caller_name);

}  // namespace
