// long: one type, and one Go test file, in one place
// semaphore: weights, order, and giving up.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/values.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using tenon::context;
using tenon::semaphore;
using tenon_test::settle;

class SemaphoreBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, SemaphoreBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: x/sync/semaphore TestWeighted
TEST_P(SemaphoreBy, NeverGivesMoreThanItHas) {
  tenon_test::as(GetParam(), [] {
    constexpr std::int64_t size = 5;
    const std::size_t loops = tenon_test::scaled(1000, 50);
    semaphore s(size);
    std::atomic<std::int64_t> held = 0;
    std::atomic<int> wrong = 0;
    std::vector<tenon_test::companion> all;
    for (std::int64_t i = 0; i < 8; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&, n = i % size + 1] {
        for (std::size_t k = 0; k < loops; ++k) {
          s.acquire(n);
          if (held.fetch_add(n) + n > size) ++wrong;
          if (k % 8 == 0) tenon::yield();
          held.fetch_sub(n);
          s.release(n);
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_TRUE(s.try_acquire(size));
  });
}

// Go: x/sync/semaphore TestWeightedPanic, TestWeightedNegativeSizePanic
TEST(Semaphore, ReleasingMoreThanIsHeldPanics) {
  semaphore s(1);
  EXPECT_PANIC(s.release(1), "semaphore: released more than held");
  s.acquire(1);
  EXPECT_PANIC(s.release(2), "semaphore: released more than held");
  s.release(1);
  EXPECT_PANIC(s.release(-1), "semaphore: negative weight");
  EXPECT_PANIC(semaphore bad(-1), "semaphore: negative weight");
}

// Go: x/sync/semaphore TestWeightedTryAcquire
TEST(Semaphore, TryAcquireTakesWhatIsThere) {
  semaphore s(2);
  EXPECT_TRUE(s.try_acquire(1));
  EXPECT_TRUE(s.try_acquire(1));
  EXPECT_FALSE(s.try_acquire(1));
  EXPECT_TRUE(s.try_acquire(0));
  s.release(2);
  EXPECT_TRUE(s.try_acquire(2));
  EXPECT_FALSE(s.try_acquire(3));
}

// Go: x/sync/semaphore TestWeightedAcquire
TEST(Semaphore, AcquireWaitsForAsLongAsItsContextAllows) {
  tenon::run(
      [](const context& root) {
        semaphore s(2);
        EXPECT_TRUE(s.acquire(root, 1));
        EXPECT_TRUE(s.acquire(root, 1));
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto third = tenon::go([&s, &c = ctx] { return s.acquire(c, 1); });
        settle();
        scope.cancel();
        EXPECT_FALSE(third.join());
        s.release(2);
        EXPECT_TRUE(s.acquire(root, 2));
        s.release(2);
        EXPECT_FALSE(s.acquire(ctx, 1)) << "canceled already";
        EXPECT_TRUE(s.try_acquire(2)) << "and then nothing is taken";
      },
      {.workers = 1});
}

// Go: x/sync/semaphore TestWeightedDoesntBlockIfTooBig
TEST(Semaphore, TooLargeARequestHoldsNobodyElseUp) {
  tenon::run(
      [](const context& root) {
        semaphore s(2);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto too_large = tenon::go([&s, &c = ctx] { return s.acquire(c, 3); });
        settle();
        for (int i = 0; i < 3; ++i) {
          EXPECT_TRUE(s.acquire(root, 1));
          s.release(1);
        }
        scope.cancel();
        EXPECT_FALSE(too_large.join());
      },
      {.workers = 1});
}

// Go: x/sync/semaphore TestLargeAcquireDoesntStarve
TEST(Semaphore, ALargeRequestIsNotStarved) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          constexpr std::int64_t n = 8;
          semaphore s(n);
          std::atomic<bool> running = true;
          tenon::wait_group wg;
          s.acquire(n);
          for (std::int64_t i = 0; i < n; ++i) {
            wg.go([&] {
              while (running) {  // there is never a time at which all of them have let go by themselves
                s.acquire(1);
                tenon::yield();
                s.release(1);
              }
            });
          }
          s.release(n);
          EXPECT_TRUE(s.acquire(root, n));
          running = false;
          s.release(n);
          wg.wait();
        },
        {.workers = workers});
  }
}

