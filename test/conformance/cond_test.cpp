// long: one type, and one Go test file, in one place
// cond: who is woken, in which order, and what becomes of those who give up.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/scale.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::eventually;
using tenon_test::settle;

class CondBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, CondBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: sync/cond_test.go TestCondSignal
TEST_P(CondBy, ASignalWakesOne) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 3;
    const auto running = tenon::make_chan<void>(n, "one for each");
    const auto awake = tenon::make_chan<void>(n, "one for each");
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        running.send();
        c.wait(hold);
        awake.send();
      }));
    }
    for (int i = 0; i < n; ++i) (void)running.recv();
    for (int i = n; i > 0; --i) {
      EXPECT_FALSE(awake.try_recv());
      {
        const std::lock_guard hold(mu);  // they all wait: each released it only inside of wait
        c.signal();
      }
      (void)awake.recv();
      settle();
      EXPECT_FALSE(awake.try_recv()) << "more than one was woken";
    }
    c.signal();
    for (auto& a : all) a.join();
  });
}

// Go: sync/cond_test.go TestCondSignalGenerations
TEST(Cond, SignalsGoToThemInTheirOrder) {
  tenon::run([](const context&) {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 100;
    const auto running = tenon::make_chan<void>(n, "one for each");
    const auto awake = tenon::make_chan<int>(n, "one for each");
    std::vector<tenon::goroutine<>> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(tenon::go([&, i] {
        std::unique_lock hold(mu);
        running.send();
        c.wait(hold);
        awake.send(i);
      }));
      if (i > 0) {
        EXPECT_EQ(*awake.recv(), i - 1);
      }
      (void)running.recv();
      const std::lock_guard hold(mu);
      c.signal();
    }
    for (auto& g : all) g.join();
  });
}

// Go: sync/cond_test.go TestCondSignalGenerations
TEST(Cond, TheOneWhoHasWaitedLongestIsWokenFirst) {
  tenon::run(
      [](const context&) {
        tenon::mutex mu;
        tenon::cond c;
        int waiting = 0;  // who has counted itself in waits as soon as the mutex is free
        std::vector<int> order;
        std::vector<tenon::goroutine<>> all;
        const auto holds = [&](const auto& condition) {
          return eventually([&] {
            const std::lock_guard hold(mu);
            return condition();
          });
        };
        for (int i = 0; i < 10; ++i) {
          all.push_back(tenon::go([&, i] {
            std::unique_lock hold(mu);
            ++waiting;
            c.wait(hold);
            order.push_back(i);
          }));
          EXPECT_TRUE(holds([&] { return waiting == i + 1; }));
        }
        for (std::size_t i = 0; i < 10; ++i) {
          c.signal();
          EXPECT_TRUE(holds([&] { return order.size() == i + 1; }));
        }
        for (auto& g : all) g.join();
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
      },
      {.workers = 1});
}

// Go: sync/cond_test.go TestCondBroadcast
TEST_P(CondBy, ABroadcastWakesAll) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 20;
    const std::size_t rounds = tenon_test::scaled(20, 4);
    const auto running = tenon::make_chan<void>(n, "one for each");
    const auto awake = tenon::make_chan<void>(n, "one for each");
    bool over = false;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        while (!over) {
          running.send();
          c.wait(hold);
          awake.send();
        }
      }));
    }
    for (std::size_t r = 0; r < rounds; ++r) {
      for (int i = 0; i < n; ++i) (void)running.recv();
      {
        const std::lock_guard hold(mu);
        over = r + 1 == rounds;
        c.broadcast();
      }
      for (int i = 0; i < n; ++i) (void)awake.recv();
      EXPECT_FALSE(awake.try_recv());
    }
    for (auto& a : all) a.join();
  });
}

// Go: sync/cond_test.go TestRace
TEST_P(CondBy, ChangesAreSeenByWhoWaitsForThem) {
  tenon_test::as(GetParam(), [] {
    const std::size_t rounds = tenon_test::scaled(500, 20);
    for (std::size_t r = 0; r < rounds; ++r) {
      tenon::mutex mu;
      tenon::cond c;
      int x = 0;
      auto first = tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        x = 1;
        c.wait(hold, [&] { return x == 2; });
        x = 3;
        c.signal();
      });
      auto second = tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        while (x != 1) {
          hold.unlock();
          tenon::yield();
          hold.lock();
        }
        x = 2;
        c.signal();
        c.wait(hold, [&] { return x == 3; });
      });
      first.join();
      second.join();
      EXPECT_EQ(x, 3);
    }
  });
}

