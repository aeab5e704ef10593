// Storms on shared mutexes, conds, semaphores and onces: waits that are given up, objects that end right after their last use.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/workers_case.hpp"
#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon_test::dawdle;
using tenon_test::random_source;

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

class LockStress : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, LockStress, testing::ValuesIn(tenon_test::worker_counts()));

// ---- shared_mutex ---------------------------------------------------------------------------------------------------

// What a shared mutex protects.
struct shared_state {
  std::atomic<int> readers{0};
  std::atomic<int> writers{0};
  std::size_t written = 0;  // neither is atomic: the lock orders them
  std::size_t written_too = 0;

  void write(random_source& random) {
    EXPECT_EQ(writers.fetch_add(1, std::memory_order_relaxed), 0);
    EXPECT_EQ(readers.load(std::memory_order_relaxed), 0);
    ++written;
    if (random.one_in(16)) tenon::yield();
    if (random.one_in(256)) tenon::sleep_for(20us);
    ++written_too;
    EXPECT_EQ(writers.fetch_sub(1, std::memory_order_relaxed), 1);
  }
  void read(random_source& random) {
    readers.fetch_add(1, std::memory_order_relaxed);
    EXPECT_EQ(writers.load(std::memory_order_relaxed), 0);
    if (random.one_in(16)) tenon::yield();
    EXPECT_EQ(written, written_too);
    readers.fetch_sub(1, std::memory_order_relaxed);
  }
};

TEST_P(LockStress, EveryWayToLockASharedMutexAtOnce) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(3000, 60);
  tenon::run(
      [&](const context&) {
        tenon::shared_mutex mu;
        shared_state state;
        std::atomic<std::size_t> wrote = 0;
        const auto work = [&](std::uint64_t who) {
          random_source random(seed.of(who));
          for (std::size_t i = 0; i < loops; ++i) {
            const bool writes = random.one_in(4);
            bool held = false;
            switch (random.below(4)) {
              case 0:
                writes ? acquire(mu) : acquire_shared(mu);
                held = true;
                break;
              case 1: held = writes ? try_acquire(mu) : try_acquire_shared(mu); break;
              case 2: {
                auto scope = tenon::with_timeout(background(), std::chrono::microseconds(random.below(100)));
                const tenon::context c = scope.ctx();
                held = writes ? acquire(mu, c) : acquire_shared(mu, c);
                break;
              }
              default: {
                auto scope = tenon::with_cancel(background());
                const tenon::context c = scope.ctx();
                tenon::wait_group canceler;
                canceler.go([&scope] { scope.cancel(); });
                held = writes ? acquire(mu, c) : acquire_shared(mu, c);
                if (held) {  // the canceler must not be waited for while the lock is held
                  writes ? state.write(random) : state.read(random);
                  if (writes) ++wrote;
                  writes ? release(mu) : release_shared(mu);
                  held = false;
                }
                canceler.wait();
              }
            }
            if (!held) continue;
            writes ? state.write(random) : state.read(random);
            if (writes) ++wrote;
            writes ? release(mu) : release_shared(mu);
          }
        };
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 12; ++i) wg.go([&, i] { work(i); });
        // No goroutines are started from here: a thread outside of run has none.
        tenon_test::os_thread thread([&] {
          random_source random(seed.of(100));
          for (std::size_t i = 0; i < loops; ++i) {
            auto scope = tenon::with_timeout(background(), std::chrono::microseconds(random.below(100)));
            const tenon::context c = scope.ctx();
            if (random.one_in(4)) {
              if (!acquire(mu, c)) continue;
              state.write(random);
              ++wrote;
              release(mu);
            } else {
              if (!acquire_shared(mu, c)) continue;
              state.read(random);
              release_shared(mu);
            }
          }
        });
        wg.wait();
        thread.join();
        EXPECT_EQ(state.written, wrote.load());
        EXPECT_TRUE(try_acquire(mu)) << "free at the end";
        release(mu);
      },
      {.workers = GetParam()});
}