// Go: x/sync/semaphore/semaphore.go notifyWaiters: in the order of the requests
TEST(Semaphore, ServesInTheOrderOfTheRequests) {
  tenon::run(
      [](const context&) {
        semaphore s(4);
        s.acquire(4);
        tenon_test::journal order;
        std::vector<tenon::goroutine<>> all;
        for (const char name : {'4', '1', '2'}) {
          all.push_back(tenon::go([&, name] {
            s.acquire(name - '0');
            order += name;
          }));
          settle();
        }
        s.release(2);
        settle();
        EXPECT_EQ(order.text(), "") << "small requests have overtaken a large one";
        EXPECT_FALSE(s.try_acquire(1)) << "tried past those who wait";
        s.release(2);
        settle();
        EXPECT_EQ(order.text(), "4");
        s.release(1);
        settle();
        EXPECT_EQ(order.text(), "41");
        s.release(3);
        for (auto& g : all) g.join();
        EXPECT_EQ(order.text(), "412");
      },
      {.workers = 1});
}

// Go: x/sync/semaphore TestAllocCancelDoesntStarve
TEST(Semaphore, WhoGivesUpHoldsNobodyUp) {
  tenon::run(
      [](const context& root) {
        semaphore s(10);
        s.acquire(1);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto all_of_it = tenon::go([&s, &c = ctx] { return s.acquire(c, 10); });
        settle();
        auto one = tenon::go([&] { s.acquire(1); });  // behind it
        settle();
        EXPECT_FALSE(s.try_acquire(1));
        scope.cancel();
        EXPECT_FALSE(all_of_it.join());
        one.join();
        s.release(2);
      },
      {.workers = 1});
}

// Go: x/sync/semaphore TestWeightedAcquireCanceled
TEST(Semaphore, ACancelThatRacesWithAReleaseLosesNothing) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          semaphore s(2);
          const std::size_t rounds = tenon_test::scaled(3000, 100);
          for (std::size_t r = 0; r < rounds; ++r) {
            s.acquire(2);
            auto scope = tenon::with_cancel(root);
            const tenon::context ctx = scope.ctx();
            auto waits = tenon::go([&s, &c = ctx] { return s.acquire(c, 1); });
            auto cancels = tenon::go([&scope] { scope.cancel(); });
            s.release(2);
            cancels.join();
            if (waits.join()) s.release(1);
            ASSERT_TRUE(s.try_acquire(2)) << "units were lost in round " << r;
            s.release(2);
          }
        },
        {.workers = workers});
  }
}

// Go: none: a permit of a scope
TEST(Semaphore, APermitIsGivenBackAtTheEndOfItsScope) {
  semaphore s(3);
  {
    const auto two = s.hold(2);
    EXPECT_TRUE(two);
    EXPECT_FALSE(s.try_acquire(2));
  }
  auto scope = tenon::with_cancel(tenon::background());
  const tenon::context ctx = scope.ctx();
  {
    auto all = s.hold(ctx, 3);
    semaphore::permit moved(std::move(all));
    EXPECT_FALSE(all);  // NOLINT: moved from on purpose
    scope.cancel();
    EXPECT_FALSE(s.hold(ctx));
  }
  EXPECT_TRUE(s.try_acquire(3));
}

// ---- from every kind of caller, and the edges -----------------------------------------------------------------------

using namespace std::chrono_literals;
using tenon::background;

/// Waits until somebody queues at `s`, of which at least one unit is free.
void await_a_waiter(semaphore& s) {
  EXPECT_TRUE(tenon_test::eventually([&] {
    if (!s.try_acquire()) return true;
    s.release();
    return false;
  }));
}

void expect_all_free(semaphore& s, std::int64_t size) {
  EXPECT_TRUE(s.try_acquire(size)) << "units were lost";
  EXPECT_FALSE(s.try_acquire()) << "units were made";
  s.release(size);
}

// Go: x/sync/semaphore TestWeightedAcquire
TEST_P(SemaphoreBy, ARequestWaitsUntilEnoughIsFree) {
  tenon_test::as(GetParam(), [] {
    semaphore s(3);
    s.acquire(2);
    std::atomic<bool> in = false;
    auto other = tenon_test::start(GetParam(), [&] {
      s.acquire(3);
      in = true;
      s.release(3);
    });
    await_a_waiter(s);
    s.release(1);
    EXPECT_TRUE(tenon_test::stays_false(in)) << "two of three are not enough";
    s.release(1);
    other.join();
    expect_all_free(s, 3);
  });
}

