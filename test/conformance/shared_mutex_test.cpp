// long: one type, and one Go test file, in one place
// shared_mutex: readers side by side, writers alone, and whose turn it is.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/scale.hpp"
#include "support/values.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::eventually;
using tenon_test::settle;

// For what locks twice and has another unlock in between, as Go allows: where locks are checked that is a mistake.
const tenon::run_options hands_over{.workers = 2};

bool is_free(tenon::shared_mutex& mu) {
  if (!mu.try_lock()) return false;
  mu.unlock();
  return true;
}

class SharedMutexBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, SharedMutexBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: sync/rwmutex_test.go TestParallelReaders
TEST_P(SharedMutexBy, ReadersHoldItAtTheSameTime) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    constexpr int n = 4;
    const auto inside = tenon::make_chan<void>();
    const auto leave = tenon::make_chan<void>();
    std::vector<tenon_test::companion> readers;
    for (int i = 0; i < n; ++i) {
      readers.push_back(tenon_test::start(GetParam(), [&] {
        const std::shared_lock hold(mu);
        inside.send();
        (void)leave.recv();
      }));
    }
    for (int i = 0; i < n; ++i) (void)inside.recv();  // all of them, before one has left
    EXPECT_FALSE(mu.try_lock());
    leave.close();
    for (auto& r : readers) r.join();
    EXPECT_TRUE(is_free(mu));
  });
}

// Go: sync/rwmutex_test.go TestRWMutex
TEST_P(SharedMutexBy, ReadersAndWritersExcludeEachOther) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    const std::size_t loops = tenon_test::scaled(2000, 100);
    std::atomic<int> activity = 0;
    std::atomic<int> wrong = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&, writes = i % 5 == 0] {
        for (std::size_t k = 0; k < loops; ++k) {
          if (writes) {
            const std::unique_lock hold(mu);
            if (activity.fetch_add(10000) != 0) ++wrong;
            if (k % 8 == 0) tenon::yield();
            activity.fetch_sub(10000);
          } else {
            const std::shared_lock hold(mu);
            if (activity.fetch_add(1) >= 10000) ++wrong;
            if (k % 8 == 0) tenon::yield();
            activity.fetch_sub(1);
          }
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(wrong.load(), 0);
  });
}

// Go: sync/rwmutex_test.go TestRLocker
TEST(SharedMutex, TheSharedLockerLocksTheSharedWay) {
  tenon::shared_mutex mu;
  auto view = mu.shared_locker();
  {
    const std::lock_guard one(view);
    EXPECT_TRUE(view.try_lock());
    EXPECT_FALSE(mu.try_lock());
    view.unlock();
  }
  const std::unique_lock alone(mu);
  EXPECT_FALSE(view.try_lock());
}

/// Waits until somebody queues at `mu`, which this goroutine holds the shared way.
void await_a_writer(tenon::shared_mutex& mu) {
  EXPECT_TRUE(eventually([&] {
    if (!mu.try_lock_shared()) return true;
    mu.unlock_shared();
    return false;
  }));
}

// Go: sync/rwmutex.go: "a blocked Lock call excludes new readers from acquiring the lock"
class SharedMutexChecked : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Locks, SharedMutexChecked, testing::Bool(), testing::PrintToStringParamName());

TEST_P(SharedMutexChecked, AWaitingWriterKeepsNewReadersOut) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context&) {
          tenon::shared_mutex mu;
          std::vector<int> order;
          mu.lock_shared();
          auto writer = tenon::go([&] {
            const std::unique_lock hold(mu);
            order.push_back(1);
          });
          await_a_writer(mu);
          std::atomic<bool> in = false;
          auto reader = tenon::go([&] {
            const std::shared_lock hold(mu);
            in = true;
            order.push_back(2);
          });
          EXPECT_TRUE(tenon_test::stays_false(in));
          mu.unlock_shared();
          writer.join();
          reader.join();
          EXPECT_EQ(order, (std::vector<int>{1, 2}));
        },
        {.workers = workers, .check_locks = GetParam()});
  }
}

