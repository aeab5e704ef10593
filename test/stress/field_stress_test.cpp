// What users of comparable libraries ran into where threads race, told in our words: each test is named after its case. Waiting, waking
// and giving up here; the other parts are field_meeting_stress_test.cpp and field_process_stress_test.cpp. With 1, 2 and 8 workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <tenon/tenon.hpp>

#include "stress/helper.hpp"
#include "stress/watchdog.hpp"
#include "stress/workers_case.hpp"
#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::dawdle;
using tenon_test::helper;
using tenon_test::helper_kind;
using tenon_test::random_source;
using tenon_test::seed_in_use;
using tenon_test::watchdog;
using tenon_test::workers_case;

// ---- F1 -------------------------------------------------------------------------------------------------------------

class FieldF1 : public workers_case {
 protected:
  // Two wait, each with a context. At one moment one thread lets one of them through and another one cancels A: then A came through, or A
  // is canceled and B came through. Whoever comes through keeps what it got until `give` is called again.
  static void one_given_one_canceled(const std::function<bool(const context&)>& wait, const std::function<void()>& give,
                                     const std::function<void(int)>& await_waiters, tenon_test::callers kind,
                                     std::size_t rounds) {
    const seed_in_use seed;
    in_run([&](const context& root) {
      random_source random(seed.of(0));
      helper gives(helper_kind::thread);
      helper cancels(helper_kind::thread);
      for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
        const auto scope_a = tenon::with_cancel(root);
        const auto scope_b = tenon::with_cancel(root);
        bool a = false;
        bool b = false;
        auto one = tenon_test::start(kind, [&] { a = wait(scope_a.ctx()); });
        if (random.one_in(2)) dawdle(random, 3);
        auto two = tenon_test::start(kind, [&] { b = wait(scope_b.ctx()); });
        await_waiters(2);
        dawdle(random, 3);
        gives.ask(give);
        cancels.ask([&] { scope_a.cancel(); });
        one.join();
        gives.await();
        cancels.await();
        if (a) give();
        two.join();
        EXPECT_TRUE(b) << "round " << r;
        watchdog::step();
      }
    });
  }
  static constexpr std::array both{tenon_test::callers::goroutines, tenon_test::callers::goroutine_and_os_threads};
  static std::size_t rounds(tenon_test::callers kind) {
    return kind == tenon_test::callers::goroutines ? tenon_test::scaled_spawns(10000) : tenon_test::scaled(1000, 50);
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, FieldF1, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

TEST_P(FieldF1, ASignalForTwoOfWhomOneGivesUpReachesTheOther_Cond) {
  for (const auto kind : both) {
    tenon::mutex mu;
    tenon::cond c;
    std::atomic<int> waiting = 0;
    one_given_one_canceled(
        [&](const context& ctx) {
          std::unique_lock hold(mu);
          ++waiting;
          return c.wait(hold, ctx);
        },
        [&] {
          const std::lock_guard hold(mu);
          c.signal();
        },
        [&](int n) {
          while (waiting != n) tenon::yield();
          const std::lock_guard hold(mu);  // they count themselves under it, and are in the list when they release it
          waiting = 0;
        },
        kind, rounds(kind));
  }
}

TEST_P(FieldF1, ASignalForTwoOfWhomOneGivesUpReachesTheOther_Semaphore) {
  for (const auto kind : both) {
    tenon::semaphore s(1);
    s.acquire();
    one_given_one_canceled([&](const context& ctx) { return s.acquire(ctx); }, [&] { s.release(); }, [](int) {}, kind,
                           rounds(kind));
  }
}

template <class Mutex>
void let_go(Mutex& mu) TENON_TSA(no_thread_safety_analysis) {
  mu.unlock();
}
template <class Mutex>
void take(Mutex& mu) TENON_TSA(no_thread_safety_analysis) {
  mu.lock();
}
template <class Mutex>
bool take(Mutex& mu, const context& ctx) TENON_TSA(no_thread_safety_analysis) {
  return mu.lock(ctx);
}

TEST_P(FieldF1, ASignalForTwoOfWhomOneGivesUpReachesTheOther_Mutex) {
  for (const auto kind : both) {
    tenon::mutex mu;
    take(mu);
    one_given_one_canceled([&](const context& ctx) { return take(mu, ctx); }, [&] { let_go(mu); }, [](int) {}, kind,
                           rounds(kind));
  }
}

TEST_P(FieldF1, ASignalForTwoOfWhomOneGivesUpReachesTheOther_SharedMutex) {
  for (const auto kind : both) {
    tenon::shared_mutex mu;
    take(mu);
    one_given_one_canceled([&](const context& ctx) { return take(mu, ctx); }, [&] { let_go(mu); }, [](int) {}, kind,
                           rounds(kind));
  }
}

TEST_P(FieldF1, ASignalForTwoOfWhomOneGivesUpReachesTheOther_Channel) {
  for (const auto kind : both) {
    for (const int capacity : {0, 1}) {
      const auto c = tenon::make_chan<int>(capacity, "a test");
      one_given_one_canceled([&](const context& ctx) { return c.recv(ctx).has_value(); }, [&] { c.send(1); },
                             [](int) {}, kind, rounds(kind) / 2);
    }
  }
}

// ---- F2 -------------------------------------------------------------------------------------------------------------

using FieldF2 = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FieldF2, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Of ten, eight are held. A wants five, B wants one behind it; A is canceled, by hand, by its deadline, by dropping its handle. B gets
// through although nobody releases anything; then there is one left.
TEST_P(FieldF2, WhoWaitsBehindALargeRequestThatGivesUpGetsThrough) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(50000);
  in_run([&](const context& root) {
    random_source random(seed.of(0));
    helper cancels(helper_kind::thread);
    tenon::semaphore s(10);
    s.acquire(8);
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      const std::uint64_t how = random.below(3);
      auto scope =
          how == 1 ? tenon::with_timeout(root, std::chrono::microseconds(random.below(40))) : tenon::with_cancel(root);
      auto a = tenon::go(scope.ctx(), [&](const context& mine) { EXPECT_FALSE(s.acquire(mine, 5)); });
      // Until it stands in the queue: then nobody else gets one of the two that are free.
      while (!scope.ctx().is_canceled() && s.try_acquire(1)) {
        s.release(1);
        tenon::yield();
      }
      auto b = tenon::go([&] { s.acquire(1); });
      dawdle(random, 3);
      if (how == 0) cancels.ask([&] { scope.cancel(); });
      if (how == 2) a = {};
      b.join();
      if (how != 2) a.join();
      cancels.await();
      EXPECT_FALSE(s.try_acquire(2)) << "round " << r;
      EXPECT_TRUE(s.try_acquire(1)) << "round " << r;
      s.release(2);
      watchdog::step();
    }
  });
}