// Go: x/sync/semaphore TestWeightedAcquire, the contexts in it
TEST_P(SemaphoreBy, WhoGivesUpHasTakenNothing) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      semaphore s(4);
      s.acquire(3);
      auto scope = tenon::with_cancel(background());
      const tenon::context ctx = scope.ctx();
      std::atomic<int> gave_up = 0;
      std::vector<tenon_test::companion> all;
      for (int i = 0; i < 4; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          if (!s.acquire(ctx, 2)) ++gave_up;
        }));
      }
      await_a_waiter(s);
      if (round % 2 == 0) settle();
      scope.cancel();
      for (auto& a : all) a.join();
      EXPECT_EQ(gave_up.load(), 4);
      EXPECT_TRUE(s.try_acquire(1)) << "nobody is before us any more";
      s.release(4);
      EXPECT_FALSE(s.acquire(ctx, 1)) << "canceled already, though all of it is free";
      EXPECT_FALSE(s.acquire(ctx, 0));
      expect_all_free(s, 4);
    }
  });
}

// Go: x/sync/semaphore TestWeightedDoesntBlockIfTooBig
TEST_P(SemaphoreBy, ARequestForMoreThanThereIsEndsWithItsContextAlone) {
  tenon_test::as(GetParam(), [] {
    constexpr int n = 2;
    semaphore s(n);
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    std::atomic<bool> ended = false;
    auto too_large = tenon_test::start(GetParam(), [&] {
      EXPECT_FALSE(s.acquire(ctx, n + 1));
      ended = true;
    });
    settle();
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 3 * n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        EXPECT_TRUE(s.acquire(background(), 1));
        tenon::yield();
        s.release(1);
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_TRUE(s.try_acquire(n));
    s.release(n);
    EXPECT_TRUE(tenon_test::stays_false(ended)) << "it can never be served, but it is not refused either";
    scope.cancel();
    too_large.join();
    expect_all_free(s, n);
  });
}

// Go: x/sync/semaphore TestLargeAcquireDoesntStarve
TEST_P(SemaphoreBy, ALargeRequestGetsItsTurnAmongSmallOnes) {
  tenon_test::as(GetParam(), [] {
    constexpr std::int64_t n = 4;
    semaphore s(n);
    std::atomic<bool> running = true;
    s.acquire(n);
    std::vector<tenon_test::companion> all;
    for (std::int64_t i = 0; i < n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        while (running) {
          s.acquire(1);
          tenon::yield();
          s.release(1);
        }
      }));
    }
    s.release(n);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(s.acquire(background(), n));
      s.release(n);
    }
    running = false;
    for (auto& a : all) a.join();
    expect_all_free(s, n);
  });
}

// Go: x/sync/semaphore TestAllocCancelDoesntStarve
TEST_P(SemaphoreBy, OneThatGivesUpLetsThoseBehindItIn) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      semaphore s(10);
      s.acquire(1);
      auto scope = tenon::with_cancel(background());
      const tenon::context ctx = scope.ctx();
      auto all_of_it = tenon_test::start(GetParam(), [&] { EXPECT_FALSE(s.acquire(ctx, 10)); });
      await_a_waiter(s);
      std::vector<tenon_test::companion> behind;
      for (int i = 0; i < 3; ++i) behind.push_back(tenon_test::start(GetParam(), [&] { s.acquire(3); }));
      if (round % 2 == 0) settle();
      scope.cancel();
      all_of_it.join();
      for (auto& b : behind) b.join();  // although nothing was released
      s.release(10);
      expect_all_free(s, 10);
    }
  });
}

// Go: x/sync/semaphore TestWeightedAcquireCanceled
TEST(Semaphore, ACancelBeforeTheLastUnitIsFreeWins) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          const std::size_t rounds = tenon_test::scaled(500, 20);
          for (std::size_t r = 0; r < rounds; ++r) {
            semaphore s(2);
            auto scope = tenon::with_cancel(root);
            const tenon::context ctx = scope.ctx();
            s.acquire(1);
            auto other = tenon::go([&s, &scope] {
              await_a_waiter(s);  // the acquisition below
              scope.cancel();
              s.release(1);
            });
            ASSERT_FALSE(s.acquire(ctx, 2)) << "canceled before enough was free";
            other.join();
            expect_all_free(s, 2);
          }
        },
        {.workers = workers});
  }
}

