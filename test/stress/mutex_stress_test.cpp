// Storms on mutexes and wait groups: locks that are given up, lock objects that end right after their last use.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;

// Locked in one place and unlocked in another, as clang's analysis cannot follow it.
void release(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.unlock(); }
void acquire(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.lock(); }
bool try_acquire(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { return mu.try_lock(); }
bool acquire(tenon::mutex& mu, const context& ctx) TENON_TSA(no_thread_safety_analysis) { return mu.lock(ctx); }

class MutexStress : public testing::TestWithParam<unsigned> {};

// What a mutex protects: nobody else is inside, and every pass is counted.
struct guarded_count {
  std::atomic<int> inside{0};
  std::size_t passes = 0;
  void pass(tenon_test::random_source& random) {
    EXPECT_EQ(inside.fetch_add(1, std::memory_order_relaxed), 0);
    ++passes;
    if (random.one_in(16)) tenon::yield();
    if (random.one_in(256)) tenon::sleep_for(20us);
    EXPECT_EQ(inside.fetch_sub(1, std::memory_order_relaxed), 1);
  }
};

TEST_P(MutexStress, EveryWayToLockAtOnce) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(5000, 100);
  tenon::run(
      [&](context) {
        tenon::mutex mu;
        guarded_count in;
        std::atomic<std::size_t> passed = 0;
        const auto work = [&](std::uint64_t who) {
          tenon_test::random_source random(seed.of(who));
          for (std::size_t i = 0; i < loops; ++i) {
            bool held = false;
            switch (random.below(4)) {
              case 0:
                acquire(mu);
                held = true;
                break;
              case 1: held = try_acquire(mu); break;
              case 2: {
                auto scope = tenon::with_timeout(background(), std::chrono::microseconds(random.below(100)));
                const tenon::context c = scope.ctx();
                held = acquire(mu, c);
                break;
              }
              default: {
                auto scope = tenon::with_cancel(background());
                const tenon::context c = scope.ctx();
                auto g = tenon::go([&scope] { scope.cancel(); });
                held = acquire(mu, c);
                if (held) {
                  // The canceler must not be waited for while the lock is held for long.
                  in.pass(random);
                  ++passed;
                  release(mu);
                  held = false;
                }
                g.join();
              }
            }
            if (held) {
              in.pass(random);
              ++passed;
              release(mu);
            }
          }
        };
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 16; ++i) wg.go([&, i] { work(i); });
        tenon_test::os_thread thread([&] { work(100); });
        wg.wait();
        thread.join();
        EXPECT_EQ(in.passes, passed.load());
        EXPECT_TRUE(try_acquire(mu)) << "free at the end";
        release(mu);
      },
      {.workers = GetParam()});
}

TEST_P(MutexStress, CancelsRaceWithUnlocks) {
  const std::size_t rounds = tenon_test::scaled(10000, 200);
  tenon::run(
      [&](context) {
        tenon::mutex mu;
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          acquire(mu);
          std::atomic<int> had = 0;
          tenon::wait_group wg;
          for (int i = 0; i < 3; ++i) {
            wg.go([&] {
              if (acquire(mu, c)) {
                ++had;
                release(mu);
              }
            });
          }
          // One who does not give up: if a wakeup went to somebody who gave up, this one would wait for ever.
          wg.go([&] {
            acquire(mu);
            release(mu);
          });
          for (std::size_t y = 0; y < r % 7; ++y) tenon::yield();
          wg.go([&scope] { scope.cancel(); });
          release(mu);
          wg.wait();
        }
      },
      {.workers = GetParam()});
}