// Go: sync/cond_test.go TestCondSignalStealing
TEST(Cond, ALaterWaiterStealsNoSignal) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context&) {
          const std::size_t rounds = tenon_test::scaled(500, 20);
          for (std::size_t r = 0; r < rounds; ++r) {
            tenon::mutex mu;
            tenon::cond c;
            const auto waiting = tenon::make_chan<void>();
            auto first = tenon::go([&] {
              std::unique_lock hold(mu);
              waiting.send();
              c.wait(hold);
            });
            (void)waiting.recv();
            {
              const std::lock_guard first_waits(mu);
            }
            auto scope = tenon::with_cancel(tenon::background());
            const tenon::context ctx = scope.ctx();
            auto second = tenon::go([&, &x = ctx] {
              std::unique_lock hold(mu);
              return c.wait(hold, x);
            });
            c.signal();
            first
                .join();  // the signal was for whoever waited when it was given, unless the second was there, too, and later
            scope.cancel();
            (void)second.join();
          }
        },
        {.workers = workers});
  }
}

// Go: none: a wait that can be given up
TEST(Cond, WhoGivesUpHoldsTheLockAndTakesNoSignal) {
  tenon::run(
      [](const context& root) {
        tenon::mutex mu;
        tenon::cond c;
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        bool held = false;
        auto gives_up = tenon::go([&, &x = ctx] {
          std::unique_lock hold(mu);
          const bool signaled = c.wait(hold, x);
          held = hold.owns_lock() && !mu.try_lock();
          return signaled;
        });
        settle();
        std::atomic<bool> woken = false;
        auto stays = tenon::go([&] {
          std::unique_lock hold(mu);
          c.wait(hold);
          woken = true;
        });
        settle();
        scope.cancel();
        c.signal();  // the first has given up, whether or not it has run yet
        EXPECT_FALSE(gives_up.join());
        EXPECT_TRUE(held);
        stays.join();
        EXPECT_TRUE(woken);
        std::unique_lock hold(mu);
        EXPECT_FALSE(c.wait(hold, ctx));
        EXPECT_FALSE(c.wait(hold, ctx, [] { return false; }));
        EXPECT_TRUE(c.wait(hold, ctx, [] { return true; }));
      },
      {.workers = 1});
}

// Go: sync/cond.go: L may be any Locker
TEST(Cond, AnyLockWillDo) {
  tenon::run(
      [](const context&) {
        tenon::shared_mutex mu;
        tenon::cond c;
        std::atomic<int> ready = 0;
        std::vector<tenon::goroutine<>> all;
        for (int i = 0; i < 3; ++i) {
          all.push_back(tenon::go([&] {
            auto view = mu.shared_locker();
            view.lock();
            ++ready;
            c.wait(view);
            view.unlock();
          }));
        }
        EXPECT_TRUE(tenon_test::eventually([&] {
          if (ready != 3 || !mu.try_lock()) return false;
          mu.unlock();
          return true;
        }));
        c.broadcast();
        for (auto& g : all) g.join();
      },
      {.workers = 2});
}

// ---- from every kind of caller, and the edges -----------------------------------------------------------------------

using tenon::background;

/// Starts somebody who calls `f` with a lock on `mu`, and returns when that has released it: when it waits.
template <class F>
[[nodiscard]] tenon_test::companion start_waiting(tenon_test::callers kind, tenon::mutex& mu, F f) {
  const auto inside = tenon::make_chan<void>();
  auto other = tenon_test::start(kind, [&mu, inside, f = std::move(f)] {
    std::unique_lock hold(mu);
    inside.send();
    f(hold);
  });
  (void)inside.recv();
  const std::lock_guard it_waits(mu);
  return other;
}

/// A lock that does something right after its release, before the wait has begun to sleep.
class eventful_lock {
 public:
  explicit eventful_lock(std::function<void()> after_unlock) : after_unlock_(std::move(after_unlock)) {}
  void lock() { held_ = true; }
  void unlock() {
    held_ = false;
    after_unlock_();
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  std::function<void()> after_unlock_;
  bool held_ = true;
};

// Go: sync/cond_test.go TestCondSignalGenerations
TEST_P(CondBy, TheyAreWokenInTheOrderInWhichTheyCame) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 10;
    const auto awake = tenon::make_chan<int>(n, "one for each");
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(start_waiting(GetParam(), mu, [&, i](std::unique_lock<tenon::mutex>& hold) {
        c.wait(hold);
        awake.send(i);
      }));
    }
    for (int i = 0; i < n; ++i) {
      c.signal();
      EXPECT_EQ(*awake.recv(), i);
    }
    for (auto& a : all) a.join();
  });
}