// Go: sync/rwmutex.go Unlock: the readers that wait go before the next writer
TEST(SharedMutex, AfterAWriterTheReadersThatWaitGoFirst) {
  tenon::run(
      [](const context&) {
        tenon::shared_mutex mu;
        tenon_test::journal order;
        mu.lock();
        std::vector<tenon::goroutine<>> all;
        const auto add = [&](bool writes) {
          all.push_back(tenon::go([&, writes] {
            if (writes) {
              const std::unique_lock hold(mu);
              order += 'w';
            } else {
              const std::shared_lock hold(mu);
              order += 'r';
            }
          }));
          settle();
        };
        add(true);
        add(false);
        add(false);
        add(true);
        mu.unlock();
        for (auto& g : all) g.join();
        EXPECT_EQ(order.text(), "rrww");
      },
      {.workers = 1});
}

// Go: none: a lock that can be given up
TEST(SharedMutex, AWriterThatGivesUpLetsTheReadersIn) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          tenon::shared_mutex mu;
          mu.lock_shared();
          auto scope = tenon::with_cancel(root);
          const tenon::context ctx = scope.ctx();
          auto writer = tenon::go([&mu, &c = ctx] { return mu.lock(c); });
          await_a_writer(mu);
          auto reader = tenon::go([&] {
            mu.lock_shared();
            mu.unlock_shared();
          });
          settle();
          scope.cancel();
          EXPECT_FALSE(writer.join());
          reader.join();  // although we still hold it
          mu.unlock_shared();
          EXPECT_TRUE(is_free(mu));
        },
        {.workers = workers});
  }
}

// Go: none: a lock that can be given up
TEST(SharedMutex, AReaderThatGivesUpLeavesNothingBehind) {
  tenon::run(
      [](const context& root) {
        tenon::shared_mutex mu;
        mu.lock();
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto reader = tenon::go([&mu, &c = ctx] { return mu.lock_shared(c); });
        settle();
        scope.cancel();
        EXPECT_FALSE(reader.join());
        mu.unlock();
        EXPECT_TRUE(is_free(mu));
        EXPECT_FALSE(mu.lock(ctx));
        EXPECT_FALSE(mu.lock_shared(ctx));
      },
      {.workers = 1});
}

// Go: none: the standard's guards
TEST(SharedMutex, WorksWithTheStandardsGuards) {
  tenon::shared_mutex a;
  tenon::mutex b;
  {
    const std::scoped_lock both(a, b);
    EXPECT_FALSE(a.try_lock_shared());
  }
  std::shared_lock later(a, std::defer_lock);
  EXPECT_TRUE(later.try_lock());
  const std::shared_lock second(a, std::try_to_lock);
  EXPECT_TRUE(second.owns_lock());
}

// ---- from every kind of caller, and the edges -----------------------------------------------------------------------

using tenon::background;

// Locked in one place and unlocked in another, as clang's analysis cannot follow it.
void acquire(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.lock(); }
bool acquire(tenon::shared_mutex& mu, const context& ctx) TENON_TSA(no_thread_safety_analysis) { return mu.lock(ctx); }
bool try_acquire(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { return mu.try_lock(); }
void release(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.unlock(); }
void acquire_shared(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.lock_shared(); }
bool acquire_shared(tenon::shared_mutex& mu, const context& ctx) TENON_TSA(no_thread_safety_analysis) {
  return mu.lock_shared(ctx);
}
bool try_acquire_shared(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { return mu.try_lock_shared(); }
void release_shared(tenon::shared_mutex& mu) TENON_TSA(no_thread_safety_analysis) { mu.unlock_shared(); }

void expect_free(tenon::shared_mutex& mu) {
  EXPECT_TRUE(try_acquire(mu)) << "somebody still holds it, or is thought to wait";
  release(mu);
  EXPECT_TRUE(try_acquire_shared(mu));
  release_shared(mu);
}

// Go: sync/rwmutex_test.go TestRWMutex: TryLock and TryRLock take what is free. Its first half
TEST_P(SharedMutexBy, TryingTakesWhatIsFree) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    acquire(mu);
    EXPECT_FALSE(try_acquire(mu));
    EXPECT_FALSE(try_acquire_shared(mu));
    release(mu);
    EXPECT_TRUE(try_acquire(mu));
    release(mu);
    EXPECT_TRUE(try_acquire_shared(mu));
    EXPECT_TRUE(try_acquire_shared(mu));
    EXPECT_FALSE(try_acquire(mu));
    release_shared(mu);
    EXPECT_FALSE(try_acquire(mu)) << "one reader is left";
    release_shared(mu);
    expect_free(mu);
  });
}