TEST_P(MutexStress, ChainsOfLocksMakeProgress) {
  const std::size_t laps = tenon_test::scaled(3000, 50);
  tenon::run(
      [&](context) {
        constexpr std::size_t n = 8;
        struct seat {
          tenon::mutex mu;
          std::size_t value = 0;
        };
        const auto seats = std::make_unique<seat[]>(n);
        tenon::wait_group wg;
        for (std::size_t i = 0; i < n; ++i) {
          wg.go([&, i] {
            for (std::size_t l = 0; l < laps; ++l) {
              seat& a = seats[i];
              seat& b = seats[(i + 1) % n];
              const std::scoped_lock hold(a.mu, b.mu);
              ++a.value;
              ++b.value;
            }
          });
        }
        wg.wait();
        for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(seats[i].value, 2 * laps);
      },
      {.workers = GetParam()});
}

// Whoever unlocks last may destroy the mutex, as with a count of references that it protects.
TEST_P(MutexStress, TheLastOneToUnlockMayDestroyIt) {
  const std::size_t rounds = tenon_test::scaled(15000, 300);
  tenon::run(
      [&](context) {
        struct shared {
          tenon::mutex mu;
          int references = 0;
        };
        for (std::size_t r = 0; r < rounds; ++r) {
          constexpr int n = 3;
          auto* object = new shared;
          object->references = n;
          std::atomic<int> deleted = 0;
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          tenon::wait_group wg;
          for (int i = 0; i < n; ++i) {
            wg.go([object, &deleted, &c, i] {
              // Some have first tried with a context, so that a waiter that gave up has been there.
              if (i == 0) {
                if (acquire(object->mu, c)) release(object->mu);
              }
              acquire(object->mu);
              const bool last = --object->references == 0;
              release(object->mu);
              if (last) {
                delete object;
                ++deleted;
              }
            });
          }
          scope.cancel();
          wg.wait();
          EXPECT_EQ(deleted.load(), 1);
        }
      },
      {.workers = GetParam()});
}

// The same where the unlock before was a slow one, because somebody had waited and given up.
TEST_P(MutexStress, TheLastOneMayDestroyItAfterASlowUnlock) {
  const std::size_t rounds = tenon_test::scaled(3000, 200);
  tenon::run(
      [&](context) {
        struct shared {
          tenon::mutex mu;
          int references = 2;
        };
        for (std::size_t r = 0; r < rounds; ++r) {
          auto* object = new shared;
          acquire(object->mu);
          {
            auto scope = tenon::with_cancel(background());
            const tenon::context c = scope.ctx();
            auto waiter = tenon::go([object, &c] { EXPECT_FALSE(acquire(object->mu, c)); });
            for (int y = 0; y < 3; ++y) tenon::yield();
            scope.cancel();
          }
          auto other = tenon::go([object] {
            while (!try_acquire(object->mu)) tenon::yield();
            const bool last = --object->references == 0;
            release(object->mu);
            if (last) delete object;
          });
          for (std::size_t y = 0; y < r % 3; ++y) tenon::yield();
          const bool last = --object->references == 0;
          release(object->mu);
          if (last) delete object;
          other.join();
        }
      },
      {.workers = GetParam()});
}

// A group may end as soon as its wait has, however that ended.
TEST_P(MutexStress, AGroupMayEndRightAfterItsWaitWasGivenUp) {
  const std::size_t rounds = tenon_test::scaled(15000, 300);
  tenon::run(
      [&](context) {
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          auto group = std::make_unique<tenon::wait_group>();
          group->go([] { tenon::yield(); });
          auto canceler = tenon::go([&scope, r] {
            for (std::size_t y = 0; y < r % 4; ++y) tenon::yield();
            scope.cancel();
          });
          if (!group->wait(c)) group->wait();
          group.reset();
          canceler.join();
        }
      },
      {.workers = GetParam()});
}

TEST_P(MutexStress, GroupsUsedAgainAndAgain) {
  const std::size_t rounds = tenon_test::scaled(5000, 100);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::size_t r = 0; r < rounds; ++r) {
          std::atomic<int> n = 0;
          for (int i = 0; i < 8; ++i) wg.go([&] { ++n; });
          wg.wait();
          ASSERT_EQ(n.load(), 8);
        }
      },
      {.workers = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Workers, MutexStress, testing::ValuesIn(tenon_test::worker_counts()));

}  // namespace