// ---- F3 -------------------------------------------------------------------------------------------------------------

class FieldF3 : public workers_case {
 protected:
  using item = std::unique_ptr<std::uint64_t>;
  // The producer gives up again and again, too. Everything comes, once and in order.
  static void all_come(int capacity, const std::function<std::optional<item>(const tenon::chan<item>&)>& receive) {
    const seed_in_use seed;
    const std::uint64_t count = tenon_test::scaled(10000, 300);
    in_run([&](const context& root) {
      const auto c = tenon::make_chan<item>(capacity, "a test");
      auto producer = tenon::go([&] {
        random_source random(seed.of(1));
        for (std::uint64_t n = 1; n <= count; ++n) {
          auto v = std::make_unique<std::uint64_t>(n);
          for (;;) {
            const auto scope = tenon::with_timeout(root, std::chrono::microseconds(random.below(80)));
            if (c.send(scope.ctx(), std::move(v))) break;
            ASSERT_TRUE(v != nullptr && *v == n) << "what was refused is still there";  // NOLINT: not moved from
          }
          if (random.one_in(8)) tenon::sleep_for(std::chrono::microseconds(random.below(100)));
          watchdog::step();
        }
      });
      for (std::uint64_t expected = 1; expected <= count;) {
        const auto v = receive(c);
        if (!v) continue;
        ASSERT_TRUE(*v != nullptr);
        ASSERT_EQ(**v, expected++);
      }
      producer.join();
      EXPECT_EQ(c.len(), 0U);
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, FieldF3, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// A consumer that receives or gives up after 50 us, over and over, with a context.
TEST_P(FieldF3, NothingIsLostOnReceivesThatGiveUp) {
  for (const int capacity : {0, 1, 8}) {
    all_come(capacity, [](const tenon::chan<item>& c) {
      const auto scope = tenon::with_timeout(tenon::background(), 50us);
      return c.recv(scope.ctx());
    });
  }
}

// The same with a select and `after`.
TEST_P(FieldF3, NothingIsLostOnSelectsThatGiveUp) {
  for (const int capacity : {0, 1, 8}) {
    all_come(capacity, [](const tenon::chan<item>& c) -> std::optional<item> {
      auto next = tenon::recv(c);
      auto late = tenon::recv(tenon::after(50us));
      tenon::select(next, late);
      if (next) return std::move(*next);
      return std::nullopt;
    });
  }
}

// ---- F4 -------------------------------------------------------------------------------------------------------------

// Something to wait for, which ends as soon as the wait has. Afterwards its place is filled with a mark, and whoever touches it still is
// found out. Where a sanitizer watches, it is on the heap instead.
template <class T>
class short_lived {
 public:
  short_lived() {
    if (tenon_test::sanitized()) {
      it_ = new T;
    } else {
      it_ = ::new (static_cast<void*>(place_)) T;
    }
  }
  short_lived(const short_lived&) = delete;
  short_lived& operator=(const short_lived&) = delete;
  ~short_lived() = default;
  T& operator*() { return *it_; }
  void end() {
    if (tenon_test::sanitized()) {
      delete it_;
    } else {
      it_->~T();
      std::memset(place_, mark, sizeof place_);
    }
  }
  [[nodiscard]] bool untouched() const {
    return tenon_test::sanitized() ||
           std::all_of(place_, place_ + sizeof place_, [](unsigned char c) { return c == mark; });
  }

 private:
  static constexpr unsigned char mark = 0xEE;
  T* it_;
  alignas(T) unsigned char place_[sizeof(T)];
};

class FieldF4 : public workers_case {
 protected:
  // `prepare`, `wait` and `finish` get the T; finish is by somebody else, at the same time as wait.
  template <class T, class Prepare, class Wait, class Finish>
  static void the_waiter_destroys_it(Prepare prepare, Wait wait, Finish finish) {
    const seed_in_use seed;
    const std::size_t rounds = tenon_test::scaled(8000, 200);
    for (const auto waits : {helper_kind::goroutine, helper_kind::thread}) {
      for (const auto finishes : {helper_kind::goroutine, helper_kind::thread}) {
        in_run([&](const context&) {
          random_source random(seed.of(0));
          helper waiter(waits);
          helper finisher(finishes);
          for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
            short_lived<T> object;
            prepare(*object);
            const bool first = random.one_in(2);
            const std::uint64_t pause = random.below(200);
            const auto works = [&] {
              for (std::uint64_t i = pause; i > 0; --i) std::atomic_signal_fence(std::memory_order_seq_cst);
              finish(*object);
            };
            if (first) finisher.ask(works);
            waiter.ask([&] {
              wait(*object);
              object.end();
            });
            if (!first) finisher.ask(works);
            waiter.await();
            finisher.await();
            EXPECT_TRUE(object.untouched())
                << "round " << r << (waits == helper_kind::thread ? ", a thread" : ", a goroutine") << " waits, "
                << (finishes == helper_kind::thread ? "a thread" : "a goroutine") << " finishes";
            watchdog::step();
          }
        });
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, FieldF4, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// A wait group on the waiter's stack; somebody else does the last `done`.
TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_WaitGroup) {
  the_waiter_destroys_it<tenon::wait_group>([](auto& wg) { wg.add(); }, [](auto& wg) { wg.wait(); },
                                            [](auto& wg) { wg.done(); });
}

// A flag with its mutex and cond; somebody else sets it and signals, with the lock held.
TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_CondAndMutex) {
  struct flag {
    tenon::mutex mu;
    tenon::cond changed;
    bool set = false;
  };
  the_waiter_destroys_it<flag>([](flag&) {},
                               [](flag& f) {
                                 std::unique_lock hold(f.mu);
                                 f.changed.wait(hold, [&] { return f.set; });
                               },
                               [](flag& f) {
                                 const std::lock_guard hold(f.mu);
                                 f.set = true;
                                 f.changed.signal();
                               });
}

// A locked mutex; somebody else unlocks it.
TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_Mutex) {
  the_waiter_destroys_it<tenon::mutex>([](auto& mu) { take(mu); },
                                       [](auto& mu) {
                                         take(mu);
                                         let_go(mu);
                                       },
                                       [](auto& mu) { let_go(mu); });
}

TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_SharedMutex) {
  the_waiter_destroys_it<tenon::shared_mutex>([](auto& mu) { take(mu); },
                                              [](auto& mu) {
                                                take(mu);
                                                let_go(mu);
                                              },
                                              [](auto& mu) { let_go(mu); });
}

TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_Semaphore) {
  struct one : tenon::semaphore {
    one() : tenon::semaphore(1) {}
  };
  the_waiter_destroys_it<one>([](auto& s) { s.acquire(); }, [](auto& s) { s.acquire(); }, [](auto& s) { s.release(); });
}

// Both call it, with the function that the one who finishes brings; the waiter goes as soon as its call has returned.
TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_Once) {
  the_waiter_destroys_it<tenon::once>([](auto&) {},
                                      [](auto& o) {
                                        while (!o.done()) tenon::yield();
                                        o.call([] {});
                                      },
                                      [](auto& o) { o.call([] {}); });
}

// The last handle of the channel is the waiter's, and the sender uses that one.
TEST_P(FieldF4, TheWaiterMayDestroyWhatItWaitedFor_Channel) {
  using channel = tenon::chan<int>;
  for (const int capacity : {0, 1}) {
    const auto make = [capacity](channel& c) { c = tenon::make_chan<int>(capacity, "a test"); };
    const auto receive = [](channel& c) { (void)c.recv(); };
    the_waiter_destroys_it<channel>(make, receive, [](channel& c) { c.send(1); });
    the_waiter_destroys_it<channel>(make, receive, [](channel& c) { c.close(); });
    the_waiter_destroys_it<channel>(
        make,
        [](channel& c) {
          auto next = tenon::recv(c);
          auto never = tenon::recv(tenon::chan<int>());
          tenon::select(next, never);
        },
        [](channel& c) { c.send(1); });
  }
}

}  // namespace