// Go: sync/rwmutex_test.go TestRWMutex, HammerRWMutex
TEST(SharedMutex, TwoWritersAndAnyNumberOfReadersExcludeEachOther) {
  const std::size_t loops = tenon_test::scaled(1000, 50);
  for (const unsigned workers : {1U, 2U, 8U}) {
    for (const int readers : {1, 3, 5, 10}) {
      tenon::run(
          [&](const context&) {
            tenon::shared_mutex mu;
            std::atomic<int> activity = 0;  // readers, and 10000 for each writer
            std::atomic<int> wrong = 0;
            tenon::wait_group wg;
            const auto write = [&] {
              for (std::size_t i = 0; i < loops; ++i) {
                acquire(mu);
                if (activity.fetch_add(10000) != 0) ++wrong;
                if (i % 16 == 0) tenon::yield();
                activity.fetch_sub(10000);
                release(mu);
              }
            };
            const auto read = [&] {
              for (std::size_t i = 0; i < loops; ++i) {
                acquire_shared(mu);
                if (const int n = activity.fetch_add(1); n < 0 || n >= 10000) ++wrong;
                if (i % 16 == 0) tenon::yield();
                activity.fetch_sub(1);
                release_shared(mu);
              }
            };
            wg.go(write);
            for (int i = 0; i < readers / 2; ++i) wg.go(read);
            wg.go(write);
            for (int i = readers / 2; i < readers; ++i) wg.go(read);
            wg.wait();
            EXPECT_EQ(wrong.load(), 0) << workers << " workers, " << readers << " readers";
            expect_free(mu);
          },
          {.workers = workers});
    }
  }
}

// Go: sync/rwmutex_test.go TestRLocker
TEST_P(SharedMutexBy, TheSharedLockerHoldsAWriterUpUntilAllHaveLeft) {
  tenon_test::as(
      GetParam(),
      [] {
        tenon::shared_mutex mu;
        auto view = mu.shared_locker();
        const auto wlocked = tenon::make_chan<void>(1);
        const auto rlocked = tenon::make_chan<void>(1);
        constexpr int n = 10;
        auto other = tenon_test::start(GetParam(), [&] {
          for (int i = 0; i < n; ++i) {
            view.lock();
            view.lock();
            rlocked.send();
            acquire(mu);
            wlocked.send();
          }
        });
        for (int i = 0; i < n; ++i) {
          (void)rlocked.recv();
          view.unlock();
          settle();
          EXPECT_FALSE(wlocked.try_recv()) << "it was not locked the shared way";
          view.unlock();
          (void)wlocked.recv();
          settle();
          EXPECT_FALSE(rlocked.try_recv()) << "the writer's lock was not respected";
          release(mu);
        }
        other.join();
      },
      hands_over);
}

// Go: sync/rwmutex.go: "a blocked Lock call excludes new readers from acquiring the lock"
TEST_P(SharedMutexBy, AWaitingWriterGoesBeforeWhoComesLater) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    int written = 0;  // not atomic: the lock orders it
    acquire_shared(mu);
    auto writer = tenon_test::start(GetParam(), [&] {
      acquire(mu);
      written = 1;
      release(mu);
    });
    await_a_writer(mu);
    std::atomic<bool> in = false;
    std::atomic<int> seen = 0;
    std::vector<tenon_test::companion> readers;
    for (int i = 0; i < 3; ++i) {
      readers.push_back(tenon_test::start(GetParam(), [&] {
        acquire_shared(mu);
        in = true;
        seen += written;
        release_shared(mu);
      }));
    }
    EXPECT_TRUE(tenon_test::stays_false(in));
    EXPECT_FALSE(try_acquire_shared(mu));
    EXPECT_FALSE(try_acquire(mu));
    release_shared(mu);
    writer.join();
    for (auto& r : readers) r.join();
    EXPECT_EQ(seen.load(), 3) << "a reader came before the writer that had waited";
    expect_free(mu);
  });
}

