// mutex: exclusion, fairness, giving up, and the standard's lock guards. Misuse is in fatal_test.cpp.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/scale.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon_test::in_virtual_time;

// For what locks twice and has another unlock in between, as Go allows: where locks are checked that is a mistake.
const tenon::run_options hands_over{.workers = 2};

// Locked in one place and unlocked in another, as clang's analysis cannot follow it.
void acquire(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.lock(); }
void release(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.unlock(); }
bool try_acquire(tenon::mutex& mu) TENON_TSA(no_thread_safety_analysis) { return mu.try_lock(); }
bool acquire(tenon::mutex& mu, const context& ctx) TENON_TSA(no_thread_safety_analysis) { return mu.lock(ctx); }

// Somebody in a section that only one may be in.
class section {
 public:
  void pass() {
    EXPECT_EQ(inside_.fetch_add(1, std::memory_order_relaxed), 0);
    ++count_;  // not atomic: the lock orders it
    EXPECT_EQ(inside_.fetch_sub(1, std::memory_order_relaxed), 1);
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::atomic<int> inside_{0};
  std::size_t count_ = 0;
};

class MutexBy : public testing::TestWithParam<tenon_test::callers> {};

// Go: sync/mutex_test.go TestSemaphore
TEST_P(MutexBy, OneAtATime) {
  const std::size_t loops = tenon_test::scaled(1000, 100);
  tenon_test::as(GetParam(), [&] {
    tenon::mutex mu;
    section in;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        for (std::size_t j = 0; j < loops; ++j) {
          mu.lock();
          in.pass();
          mu.unlock();
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(in.count(), 10 * loops);
  });
}

// Go: sync/mutex_test.go TestMutex
TEST_P(MutexBy, LockAndTryLockTogether) {
  const std::size_t loops = tenon_test::scaled(1000, 100);
  tenon_test::as(GetParam(), [&] {
    tenon::mutex mu;
    acquire(mu);
    // Go: sync/mutex_test.go TestMutex: TryLock fails while it is locked, and takes it when it is not
    EXPECT_FALSE(try_acquire(mu));
    release(mu);
    EXPECT_TRUE(try_acquire(mu));
    EXPECT_FALSE(try_acquire(mu));
    release(mu);

    section in;
    std::atomic<std::size_t> missed = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        for (std::size_t j = 0; j < loops; ++j) {
          if (j % 3 == 0) {
            if (mu.try_lock()) {
              in.pass();
              mu.unlock();
            } else {
              ++missed;
            }
            continue;
          }
          mu.lock();
          in.pass();
          mu.unlock();
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(in.count() + missed.load(), 10 * loops);
  });
}

// Go: sync/mutex_test.go TestMutex, over several workers
TEST(Mutex, OneAtATimeWithAnyNumberOfWorkers) {
  const std::size_t loops = tenon_test::scaled(500, 50);
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [&](context) {
          tenon::mutex mu;
          section in;
          tenon::wait_group wg;
          for (int i = 0; i < 50; ++i) {
            wg.go([&] {
              for (std::size_t j = 0; j < loops; ++j) {
                const std::lock_guard<tenon::mutex> hold(mu);
                in.pass();
                if (j % 16 == 0) tenon::yield();  // another one finds it held
              }
            });
          }
          wg.wait();
          EXPECT_EQ(in.count(), 50 * loops);
        },
        {.workers = workers});
  }
}

// Go: sync/mutex_test.go TestMutexFairness: whoever has waited for more than a millisecond is handed the mutex at the next unlock.
TEST(MutexFairness, AHogDoesNotStarveTheOthers) {
  in_virtual_time([](tenon::group& g) {
    tenon::mutex mu;
    bool stop = false;
    g.go([&] {
      while (!stop) {
        mu.lock();
        tenon::sleep_for(100us);
        mu.unlock();
      }
    });
    tenon::wait_group modest;
    for (int i = 0; i < 3; ++i) {
      modest.go([&] {
        for (int j = 0; j < 10; ++j) {
          tenon::sleep_for(100us);
          const tenon_test::stopwatch waits;
          mu.lock();
          EXPECT_LE(waits(), 1100us);
          mu.unlock();
        }
      });
    }
    modest.wait();
    stop = true;
    EXPECT_FALSE(g.wait());
  });
}

// Go: runtime/sema_test.go TestSemaHandoff: whoever unlocked it, and comes back at once, comes too late.
TEST(MutexFairness, TheOneWhoHasWaitedLongComesBeforeTheOneWhoUnlocks) {
  for (const bool long_enough : {true, false}) {
    in_virtual_time([long_enough](tenon::group& g) {
      tenon::mutex mu;
      int first = 0;
      mu.lock();
      g.go([&] {
        mu.lock();
        if (first == 0) first = 1;
        mu.unlock();
      });
      tenon::sleep_for(long_enough ? 1'000'001ns : 1ms);
      mu.unlock();
      mu.lock();
      if (first == 0) first = 2;
      mu.unlock();
      EXPECT_FALSE(g.wait());
      EXPECT_EQ(first, long_enough ? 1 : 2) << "a running goroutine may take a free mutex before a woken one does";
    });
  }
}

// Go: sync/mutex.go: "A locked [Mutex] is not associated with a particular goroutine"
TEST_P(MutexBy, SomebodyElseMayUnlockIt) {
  tenon_test::as(
      GetParam(),
      [] {
        tenon::mutex mu;
        acquire(mu);
        auto other = tenon_test::start(GetParam(), [&] { release(mu); });
        acquire(mu);
        other.join();
        release(mu);
      },
      hands_over);
}

// Go: sync/mutex_test.go TestMutex, goroutines and threads on one lock
TEST(Mutex, GoroutinesAndThreadsShareOne) {
  const std::size_t loops = tenon_test::scaled(2000, 200);
  tenon::run(
      [&](context) {
        tenon::mutex mu;
        section in;
        const auto work = [&] {
          for (std::size_t j = 0; j < loops; ++j) {
            const std::lock_guard<tenon::mutex> hold(mu);
            in.pass();
          }
        };
        tenon::wait_group wg;
        std::vector<std::unique_ptr<tenon_test::os_thread>> threads;
        for (int i = 0; i < 4; ++i) {
          wg.go(work);
          threads.push_back(std::make_unique<tenon_test::os_thread>(work));
        }
        wg.wait();
        for (auto& t : threads) t->join();
        EXPECT_EQ(in.count(), 8 * loops);
      },
      {.workers = 2});
}

// Go: none: a lock that can be given up
TEST_P(MutexBy, ACanceledContextTakesNothing) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    EXPECT_TRUE(acquire(mu, c));
    EXPECT_FALSE(try_acquire(mu));
    release(mu);
    scope.cancel();
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(acquire(mu, c)) << "also where it is free";
    EXPECT_TRUE(try_acquire(mu));
    EXPECT_FALSE(acquire(mu, c));
    release(mu);
  });
}