// Go: sync/cond_test.go TestCondBroadcast: everybody one time
TEST_P(CondBy, ABroadcastWakesEachOneTime) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 12;
    const std::size_t rounds = tenon_test::scaled(20, 4);
    const auto running = tenon::make_chan<int>(n, "one for each");
    const auto awake = tenon::make_chan<int>(n, "one for each");
    bool over = false;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&, i] {
        std::unique_lock hold(mu);
        while (!over) {
          running.send(i);
          c.wait(hold);
          awake.send(i);
        }
      }));
    }
    for (std::size_t r = 0; r < rounds; ++r) {
      for (int i = 0; i < n; ++i) (void)running.recv();
      EXPECT_FALSE(awake.try_recv()) << "somebody was not asleep";
      {
        const std::lock_guard hold(mu);
        over = r + 1 == rounds;
      }
      c.broadcast();  // without the lock: they all wait
      std::vector<int> woken(n, 0);
      for (int i = 0; i < n; ++i) ++woken[static_cast<std::size_t>(*awake.recv())];
      EXPECT_EQ(woken, std::vector<int>(n, 1)) << "somebody woke up twice";
    }
    for (auto& a : all) a.join();
    EXPECT_FALSE(running.try_recv()) << "somebody did not leave";
    c.broadcast();
  });
}

// Go: sync/cond_test.go TestRace, its three goroutines
TEST_P(CondBy, EachChangeIsSeenByTheNext) {
  tenon_test::as(GetParam(), [] {
    const std::size_t rounds = tenon_test::scaled(200, 10);
    for (std::size_t r = 0; r < rounds; ++r) {
      tenon::mutex mu;
      tenon::cond c;
      int x = 0;
      std::vector<tenon_test::companion> all;
      all.push_back(tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        x = 1;
        c.wait(hold);
        EXPECT_EQ(x, 2);
        x = 3;
        c.signal();
      }));
      all.push_back(tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        while (x != 1) {
          hold.unlock();
          tenon::yield();
          hold.lock();
        }
        x = 2;
        c.signal();
      }));
      all.push_back(tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        while (x != 3) {
          if (x == 2) {
            c.wait(hold);
            EXPECT_EQ(x, 3);
            return;
          }
          hold.unlock();
          tenon::yield();
          hold.lock();
        }
      }));
      for (auto& a : all) a.join();
    }
  });
}

// Go: runtime/sema.go notifyListNotifyAll: whoever comes later is not among them
TEST_P(CondBy, ALaterWaiterDoesNotStealABroadcast) {
  tenon_test::as(GetParam(), [] {
    const std::size_t rounds = tenon_test::scaled(200, 10);
    for (std::size_t r = 0; r < rounds; ++r) {
      tenon::mutex mu;
      tenon::cond c;
      bool over = false;
      auto first = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { c.wait(hold); });
      auto wakes = tenon_test::start(GetParam(), [&] { c.broadcast(); });
      auto later = tenon_test::start(GetParam(), [&] {
        std::unique_lock hold(mu);
        while (!over) c.wait(hold);
      });
      first.join();
      {
        const std::lock_guard hold(mu);
        over = true;
      }
      c.broadcast();
      wakes.join();
      later.join();
    }
  });
}

// Go: sync/cond.go Signal: one that finds nobody is not kept for later
TEST_P(CondBy, ASignalWithNobodyWaitingIsNotKept) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    c.signal();
    c.broadcast();
    auto scope = tenon::with_timeout(background(), 5ms);
    const tenon::context ctx = scope.ctx();
    std::unique_lock hold(mu);
    EXPECT_FALSE(c.wait(hold, ctx));
    EXPECT_EQ(ctx.err(), tenon::deadline_exceeded());
    EXPECT_TRUE(hold.owns_lock());
  });
}