// Go: sync/rwmutex.go Unlock, and Lock: by turns
TEST(SharedMutex, ReadersThatComeLateWaitForTheNextWriter) {
  tenon::run(
      [](const context&) {
        tenon::shared_mutex mu;
        tenon_test::journal order;
        const auto leave = tenon::make_chan<void>();
        std::vector<tenon::goroutine<>> all;
        const auto add = [&](char kind) {
          all.push_back(tenon::go([&, kind] {
            if (kind == 'w') {
              const std::unique_lock hold(mu);
              order += kind;
            } else {
              const std::shared_lock hold(mu);
              order += kind;
              if (kind == 'r') (void)leave.recv();
            }
          }));
          settle();
        };
        acquire(mu);
        add('w');
        add('r');
        add('r');
        add('w');
        release(mu);
        settle();
        EXPECT_EQ(order.text(), "rr");
        add('l');  // a late one
        EXPECT_EQ(order.text(), "rr") << "a reader has overtaken the writers";
        leave.close();
        for (auto& g : all) g.join();
        EXPECT_EQ(order.text(), "rrwlw");
        expect_free(mu);
      },
      {.workers = 1});
}

// Go: none: a lock that can be given up
TEST_P(SharedMutexBy, AWriterThatGivesUpLetsThoseBehindItIn) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      tenon::shared_mutex mu;
      acquire_shared(mu);
      auto scope = tenon::with_cancel(background());
      const tenon::context c = scope.ctx();
      std::atomic<int> gave_up = 0;
      auto writer = tenon_test::start(GetParam(), [&] {
        if (!acquire(mu, c)) ++gave_up;
      });
      await_a_writer(mu);
      std::vector<tenon_test::companion> readers;
      for (int i = 0; i < 3; ++i) {
        readers.push_back(tenon_test::start(GetParam(), [&] {
          acquire_shared(mu);
          release_shared(mu);
        }));
      }
      if (round % 2 == 0) settle();
      scope.cancel();
      writer.join();
      for (auto& r : readers) r.join();  // although we hold it still
      EXPECT_EQ(gave_up.load(), 1);
      EXPECT_FALSE(try_acquire(mu));
      release_shared(mu);
      expect_free(mu);
    }
  });
}

// Go: none: a lock that can be given up
TEST(SharedMutex, AWriterThatGivesUpLeavesTheTurnToTheNextWriter) {
  tenon::run(
      [](const context& root) {
        tenon::shared_mutex mu;
        std::string order;
        acquire_shared(mu);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto first = tenon::go([&mu, &c = ctx] { return acquire(mu, c); });
        settle();
        auto second = tenon::go([&] {
          const std::unique_lock hold(mu);
          order += 'w';
        });
        settle();
        auto reader = tenon::go([&] {
          const std::shared_lock hold(mu);
          order += 'r';
        });
        settle();
        scope.cancel();
        EXPECT_FALSE(first.join());
        settle();
        EXPECT_EQ(order, "") << "the reader came in although a writer still waits";
        release_shared(mu);
        second.join();
        reader.join();
        EXPECT_EQ(order, "wr");
      },
      {.workers = 1});
}

// Go: none: a lock that can be given up. Those who gave up have not run yet when the lock is released
TEST(SharedMutex, AnUnlockPassesOverThoseWhoHaveJustGivenUp) {
  tenon_test::in_virtual_time([](const context& root) {
    for (const bool a_writer_waits : {false, true}) {
      for (const bool held_shared : {false, true}) {
        tenon::shared_mutex mu;
        held_shared ? acquire_shared(mu) : acquire(mu);
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        std::vector<tenon::goroutine<bool>> gone;
        std::atomic<bool> wrote = false;
        tenon::wait_group wg;
        gone.push_back(tenon::go([&mu, &c = ctx] { return acquire(mu, c); }));
        settle();
        if (a_writer_waits) {
          wg.go([&] {
            acquire(mu);
            wrote = true;
            release(mu);
          });
          settle();
        }
        for (int i = 0; i < 2; ++i) gone.push_back(tenon::go([&mu, &c = ctx] { return acquire_shared(mu, c); }));
        settle();
        scope.cancel();
        held_shared ? release_shared(mu) : release(mu);
        if (a_writer_waits) {
          EXPECT_FALSE(try_acquire_shared(mu)) << "the writer has it by now";
          wg.wait();
          EXPECT_TRUE(wrote.load());
        } else {
          expect_free(mu);
        }
        for (auto& g : gone) EXPECT_FALSE(g.join());
        expect_free(mu);
      }
    }
  });
}