// Go: none: a lock that can be given up
TEST_P(MutexBy, AWaiterThatGivesUpLeavesNothingBehind) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      tenon::mutex mu;
      acquire(mu);
      auto scope = tenon::with_cancel(background());
      const tenon::context c = scope.ctx();
      std::atomic<int> waiting = 0;
      std::atomic<int> gave_up = 0;
      std::vector<tenon_test::companion> all;
      for (int i = 0; i < 4; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          ++waiting;
          if (!acquire(mu, c)) ++gave_up;
        }));
      }
      EXPECT_TRUE(tenon_test::eventually([&] { return waiting.load() == 4; }));
      tenon_test::settle();
      scope.cancel();
      for (auto& a : all) a.join();
      EXPECT_EQ(gave_up.load(), 4);
      // Nobody is left who could be handed the lock: it is free after one unlock, and works.
      release(mu);
      EXPECT_TRUE(try_acquire(mu));
      auto next = tenon_test::start(GetParam(), [&] {
        acquire(mu);
        release(mu);
      });
      tenon_test::settle();
      release(mu);
      next.join();
    }
  });
}

// Go: none: a lock that can be given up
TEST_P(MutexBy, TheOthersGoOnAfterOneGaveUp) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    acquire(mu);
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    section in;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 6; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&, i] {
        if (i % 2 == 0) {
          mu.lock();
          in.pass();
          mu.unlock();
        } else {
          EXPECT_FALSE(acquire(mu, c));
        }
      }));
    }
    tenon_test::settle();
    scope.cancel();
    for (int i = 1; i < 6; i += 2) all[static_cast<std::size_t>(i)].join();
    EXPECT_EQ(in.count(), 0U);
    release(mu);
    for (int i = 0; i < 6; i += 2) all[static_cast<std::size_t>(i)].join();
    EXPECT_EQ(in.count(), 3U);
  });
}