// Go: none: a wait that can be given up
TEST(Cond, ADeadlineEndsTheWaitAtItsTime) {
  tenon_test::in_virtual_time([](tenon::group& g) {
    const tenon_test::stopwatch since;
    tenon::mutex mu;
    tenon::cond c;
    g.go_n(6, [&](int i) {
      const auto scope = tenon::with_timeout(background(), (i + 1) * 5ms);
      std::unique_lock hold(mu);
      EXPECT_EQ(c.wait(hold, scope.ctx()), i > 3);
      EXPECT_TRUE(hold.owns_lock());
      EXPECT_EQ(since(), i > 3 ? 22ms : (i + 1) * 5ms);
    });
    tenon::sleep_for(22ms);
    c.signal();
    c.signal();
    EXPECT_FALSE(g.wait());
  });
}

// Go: sync/cond.go Wait: it is in the list before it unlocks
TEST_P(CondBy, ASignalBeforeTheWaitSleepsIsNotLost) {
  tenon_test::as(GetParam(), [] {
    tenon::cond c;
    eventful_lock signals([&] { c.signal(); });
    c.wait(signals);
    EXPECT_TRUE(signals.held());
    eventful_lock broadcasts([&] { c.broadcast(); });
    c.wait(broadcasts);
    EXPECT_TRUE(broadcasts.held());
    {
      auto scope = tenon::with_cancel(background());
      const tenon::context ctx = scope.ctx();
      eventful_lock both([&] {
        c.signal();
        scope.cancel();
      });
      EXPECT_TRUE(c.wait(both, ctx)) << "signaled first";
      EXPECT_TRUE(both.held());
    }
  });
}

// Go: none: a wait that can be given up
TEST_P(CondBy, ACancelBeforeTheWaitSleepsLeavesNothingBehind) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    eventful_lock cancels([&scope] { scope.cancel(); });
    EXPECT_FALSE(c.wait(cancels, ctx));
    EXPECT_TRUE(cancels.held());
    EXPECT_FALSE(c.wait(cancels, ctx)) << "canceled already";
    EXPECT_TRUE(cancels.held());
    auto stays = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { c.wait(hold); });
    c.signal();
    stays.join();
  });
}

// Go: none: an unlock that throws
TEST_P(CondBy, AnUnlockThatThrowsLeavesNothingBehind) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    eventful_lock throws([] { throw std::runtime_error("unlock"); });
    EXPECT_THROW(c.wait(throws), std::runtime_error);
    EXPECT_FALSE(throws.held()) << "the wait has not taken it again";
    eventful_lock signals_and_throws([&] {
      c.signal();
      throw std::runtime_error("unlock");
    });
    EXPECT_THROW(c.wait(signals_and_throws), std::runtime_error);
    auto stays = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { c.wait(hold); });
    c.signal();
    stays.join();
  });
}

// Go: none: a wait that can be given up
TEST_P(CondBy, AWaitEndsWithItsContextAndHoldsTheLock) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    constexpr int n = 6;
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    int gave_up = 0;  // not atomic: the lock, held again, orders it
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < n; ++i) {
      all.push_back(start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) {
        EXPECT_FALSE(c.wait(hold, ctx));
        EXPECT_TRUE(hold.owns_lock());
        ++gave_up;
        tenon::yield();
      }));
    }
    scope.cancel();
    for (auto& a : all) a.join();
    EXPECT_EQ(gave_up, n);
    auto next = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { c.wait(hold); });
    c.signal();  // not for one of those who have left
    next.join();
  });
}

// Go: none: a wait that can be given up
TEST_P(CondBy, AConditionIsWaitedForUntilTheContextEnds) {
  tenon_test::as(GetParam(), [] {
    tenon::mutex mu;
    tenon::cond c;
    int x = 0;
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    std::atomic<bool> ended = false;
    auto waits = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) {
      EXPECT_TRUE(c.wait(hold, ctx, [&] { return x == 2; }));
      EXPECT_EQ(x, 2);
      ended = true;
      EXPECT_FALSE(c.wait(hold, ctx, [&] { return x == 3; }));
      EXPECT_TRUE(hold.owns_lock());
      EXPECT_TRUE(c.wait(hold, ctx, [&] { return x == 2; })) << "canceled, but it is true";
    });
    for (int i = 1; i <= 2; ++i) {
      EXPECT_TRUE(tenon_test::stays_false(ended));
      {
        const std::lock_guard hold(mu);
        x = i;
      }
      c.signal();
    }
    EXPECT_TRUE(tenon_test::eventually([&] { return ended.load(); }));
    scope.cancel();
    waits.join();
  });
}

