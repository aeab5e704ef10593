// What a thread did before is seen by whoever learns of it: one program for each promise of the headers that is kept by an order alone, with no
// lock between the two. (primitives_test.cpp has those who wait, and the locks.)

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <source_location>
#include <tenon/detail/atomic.hpp>
#include <tenon/tenon.hpp>
#include <utility>

#include "model/engine/model.hpp"
#include "model/programs.hpp"
#include "sched/scheduler.hpp"

namespace model = tenon::model;

class HappensBefore : public testing::TestWithParam<model::memory_model> {
 protected:
  void holds(const std::function<void()>& body) { model::expect_holds(GetParam(), body); }

  /// `operation(ctx)` is false if it was given up: then the cancellation, and what was done before it, is known.
  void what_is_done_before_a_cancellation_is_seen_by(const std::function<bool(const tenon::context&)>& operation) {
    holds([&] {
      int data = 0;
      const auto scope = tenon::with_cancel(tenon::background());
      (void)scope.ctx().done();  // as for whoever has waited for it before
      model::thread cancels([&] {
        data = 1;
        scope.cancel();
      });
      if (!operation(scope.ctx())) MODEL_REQUIRE(data == 1);
      cancels.join();
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Model, HappensBefore, testing::Values(model::memory_model::tso, model::memory_model::c11),
                         model::name_of_memory);

// ---- a cancellation, and the operation that it ends

TEST_P(HappensBefore, ACancellationAndASend) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    const auto c = tenon::make_chan<int>();
    return c.send(ctx, 1);
  });
}

TEST_P(HappensBefore, ACancellationAndAReceive) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    const auto c = tenon::make_chan<int>();
    return c.recv(ctx).has_value();
  });
}

TEST_P(HappensBefore, ACancellationAndALock) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    tenon::mutex mu;
    mu.lock();
    const bool locked = mu.lock(ctx);
    mu.unlock();
    return locked;
  });
}

TEST_P(HappensBefore, ACancellationAndASharedLock) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    tenon::shared_mutex mu;
    mu.lock();
    const bool locked = mu.lock_shared(ctx);
    mu.unlock();
    return locked;
  });
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    tenon::shared_mutex mu;
    mu.lock_shared();
    const bool locked = mu.lock(ctx);
    mu.unlock_shared();
    return locked;
  });
}

TEST_P(HappensBefore, ACancellationAndAnAcquire) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    tenon::semaphore s(1);
    s.acquire();
    const bool acquired = s.acquire(ctx);
    s.release();
    return acquired;
  });
}

TEST_P(HappensBefore, ACancellationAndAWait) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) {
    tenon::wait_group wg;
    wg.add();
    const bool over = wg.wait(ctx);
    wg.done();
    return over;
  });
}

TEST_P(HappensBefore, ACancellationAndALookAtTheContext) {
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) { return !ctx.is_canceled(); });
  what_is_done_before_a_cancellation_is_seen_by([](const tenon::context& ctx) { return !ctx.err(); });
}

TEST_P(HappensBefore, TheMakingOfTheDoneChannelAndItsUse) {
  holds([] {
    const auto scope = tenon::with_cancel(tenon::background());
    model::thread other([&] { (void)scope.ctx().done().recv(); });
    const auto done = scope.ctx().done();
    scope.cancel();
    (void)done.recv();
    other.join();
  });
}

TEST_P(HappensBefore, TheMakingOfTheDoneChannelAndALookAtTheError) {
  holds([] {
    const auto scope = tenon::with_cancel(tenon::background());
    model::thread makes([&] { (void)scope.ctx().done(); });
    model::thread looks([&] { (void)scope.ctx().err(); });
    scope.cancel();
    makes.join();
    looks.join();
  });
}

TEST_P(HappensBefore, TheCancellationOfAChildAndItsEnd) {
  holds([] {
    const auto parent = tenon::with_cancel(tenon::background());
    auto child = std::make_unique<tenon::cancel_scope>(tenon::with_cancel(parent.ctx()));
    model::thread cancels([&] { parent.cancel(); });
    child.reset();
    cancels.join();
  });
}

// ---- channels, looked at without their lock