// Go: x/sync/semaphore TestWeightedAcquireCanceled: one behind the canceled one is served, whoever comes first
TEST_P(SemaphoreBy, ACancelThatRacesWithAReleaseHoldsNobodyUp) {
  tenon_test::as(GetParam(), [] {
    const std::size_t rounds = tenon_test::scaled(300, 20);
    for (std::size_t r = 0; r < rounds; ++r) {
      semaphore s(2);
      s.acquire(1);
      auto scope = tenon::with_cancel(background());
      const tenon::context ctx = scope.ctx();
      auto gives_up = tenon_test::start(GetParam(), [&] {
        if (s.acquire(ctx, 2)) s.release(2);
      });
      await_a_waiter(s);
      auto stays = tenon_test::start(GetParam(), [&] {
        s.acquire(2);
        s.release(2);
      });
      auto cancels = tenon_test::start(GetParam(), [&scope] { scope.cancel(); });
      if (r % 2 == 0) tenon::yield();
      s.release(1);
      cancels.join();
      gives_up.join();
      stays.join();
      expect_all_free(s, 2);
    }
  });
}

// Go: x/sync/semaphore/semaphore.go notifyWaiters: a release serves as many as it suffices for
TEST(Semaphore, OneReleaseServesSeveral) {
  tenon::run(
      [](const context&) {
        semaphore s(5);
        s.acquire(5);
        tenon_test::journal order;
        std::vector<tenon::goroutine<>> all;
        for (const char name : {'2', '1', '3', '1'}) {
          all.push_back(tenon::go([&, name] {
            s.acquire(name - '0');
            order += name;
          }));
          settle();
        }
        const auto served = [&] {  // who was served at the same time may run in any order
          std::string all_of_them = order.text();
          std::sort(all_of_them.begin(), all_of_them.end());
          return all_of_them;
        };
        s.release(5);
        settle();
        EXPECT_EQ(served(), "12") << "the third wants more than is left, and the fourth does not overtake it";
        s.release(2);
        settle();
        EXPECT_EQ(served(), "1123");
        for (auto& g : all) g.join();
        s.release(5);
        expect_all_free(s, 5);
      },
      {.workers = 1});
}

// Go: none: those who gave up have not run yet when units are released
TEST(Semaphore, AReleasePassesOverThoseWhoHaveJustGivenUp) {
  tenon::run(
      [](const context& root) {
        semaphore s(3);
        s.acquire(3);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        std::vector<tenon::goroutine<bool>> gone;
        for (int i = 0; i < 2; ++i) gone.push_back(tenon::go([&s, &c = ctx] { return s.acquire(c, 3); }));
        settle();
        std::atomic<bool> in = false;
        auto stays = tenon::go([&] {
          s.acquire(2);
          in = true;
        });
        settle();
        scope.cancel();
        s.release(3);
        EXPECT_TRUE(s.try_acquire(1)) << "one is left, and nobody waits for it";
        EXPECT_FALSE(s.try_acquire(1)) << "the others are held already";
        for (auto& g : gone) EXPECT_FALSE(g.join());
        stays.join();
        EXPECT_TRUE(in.load());
        s.release(3);
        expect_all_free(s, 3);
      },
      {.workers = 1});
}

// Go: x/sync/semaphore TestWeightedZeroSize: a weight of zero
TEST(Semaphore, NothingMayBeAskedFor) {
  semaphore s(1);
  s.acquire(1);
  s.acquire(0);
  EXPECT_TRUE(s.acquire(background(), 0));
  s.release(0);
  s.release(1);
  expect_all_free(s, 1);
  semaphore none(0);
  none.acquire(0);
  EXPECT_FALSE(none.try_acquire(1));
  EXPECT_PANIC(none.release(1), "semaphore: released more than held");
}