// Go: none: a wait that can be given up. A signal goes to somebody who waits, however the cancel falls
TEST_P(CondBy, ASignalIsNotLostOnOneWhoGivesUp) {
  tenon_test::as(GetParam(), [] {
    const std::size_t rounds = tenon_test::scaled(300, 20);
    for (std::size_t r = 0; r < rounds; ++r) {
      tenon::mutex mu;
      tenon::cond c;
      auto scope = tenon::with_cancel(background());
      const tenon::context ctx = scope.ctx();
      bool signaled = false;
      auto gives_up =
          start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { signaled = c.wait(hold, ctx); });
      auto stays = start_waiting(GetParam(), mu, [&](std::unique_lock<tenon::mutex>& hold) { c.wait(hold); });
      auto cancels = tenon_test::start(GetParam(), [&scope] { scope.cancel(); });
      if (r % 2 == 0) tenon::yield();
      c.signal();
      cancels.join();
      gives_up.join();
      if (signaled) c.signal();  // the first was signaled after all: this one is for the second
      stays.join();
    }
  });
}

// Go: sync/cond.go: L may be any Locker
TEST(Cond, TheStandardsLocksWillDo) {
  tenon::run(
      [](const context&) {
        tenon::shared_mutex mu;
        tenon::cond c;
        int x = 0;
        std::atomic<int> done = 0;
        tenon::wait_group wg;
        for (int i = 0; i < 3; ++i) {
          wg.go([&] {
            std::shared_lock hold(mu);
            c.wait(hold, [&] { return x == 1; });
            EXPECT_TRUE(hold.owns_lock());
            ++done;
          });
        }
        wg.go([&] {
          std::unique_lock hold(mu);
          c.wait(hold, [&] { return x == 1; });
          EXPECT_FALSE(mu.try_lock_shared()) << "it is the exclusive lock that is held again";
          ++done;
        });
        settle();
        EXPECT_EQ(done.load(), 0);
        {
          const std::unique_lock hold(mu);
          x = 1;
        }
        c.broadcast();
        wg.wait();
        EXPECT_EQ(done.load(), 4);
      },
      {.workers = 2});
}

// Go: sync/cond.go: L may be any Locker
TEST(Cond, AThreadMayWaitWithAStdMutex) {
  std::mutex mu;
  tenon::cond c;
  bool ready = false;
  tenon_test::os_thread waits([&] {
    std::unique_lock hold(mu);
    c.wait(hold, [&] { return ready; });
  });
  {
    const std::lock_guard hold(mu);
    ready = true;
  }
  c.signal();
  waits.join();
}

// Go: sync/cond_test.go BenchmarkCond32: a state with several changes; goroutines and threads together
TEST(Cond, ABoundedQueueOfGoroutinesAndThreadsLosesNothing) {
  const std::size_t each = tenon_test::scaled(500, 50);
  tenon::run(
      [&](const context&) {
        tenon::mutex mu;
        tenon::cond not_empty;
        tenon::cond not_full;
        std::deque<std::size_t> queue;
        std::size_t sum = 0;
        std::size_t got = 0;
        constexpr std::size_t producers = 4;
        const auto produce = [&] {
          for (std::size_t i = 1; i <= each; ++i) {
            std::unique_lock hold(mu);
            not_full.wait(hold, [&] { return queue.size() < 3; });
            queue.push_back(i);
            not_empty.signal();
          }
        };
        const auto consume = [&] {
          for (std::size_t i = 1; i <= each; ++i) {
            std::unique_lock hold(mu);
            not_empty.wait(hold, [&] { return !queue.empty(); });
            sum += queue.front();
            ++got;
            queue.pop_front();
            not_full.signal();
          }
        };
        tenon::wait_group wg;
        std::vector<std::unique_ptr<tenon_test::os_thread>> threads;
        for (std::size_t i = 0; i < producers / 2; ++i) {
          wg.go(produce);
          wg.go(consume);
          threads.push_back(std::make_unique<tenon_test::os_thread>(produce));
          threads.push_back(std::make_unique<tenon_test::os_thread>(consume));
        }
        wg.wait();
        for (auto& t : threads) t->join();
        EXPECT_EQ(got, producers * each);
        EXPECT_EQ(sum, producers * (each * (each + 1) / 2));
        EXPECT_TRUE(queue.empty());
      },
      {.workers = 2});
}

}  // namespace