// Go: none: a lock that can be given up
TEST_P(SharedMutexBy, WhoGivesUpLeavesNothingBehind) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      tenon::shared_mutex mu;
      const bool held_shared = round % 2 == 0;
      held_shared ? acquire_shared(mu) : acquire(mu);
      auto scope = tenon::with_cancel(background());
      const tenon::context c = scope.ctx();
      std::atomic<int> took = 0;
      std::vector<tenon_test::companion> all;
      for (int i = 0; i < 2; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          if (acquire(mu, c)) ++took;
        }));
      }
      // Readers get in beside a reader, unless a writer is there already.
      if (held_shared) await_a_writer(mu);
      for (int i = 0; i < 2; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          if (!acquire_shared(mu, c)) return;
          if (!held_shared) ++took;
          release_shared(mu);
        }));
      }
      settle();
      scope.cancel();
      for (auto& a : all) a.join();
      EXPECT_EQ(took.load(), 0);
      held_shared ? release_shared(mu) : release(mu);
      expect_free(mu);
    }
  });
}

// Go: none: a lock that can be given up
TEST_P(SharedMutexBy, ACanceledContextTakesNothing) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    EXPECT_TRUE(acquire(mu, c));
    release(mu);
    EXPECT_TRUE(acquire_shared(mu, c));
    release_shared(mu);
    scope.cancel();
    for (int i = 0; i < 100; ++i) {
      EXPECT_FALSE(acquire(mu, c)) << "also where it is free";
      EXPECT_FALSE(acquire_shared(mu, c)) << "also where it is free";
    }
    expect_free(mu);
    auto view = mu.shared_locker();
    EXPECT_FALSE(view.lock(c));
    expect_free(mu);
  });
}

// Go: none: a lock that can be given up
TEST_P(SharedMutexBy, ADeadlineEndsTheWait) {
  tenon_test::as(GetParam(), [] {
    tenon::shared_mutex mu;
    acquire(mu);
    {
      auto scope = tenon::with_timeout(background(), 5ms);
      const tenon::context c = scope.ctx();
      EXPECT_FALSE(acquire_shared(mu, c));
      EXPECT_EQ(c.err(), tenon::deadline_exceeded());
    }
    {
      auto scope = tenon::with_timeout(background(), 5ms);
      const tenon::context c = scope.ctx();
      EXPECT_FALSE(acquire(mu, c));
      EXPECT_EQ(c.err(), tenon::deadline_exceeded());
    }
    release(mu);
    expect_free(mu);
  });
}

// Go: none: a lock that can be given up
TEST(SharedMutex, ADeadlineEndsTheWaitAtItsTimeAndLetsTheReadersIn) {
  tenon_test::in_virtual_time([](tenon::group& g) {
    const tenon_test::stopwatch since;
    tenon::shared_mutex mu;
    acquire_shared(mu);
    g.go([&] {
      const auto scope = tenon::with_timeout(background(), 5ms);
      EXPECT_FALSE(acquire(mu, scope.ctx()));
      EXPECT_EQ(since(), 5ms);
    });
    g.go([&] {
      tenon::sleep_for(1ms);
      acquire_shared(mu);  // behind the writer
      EXPECT_EQ(since(), 5ms);
      release_shared(mu);
    });
    g.go([&] {
      tenon::sleep_for(1ms);
      const auto scope = tenon::with_timeout(background(), 2ms);
      EXPECT_FALSE(acquire_shared(mu, scope.ctx()));
      EXPECT_EQ(since(), 3ms);
    });
    EXPECT_FALSE(g.wait());
    release_shared(mu);
    expect_free(mu);
  });
}

// Go: sync/rwmutex.go: "As with Mutexes, a locked [RWMutex] is not associated with a particular goroutine"
TEST_P(SharedMutexBy, SomebodyElseMayUnlockIt) {
  tenon_test::as(
      GetParam(),
      [] {
        tenon::shared_mutex mu;
        acquire(mu);
        auto unlocks = tenon_test::start(GetParam(), [&] { release(mu); });
        acquire_shared(mu);
        unlocks.join();
        auto unlocks_shared = tenon_test::start(GetParam(), [&] { release_shared(mu); });
        acquire(mu);
        unlocks_shared.join();
        release(mu);
        expect_free(mu);
      },
      hands_over);
}