// Go: x/sync/semaphore TestWeightedPanic, TestWeightedNegativeWeightPanic, and it changes nothing
TEST_P(SemaphoreBy, APanicLeavesItAsItWas) {
  tenon_test::as(GetParam(), [] {
    semaphore s(3);
    s.acquire(2);
    EXPECT_PANIC(s.release(3), "semaphore: released more than held");
    EXPECT_PANIC(s.acquire(-1), "semaphore: negative weight");
    EXPECT_PANIC((void)s.acquire(background(), -1), "semaphore: negative weight");
    EXPECT_PANIC((void)s.try_acquire(-1), "semaphore: negative weight");
    EXPECT_PANIC((void)s.hold(-1), "semaphore: negative weight");
    EXPECT_TRUE(s.try_acquire(1));
    EXPECT_FALSE(s.try_acquire(1));
    s.release(3);
    expect_all_free(s, 3);
  });
}

// Go: none: a wait that can be given up
TEST_P(SemaphoreBy, ADeadlineEndsTheWait) {
  tenon_test::as(GetParam(), [] {
    semaphore s(1);
    s.acquire();
    auto scope = tenon::with_timeout(background(), 5ms);
    const tenon::context ctx = scope.ctx();
    EXPECT_FALSE(s.acquire(ctx));
    EXPECT_EQ(ctx.err(), tenon::deadline_exceeded());
    s.release();
    expect_all_free(s, 1);
  });
}

// Go: x/sync/semaphore TestWeightedAcquireCanceled
TEST(Semaphore, ADeadlineEndsTheWaitAtItsTimeAndLetsTheNextOneIn) {
  tenon_test::in_virtual_time([](tenon::group& g) {
    const tenon_test::stopwatch since;
    semaphore s(10);
    s.acquire(8);
    g.go([&] {
      const auto scope = tenon::with_timeout(background(), 5ms);
      EXPECT_FALSE(s.acquire(scope.ctx(), 5)) << "it is at the head";
      EXPECT_EQ(since(), 5ms);
    });
    g.go([&] {
      tenon::sleep_for(1ms);
      s.acquire(1);  // behind it
      EXPECT_EQ(since(), 5ms);
    });
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(s.try_acquire(2));
    EXPECT_TRUE(s.try_acquire(1));
    s.release(10);
  });
}

// Go: x/sync/semaphore: what happens before Release happens before the return of the Acquire that needed it
TEST_P(SemaphoreBy, OrdersWhatWasWritten) {
  const std::size_t loops = tenon_test::scaled(500, 50);
  tenon_test::as(GetParam(), [&] {
    semaphore s(3);
    std::size_t count = 0;  // not atomic: whoever has all of it is alone
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 6; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        for (std::size_t k = 0; k < loops; ++k) {
          const auto whole = s.hold(3);
          ++count;
          if (k % 8 == 0) tenon::yield();
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(count, 6 * loops);
    expect_all_free(s, 3);
  });
}

// Go: none: a permit of a scope
TEST_P(SemaphoreBy, APermitMayEndWithSomebodyElse) {
  tenon_test::as(GetParam(), [] {
    semaphore s(1);
    const auto handed_over = tenon::make_chan<semaphore::permit>(1);
    auto other = tenon_test::start(GetParam(), [&] {
      auto mine = handed_over.recv();
      EXPECT_TRUE(mine.has_value() && *mine);
      settle();
    });
    handed_over.send(s.hold());
    s.acquire();  // after the other has let go of it
    s.release();
    other.join();
    expect_all_free(s, 1);
  });
}

// Go: none: a permit of a scope
TEST(Semaphore, APermitIsGivenBackWhenAnExceptionPasses) {
  semaphore s(2);
  EXPECT_THROW(
      {
        const auto held = s.hold(2);
        throw std::runtime_error("passing");
      },
      std::runtime_error);
  expect_all_free(s, 2);
}

// Go: none: a permit of a scope
TEST(Semaphore, APermitThatIsAssignedGivesTheOldOneBack) {
  semaphore a(1);
  semaphore b(2);
  semaphore::permit held;
  EXPECT_FALSE(held) << "it holds nothing yet";
  held = a.hold();
  EXPECT_TRUE(held);
  held = b.hold(2);
  EXPECT_TRUE(a.try_acquire()) << "given back";
  a.release();
  EXPECT_FALSE(b.try_acquire());
  held = semaphore::permit();
  EXPECT_FALSE(held);
  expect_all_free(b, 2);
}

}  // namespace