// Those who do not give up would wait for ever if their turn had gone to somebody who did.
TEST_P(LockStress, CancelsRaceWithUnlocksOfASharedMutex) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(6000, 150);
  tenon::run(
      [&](const context&) {
        tenon::shared_mutex mu;
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const bool held_shared = random.one_in(2);
          held_shared ? acquire_shared(mu) : acquire(mu);
          tenon::wait_group wg;
          for (int i = 0; i < 6; ++i) {
            const bool writes = random.one_in(2);
            const bool gives_up = i < 4;
            wg.go([&, writes, gives_up] {
              if (gives_up) {
                if (!(writes ? acquire(mu, c) : acquire_shared(mu, c))) return;
              } else {
                writes ? acquire(mu) : acquire_shared(mu);
              }
              writes ? release(mu) : release_shared(mu);
            });
          }
          dawdle(random, 6);
          wg.go([&scope] { scope.cancel(); });
          dawdle(random, 2);
          held_shared ? release_shared(mu) : release(mu);
          wg.wait();
          ASSERT_TRUE(try_acquire(mu)) << "round " << r;
          release(mu);
        }
      },
      {.workers = GetParam()});
}

// A writer that gives up while a reader holds it, and a reader behind it that nobody else will let in.
TEST_P(LockStress, AReaderBehindAWriterThatGivesUpAlwaysGetsIn) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(8000, 150);
  tenon::run(
      [&](const context&) {
        tenon::shared_mutex mu;
        random_source random(seed.of(0));
        acquire_shared(mu);  // for the whole of the test
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          tenon::wait_group wg;
          for (int i = 0; i < 2; ++i) {
            wg.go([&mu, &c] { EXPECT_FALSE(acquire(mu, c)); });
            wg.go([&mu] {
              acquire_shared(mu);
              release_shared(mu);
            });
          }
          dawdle(random, 5);
          wg.go([&scope] { scope.cancel(); });
          wg.wait();
        }
        release_shared(mu);
      },
      {.workers = GetParam()});
}