TEST_P(HappensBefore, ACloseAndATryRecv) {
  holds([] {
    int data = 0;
    const auto c = tenon::make_chan<int>();
    model::thread closes([&] {
      data = 1;
      c.close();
    });
    auto from = tenon::recv(c);
    if (tenon::select(from, tenon::otherwise) == 0) MODEL_REQUIRE(data == 1);
    closes.join();
  });
}

TEST_P(HappensBefore, AReceiveAndTheSendThatItMakesRoomFor) {
  // Go: the k-th receive on a channel of capacity C is synchronized before the k+C-th send
  holds([] {
    int data = 0;
    const auto c = tenon::make_chan<int>(1);
    c.send(1);
    model::thread receives([&] {
      data = 1;
      (void)c.recv();
    });
    c.send(2);
    MODEL_REQUIRE(data == 1);
    receives.join();
  });
}

TEST_P(HappensBefore, TheUseOfAChannelAndItsEnd) {
  holds([] {
    int data = 0;
    struct reads_at_its_end {
      int* data = nullptr;
      explicit reads_at_its_end(int* d) : data(d) {}
      reads_at_its_end(reads_at_its_end&& other) noexcept : data(std::exchange(other.data, nullptr)) {}
      reads_at_its_end& operator=(reads_at_its_end&&) = delete;
      ~reads_at_its_end() {
        if (data != nullptr) MODEL_REQUIRE(*data == 1);
      }
    };
    auto c = tenon::make_chan<reads_at_its_end>(1);
    c.send(reads_at_its_end(&data));
    model::thread other([&data, mine = c]() mutable {
      data = 1;
      mine = {};
    });
    c = {};
  });
}

// ---- what ends with its last use: who was let in by another's call may destroy it while that call returns

namespace {

/// `lets_in`, by the one who has had it, and `enters_and_leaves`, by the one who waits for that and destroys it then.
template <class T>
std::function<void()> ends_behind(const std::function<void(T&)>& begins, const std::function<void(T&)>& lets_in,
                                  const std::function<void(T&)>& enters_and_leaves) {
  return [=] {
    auto it = std::make_unique<T>();
    T& its = *it;
    begins(its);
    model::thread other([&] {
      enters_and_leaves(its);
      it.reset();
    });
    lets_in(its);
    other.join();
  };
}

/// Likewise, where the other gives up first, and comes again: it may be let in by what a call does that still looks for it in the list.
template <class T>
std::function<void()> ends_behind_one_that_gave_up(const std::function<void(T&)>& begins,
                                                   const std::function<void(T&)>& lets_in,
                                                   const std::function<bool(T&, const tenon::context&)>& tries,
                                                   const std::function<void(T&)>& enters) {
  return [=] {
    const auto scope = tenon::with_cancel(tenon::background());
    ends_behind<T>(
        begins,
        [&](T& its) {
          scope.cancel();
          lets_in(its);
        },
        [&](T& its) {
          if (!tries(its, scope.ctx())) enters(its);
        })();
  };
}

struct one_permit : tenon::semaphore {
  one_permit() : semaphore(1) {}
};

struct flagged {
  tenon::mutex mu;
  tenon::cond changed;
  bool set = false;
};

}  // namespace

TEST_P(HappensBefore, TheUnlockOfAMutexAndItsEnd) {
  holds(ends_behind<tenon::mutex>([](auto& m) { m.lock(); }, [](auto& m) { m.unlock(); },
                                  [](auto& m) { std::lock_guard hold(m); }));
}

TEST_P(HappensBefore, TheUnlockOfAMutexThatOneGaveUpAndItsEnd) {
  holds(ends_behind_one_that_gave_up<tenon::mutex>([](auto& m) { m.lock(); }, [](auto& m) { m.unlock(); },
                                                   [](auto& m, auto& ctx) { return m.lock(ctx) && (m.unlock(), true); },
                                                   [](auto& m) { std::lock_guard hold(m); }));
}

TEST_P(HappensBefore, TheUnlockOfASharedMutexThatOneGaveUpAndItsEnd) {
  holds(ends_behind_one_that_gave_up<tenon::shared_mutex>(
      [](auto& m) { m.lock(); }, [](auto& m) { m.unlock(); },
      [](auto& m, auto& ctx) { return m.lock(ctx) && (m.unlock(), true); }, [](auto& m) { std::lock_guard hold(m); }));
}