// Go: sync/rwmutex.go: what happens before Unlock happens before the return of RLock, and the other way round
TEST_P(SharedMutexBy, OrdersWhatWasWritten) {
  const std::size_t loops = tenon_test::scaled(1000, 50);
  tenon_test::as(GetParam(), [&] {
    tenon::shared_mutex mu;
    std::size_t first = 0;  // neither is atomic: the lock orders them
    std::size_t second = 0;
    std::atomic<int> torn = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 6; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&, writes = i < 2] {
        for (std::size_t k = 0; k < loops; ++k) {
          if (writes) {
            const std::unique_lock hold(mu);
            ++first;
            if (k % 8 == 0) tenon::yield();
            ++second;
          } else {
            const std::shared_lock hold(mu);
            if (first != second) ++torn;
          }
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(torn.load(), 0);
    EXPECT_EQ(first, 2 * loops);
    EXPECT_EQ(second, 2 * loops);
  });
}

// Go: sync/rwmutex_test.go TestRWMutex, goroutines and threads on one lock
TEST(SharedMutex, GoroutinesAndThreadsShareOne) {
  const std::size_t loops = tenon_test::scaled(1000, 100);
  tenon::run(
      [&](const context&) {
        tenon::shared_mutex mu;
        std::size_t count = 0;
        std::atomic<int> writers = 0;
        std::atomic<int> wrong = 0;
        const auto work = [&] {
          for (std::size_t k = 0; k < loops; ++k) {
            if (k % 4 == 0) {
              const std::unique_lock hold(mu);
              if (writers.fetch_add(1) != 0) ++wrong;
              ++count;
              writers.fetch_sub(1);
            } else {
              const std::shared_lock hold(mu);
              if (writers.load() != 0) ++wrong;
            }
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
        EXPECT_EQ(wrong.load(), 0);
        EXPECT_EQ(count, 8 * ((loops + 3) / 4));
      },
      {.workers = 2});
}

// Go: none: the standard's guards
TEST(SharedMutex, ScopedLockOrdersTwoOfThem) {
  const std::size_t loops = tenon_test::scaled(1000, 100);
  tenon::run(
      [&](const context&) {
        tenon::shared_mutex a;
        tenon::shared_mutex b;
        std::size_t passes = 0;
        auto g = tenon::go([&] {
          for (std::size_t i = 0; i < loops; ++i) {
            const std::scoped_lock hold(a, b);
            ++passes;
          }
        });
        for (std::size_t i = 0; i < loops; ++i) {
          const std::scoped_lock hold(b, a);
          ++passes;
        }
        g.join();
        EXPECT_EQ(passes, 2 * loops);
      },
      {.workers = 2});
}

// Go: none: the standard's guards
TEST(SharedMutex, AGuardCanBeGivenAway) {
  tenon::shared_mutex mu;
  std::shared_lock outer(mu, std::defer_lock);
  {
    std::shared_lock inner(mu);
    outer = std::move(inner);
  }
  EXPECT_TRUE(outer.owns_lock());
  EXPECT_FALSE(try_acquire(mu)) << "it is held still";
  outer.unlock();
  std::unique_lock alone(mu, std::try_to_lock);
  EXPECT_TRUE(alone.owns_lock());
  EXPECT_FALSE(outer.try_lock());
  alone.unlock();
  expect_free(mu);
}

// Go: sync/rwmutex.go: waiting blocks the goroutine alone
TEST(SharedMutex, AWaiterLeavesItsWorkerToOthers) {
  tenon::run(
      [](const context&) {
        tenon::shared_mutex mu;
        acquire(mu);
        std::atomic<bool> had = false;
        std::vector<tenon::goroutine<>> all;
        for (const bool writes : {true, false}) {
          all.push_back(tenon::go([&, writes] {
            writes ? acquire(mu) : acquire_shared(mu);
            had = true;
            writes ? release(mu) : release_shared(mu);
          }));
        }
        EXPECT_TRUE(tenon_test::stays_false(had));
        release(mu);
        for (auto& g : all) g.join();
      },
      {.workers = 1});
}

// Go: sync/rwmutex.go: a lock is bound to no run, and its end needs no call
TEST(SharedMutex, OutlivesARun) {
  tenon::shared_mutex mu;
  tenon::run([&](const context&) { acquire_shared(mu); });
  EXPECT_FALSE(try_acquire(mu));
  tenon::run([&](const context&) { release_shared(mu); });
  expect_free(mu);
}

}  // namespace