// Whoever unlocks last may destroy the mutex, as with a count of references that it protects.
TEST_P(LockStress, TheLastOneToUnlockMayDestroyASharedMutex) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(8000, 200);
  tenon::run(
      [&](const context&) {
        struct shared {
          tenon::shared_mutex mu;
          std::atomic<int> references{0};
        };
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          constexpr int n = 4;
          auto* object = new shared;
          object->references = n;
          std::atomic<int> deleted = 0;
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          tenon::wait_group wg;
          for (int i = 0; i < n; ++i) {
            const bool reads_first = random.one_in(2);
            wg.go([object, &deleted, &c, reads_first] {
              if (reads_first && acquire_shared(object->mu, c)) release_shared(object->mu);
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

// ---- cond -----------------------------------------------------------------------------------------------------------

// One signal for two who wait, of whom the first gives up at the same time.
TEST_P(LockStress, ASignalIsNeverLostOnAWaitThatIsGivenUp) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(6000, 150);
  tenon::run(
      [&](const context&) {
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          tenon::mutex mu;
          auto c = std::make_unique<tenon::cond>();
          auto scope = tenon::with_cancel(background());
          const tenon::context ctx = scope.ctx();
          int waiting = 0;
          int signaled = 0;
          tenon::wait_group impatient;
          tenon::wait_group patient;
          const int n = 1 + static_cast<int>(random.below(3));
          for (int i = 0; i < n; ++i) {
            impatient.go([&] {
              std::unique_lock hold(mu);
              ++waiting;
              if (c->wait(hold, ctx)) ++signaled;
            });
          }
          patient.go([&] {
            std::unique_lock hold(mu);
            ++waiting;
            c->wait(hold);
          });
          for (;;) {
            const std::lock_guard hold(mu);
            if (waiting == n + 1) break;
            tenon::yield();
          }
          impatient.go([&scope] { scope.cancel(); });
          dawdle(random, 3);
          const bool all = random.one_in(4);
          all ? c->broadcast() : c->signal();
          impatient.wait();
          // Whoever was signaled has used it up; whoever gave up has not.
          if (!all) {
            EXPECT_LE(signaled, 1);
            if (signaled == 1) c->signal();
          }
          patient.wait();
          c.reset();
        }
      },
      {.workers = GetParam()});
}

// A queue of bounded length; some consumers give up again and again. Every item comes out one time.
TEST_P(LockStress, ABoundedQueueWithImpatientConsumers) {
  const tenon_test::seed_in_use seed;
  const std::size_t each = tenon_test::scaled(3000, 60);
  tenon::run(
      [&](const context& root) {
        constexpr std::size_t producers = 4;
        tenon::mutex mu;
        tenon::cond not_empty;
        tenon::cond not_full;
        std::size_t length = 0;
        std::size_t taken = 0;
        const std::size_t all_of_them = producers * each;
        tenon::wait_group wg;
        for (std::size_t i = 0; i < producers; ++i) {
          wg.go([&] {
            for (std::size_t k = 0; k < each; ++k) {
              std::unique_lock hold(mu);
              not_full.wait(hold, [&] { return length < 2; });
              ++length;
              not_empty.signal();
            }
          });
        }
        const auto consume = [&](std::uint64_t who, bool impatient) {
          random_source random(seed.of(who));
          for (;;) {
            std::unique_lock hold(mu);
            const auto something = [&] { return length > 0 || taken == all_of_them; };
            if (impatient) {
              auto scope = tenon::with_timeout(root, std::chrono::microseconds(random.below(60)));
              const tenon::context ctx = scope.ctx();
              if (!not_empty.wait(hold, ctx, something)) continue;
            } else {
              not_empty.wait(hold, something);
            }
            if (length == 0) return;
            --length;
            if (++taken == all_of_them) not_empty.broadcast();
            not_full.signal();
          }
        };
        for (std::uint64_t i = 0; i < 4; ++i) wg.go([&, i] { consume(i, i % 2 == 0); });
        tenon_test::os_thread thread([&] { consume(100, true); });
        wg.wait();
        thread.join();
        EXPECT_EQ(taken, all_of_them);
        EXPECT_EQ(length, 0U);
      },
      {.workers = GetParam()});
}

// The cond and its lock end as soon as those who were woken have seen it; the signal may be at it still.
TEST_P(LockStress, WhoWasWokenMayDestroyTheCond) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(10000, 200);
  tenon::run(
      [&](const context&) {
        struct shared {
          tenon::mutex mu;
          tenon::cond changed;
          bool ready = false;
        };
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          auto* object = new shared;
          const bool broadcasts = random.one_in(2);
          auto wakes = tenon::go([object, broadcasts] {
            const std::lock_guard hold(object->mu);
            object->ready = true;
            broadcasts ? object->changed.broadcast() : object->changed.signal();
          });
          dawdle(random, 2);
          {
            std::unique_lock hold(object->mu);
            object->changed.wait(hold, [&] { return object->ready; });
          }
          delete object;
          wakes.join();
        }
      },
      {.workers = GetParam()});
}

// ---- semaphore ------------------------------------------------------------------------------------------------------

TEST_P(LockStress, EveryWayToAcquireAtOnce) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(3000, 60);
  tenon::run(
      [&](const context&) {
        constexpr std::int64_t size = 7;
        tenon::semaphore s(size);
        std::atomic<std::int64_t> held = 0;
        std::atomic<int> wrong = 0;
        const auto work = [&](std::uint64_t who) {
          random_source random(seed.of(who));
          for (std::size_t i = 0; i < loops; ++i) {
            const auto n = static_cast<std::int64_t>(random.below(size + 1));
            bool mine = false;
            switch (random.below(4)) {
              case 0:
                s.acquire(n);
                mine = true;
                break;
              case 1: mine = s.try_acquire(n); break;
              case 2: {
                auto scope = tenon::with_timeout(background(), std::chrono::microseconds(random.below(100)));
                const tenon::context c = scope.ctx();
                mine = s.acquire(c, n);
                break;
              }
              default: {  // sometimes for more than there is
                auto scope = tenon::with_timeout(background(), std::chrono::microseconds(random.below(50)));
                const tenon::context c = scope.ctx();
                const auto more = n + static_cast<std::int64_t>(random.below(2)) * size;
                const bool got = s.acquire(c, more);
                if (got && more > size) ++wrong;
                mine = got && more == n;
                if (got && !mine) s.release(more);
              }
            }
            if (!mine) continue;
            if (held.fetch_add(n) + n > size) ++wrong;
            if (random.one_in(8)) tenon::yield();
            if (random.one_in(256)) tenon::sleep_for(20us);
            held.fetch_sub(n);
            s.release(n);
          }
        };
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 12; ++i) wg.go([&, i] { work(i); });
        tenon_test::os_thread thread([&] { work(100); });
        wg.wait();
        thread.join();
        EXPECT_EQ(wrong.load(), 0);
        EXPECT_TRUE(s.try_acquire(size)) << "units were lost";
        EXPECT_FALSE(s.try_acquire(1)) << "units were made";
      },
      {.workers = GetParam()});
}