TEST_P(HappensBefore, TheReleaseOfASemaphoreThatOneGaveUpAndItsEnd) {
  holds(ends_behind_one_that_gave_up<one_permit>([](auto& s) { s.acquire(); }, [](auto& s) { s.release(); },
                                                 [](auto& s, auto& ctx) { return s.acquire(ctx); },
                                                 [](auto& s) { s.acquire(); }));
}

TEST_P(HappensBefore, TheUnlockOfASharedMutexAndItsEnd) {
  holds(ends_behind<tenon::shared_mutex>([](auto& m) { m.lock(); }, [](auto& m) { m.unlock(); },
                                         [](auto& m) { std::shared_lock hold(m); }));
  holds(ends_behind<tenon::shared_mutex>([](auto& m) { m.lock_shared(); }, [](auto& m) { m.unlock_shared(); },
                                         [](auto& m) { std::lock_guard hold(m); }));
}

TEST_P(HappensBefore, TheReleaseOfASemaphoreAndItsEnd) {
  holds(ends_behind<one_permit>([](auto& s) { s.acquire(); }, [](auto& s) { s.release(); },
                                [](auto& s) { s.acquire(); }));
}

TEST_P(HappensBefore, TheSignalOfAConditionAndItsEnd) {
  for (const bool to_all : {false, true}) {
    holds(ends_behind<flagged>([](auto&) {},
                               [to_all](auto& f) {
                                 const std::lock_guard hold(f.mu);
                                 f.set = true;
                                 to_all ? f.changed.broadcast() : f.changed.signal();
                               },
                               [](auto& f) {
                                 std::unique_lock hold(f.mu);
                                 while (!f.set) f.changed.wait(hold);
                               }));
  }
}

TEST_P(HappensBefore, TheLastDoneOfAWaitGroupAndItsEnd) {
  holds(ends_behind<tenon::wait_group>([](auto& wg) { wg.add(); }, [](auto& wg) { wg.done(); },
                                       [](auto& wg) { wg.wait(); }));
}

// ---- once

TEST_P(HappensBefore, TheCallAndWhoeverSeesItDone) {
  holds([] {
    int data = 0;
    tenon::once once;
    model::thread calls([&] { once.call([&] { data = 1; }); });
    if (once.done()) MODEL_REQUIRE(data == 1);
    calls.join();
  });
}

// ---- goroutines

namespace {

/// `f` as the main goroutine of a run with one worker.
template <class F>
void in_a_run(F f) {
  tenon::run_options options;
  options.workers = 1;
  tenon::detail::the_scheduler().run(
      options, [](void* p) noexcept { (*static_cast<F*>(p))(); }, &f, std::source_location::current());
}

}  // namespace

TEST_P(HappensBefore, TheEndOfAGoroutineAndWhoeverWaitsForIt) {
  enum class by : std::uint8_t { wait, second_wait, drop };
  for (const by how : {by::wait, by::second_wait, by::drop}) {
    holds([how] {
      int data = 0;
      std::optional<tenon::goroutine<>> g;
      const auto begun = tenon::make_chan<void>();
      const auto scope = tenon::with_cancel(tenon::background());
      model::thread waits([&] {
        (void)begun.recv();
        if (how == by::second_wait) (void)g->wait(scope.ctx());
        if (how == by::drop) {
          g.reset();
        } else {
          g->wait();  // join would look at more of it
        }
        MODEL_REQUIRE(data == 1);
      });
      in_a_run([&] {
        g.emplace(tenon::go([&] { data = 1; }));
        begun.close();
        scope.cancel();
      });
      waits.join();
    });
  }
}

TEST_P(HappensBefore, TheCancellationOfAGoroutineAndItsContext) {
  holds([] {
    int data = 0;
    tenon::detail::atomic<bool> asked{false};  // orders nothing
    std::optional<tenon::goroutine<>> g;
    const auto begun = tenon::make_chan<void>();
    model::thread cancels([&] {
      (void)begun.recv();
      data = 1;
      g->cancel();
      while (!asked.load(std::memory_order_relaxed)) model::pause();
      g->cancel();  // finds the context
    });
    in_a_run([&] {
      g.emplace(tenon::go([&] {  // has no context until somebody asks for it
        tenon::go([&](const tenon::context& below) {
          asked.store(true, std::memory_order_relaxed);
          (void)below.done().recv();
          MODEL_REQUIRE(data == 1);
        }).wait();
      }));
      begun.close();
    });
    cancels.join();
    g->join();
  });
}