// Go: none: a lock that can be given up
TEST_P(MutexBy, ADeadlineEndsTheWait) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    acquire(mu);
    auto scope = tenon::with_timeout(background(), 5ms);
    const tenon::context c = scope.ctx();
    EXPECT_FALSE(acquire(mu, c));
    EXPECT_EQ(c.err(), tenon::deadline_exceeded());
    release(mu);
  });
}

INSTANTIATE_TEST_SUITE_P(By, MutexBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: none: a lock that can be given up
TEST(Mutex, ADeadlineEndsTheWaitAtItsTime) {
  in_virtual_time([](tenon::group& g) {
    const tenon_test::stopwatch since;
    tenon::mutex mu;
    acquire(mu);
    g.go_n(5, [&](int i) {
      const auto scope = tenon::with_timeout(g.ctx(), (i + 1) * 5ms);
      EXPECT_EQ(acquire(mu, scope.ctx()), i == 4);
      EXPECT_EQ(since(), i == 4 ? 22ms : (i + 1) * 5ms);
      EXPECT_EQ(scope.ctx().err() == tenon::deadline_exceeded(), i != 4);
      if (i == 4) release(mu);
    });
    tenon::sleep_for(22ms);
    release(mu);
    EXPECT_FALSE(g.wait());
  });
}

// Go: none: the standard's guards
TEST(Mutex, WorksWithTheStandardsGuards) {
  tenon::run([](context) {
    tenon::mutex a;
    tenon::mutex b;
    {
      const std::lock_guard<tenon::mutex> hold(a);
      EXPECT_FALSE(try_acquire(a));
    }
    {
      std::unique_lock<tenon::mutex> hold(a, std::try_to_lock);
      EXPECT_TRUE(hold.owns_lock());
      hold.unlock();
      hold.lock();
      const std::unique_lock<tenon::mutex> second(a, std::try_to_lock);
      EXPECT_FALSE(second.owns_lock());
    }
    {
      const std::scoped_lock<tenon::mutex, tenon::mutex> hold(a, b);
      EXPECT_FALSE(try_acquire(a));
      EXPECT_FALSE(try_acquire(b));
    }
    EXPECT_TRUE(try_acquire(a));
    EXPECT_TRUE(try_acquire(b));
    release(a);
    release(b);
  });
}

// Go: none: the standard's guards
TEST(Mutex, ScopedLockOrdersTwoOfThem) {
  const std::size_t loops = tenon_test::scaled(1000, 100);
  tenon::run(
      [&](context) {
        tenon::mutex a;
        tenon::mutex b;
        section in;
        auto g = tenon::go([&] {
          for (std::size_t i = 0; i < loops; ++i) {
            const std::scoped_lock<tenon::mutex, tenon::mutex> hold(a, b);
            in.pass();
          }
        });
        for (std::size_t i = 0; i < loops; ++i) {
          const std::scoped_lock<tenon::mutex, tenon::mutex> hold(b, a);
          in.pass();
        }
        g.join();
        EXPECT_EQ(in.count(), 2 * loops);
      },
      {.workers = 2});
}

// Go: sync/mutex.go: waiting blocks the goroutine alone
TEST(Mutex, AWaiterLeavesItsWorkerToOthers) {
  tenon::run(
      [](context) {
        tenon::mutex mu;
        acquire(mu);
        std::atomic<bool> had = false;
        auto waiter = tenon::go([&] {
          mu.lock();
          had = true;
          mu.unlock();
        });
        EXPECT_TRUE(tenon_test::stays_false(had));
        release(mu);
        waiter.join();
      },
      {.workers = 1});
}

// Go: sync/mutex.go: a mutex is no bigger than it must be, and its end needs no call
TEST(Mutex, OutlivesARun) {
  tenon::mutex mu;
  tenon::run([&](context) { acquire(mu); });
  EXPECT_FALSE(try_acquire(mu));
  tenon::run([&](context) { release(mu); });
  EXPECT_TRUE(try_acquire(mu));
  release(mu);
}

}  // namespace