// Large requests that give up, small ones behind them that do not.
TEST_P(LockStress, CancelsRaceWithReleases) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(6000, 150);
  tenon::run(
      [&](const context&) {
        constexpr std::int64_t size = 4;
        tenon::semaphore s(size);
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const auto ours = 1 + static_cast<std::int64_t>(random.below(size));
          s.acquire(ours);
          tenon::wait_group wg;
          for (int i = 0; i < 6; ++i) {
            const bool gives_up = i < 4;
            const auto n = gives_up ? size - static_cast<std::int64_t>(random.below(2))
                                    : 1 + static_cast<std::int64_t>(random.below(size));
            wg.go([&, gives_up, n] {
              if (gives_up) {
                if (!s.acquire(c, n)) return;
              } else {
                s.acquire(n);
              }
              s.release(n);
            });
          }
          dawdle(random, 6);
          wg.go([&scope] { scope.cancel(); });
          dawdle(random, 2);
          s.release(ours);
          wg.wait();
          ASSERT_TRUE(s.try_acquire(size)) << "round " << r;
          s.release(size);
        }
      },
      {.workers = GetParam()});
}

// A small request behind a large one that gives up, while nobody releases anything.
TEST_P(LockStress, ASmallRequestBehindALargeOneThatGivesUpIsAlwaysServed) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(8000, 150);
  tenon::run(
      [&](const context&) {
        tenon::semaphore s(3);
        random_source random(seed.of(0));
        s.acquire(1);  // for the whole of the test
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          tenon::wait_group wg;
          for (int i = 0; i < 2; ++i) {
            wg.go([&s, &c] { EXPECT_FALSE(s.acquire(c, 3)); });
            wg.go([&s] {
              s.acquire(1);
              s.release(1);
            });
          }
          dawdle(random, 5);
          wg.go([&scope] { scope.cancel(); });
          wg.wait();
        }
        s.release(1);
      },
      {.workers = GetParam()});
}

// The release that lets its owner in may be at it still when that destroys it.
TEST_P(LockStress, WhoWasServedMayDestroyTheSemaphore) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(10000, 200);
  tenon::run(
      [&](const context&) {
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          auto s = std::make_unique<tenon::semaphore>(1);
          s->acquire();
          auto releases = tenon::go([object = s.get()] { object->release(); });
          dawdle(random, 2);
          s->acquire();
          s.reset();
          releases.join();
        }
      },
      {.workers = GetParam()});
}

// ---- once -----------------------------------------------------------------------------------------------------------

TEST_P(LockStress, AOnceRunsOneTimeAlthoughSomeGiveUp) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(4000, 100);
  tenon::run(
      [&](const context&) {
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds; ++r) {
          tenon::once once;
          std::size_t runs = 0;  // not atomic: the calls order it
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const auto pause = random.below(4);
          const auto f = [&] {
            for (std::uint64_t y = 0; y < pause; ++y) tenon::yield();
            ++runs;
          };
          tenon::wait_group wg;
          for (int i = 0; i < 6; ++i) {
            wg.go([&, gives_up = i < 4] {
              if (gives_up) {
                if (!once.call(c, f)) return;
              } else {
                once.call(f);
              }
              EXPECT_EQ(runs, 1U);
            });
          }
          dawdle(random, 4);
          scope.cancel();
          wg.wait();
          ASSERT_TRUE(once.done());
          ASSERT_EQ(runs, 1U) << "round " << r;
        }
      },
      {.workers = GetParam()});
}

}  // namespace
