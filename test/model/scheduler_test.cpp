// The scheduler: its locks and heaps by themselves, and whole runs of one or two workers, with a thread beside them.
//
// There is no monitor thread here: what it would do in time a program does itself, at any moment (`retake`).

#include <gtest/gtest.h>

#include <memory>
#include <source_location>
#include <tenon/tenon.hpp>
#include <utility>

#include "model/engine/model.hpp"
#include "model/programs.hpp"
#include "platform/biased_lock.hpp"
#include "sched/scheduler.hpp"
#include "sched/timer_heap.hpp"
#include "sched/work_queue.hpp"

namespace model = tenon::model;
using tenon::detail::the_scheduler;

class Scheduler : public testing::TestWithParam<model::memory_model> {
 protected:
  void holds(const std::function<void()>& body) { model::expect_holds(GetParam(), body); }
};

INSTANTIATE_TEST_SUITE_P(Model, Scheduler, testing::Values(model::memory_model::tso, model::memory_model::c11),
                         model::name_of_memory);

namespace {

/// `f` as the main goroutine of a run.
template <class F>
void in_a_run(unsigned workers, F f) {
  tenon::run_options options;
  options.workers = workers;
  the_scheduler().run(options, [](void* p) noexcept { (*static_cast<F*>(p))(); }, &f, std::source_location::current());
}

}  // namespace

// ---- by themselves

TEST_P(Scheduler, ABiasedLockExcludes) {
  holds([] {
    tenon::biased_lock lock;
    int n = 0;
    model::thread other([&] {
      if (!lock.try_lock_other()) return;
      ++n;
      lock.unlock_other();
    });
    for (int i = 0; i < 2; ++i) {
      const tenon::owner_guard hold(lock);
      ++n;
    }
    other.join();
  });
}

TEST_P(Scheduler, ABiasedLockExcludesAlsoWhenTheOwnerTakesTheBiasBack) {
  holds([] {
    tenon::biased_lock lock;
    int n = 0;
    const auto visit = [&] {
      if (!lock.try_lock_other()) return;
      ++n;
      lock.unlock_other();
    };
    visit();
    for (int i = 0; i < 16; ++i) lock.rebias();  // the next one takes it back
    model::thread other(visit);
    lock.rebias();
    {
      const tenon::owner_guard hold(lock);
      ++n;
    }
    other.join();
  });
}

TEST_P(Scheduler, TwoThievesAndTheOwnerExcludeEachOther) {
  holds([] {
    tenon::biased_lock lock;
    int n = 0;
    const auto visit = [&] {
      if (!lock.try_lock_other()) return;
      ++n;
      lock.unlock_other();
    };
    model::thread a(visit);
    model::thread b(visit);
    {
      const tenon::owner_guard hold(lock);
      ++n;
    }
    a.join();
    b.join();
  });
}

TEST_P(Scheduler, NothingIsTakenTwiceFromAQueue) {
  holds([] {
    tenon::biased_lock lock;
    tenon::detail::work_queue queue;
    using core = tenon::detail::goroutine_core;
    core* const one = reinterpret_cast<core*>(std::uintptr_t{64});
    core* const two = reinterpret_cast<core*>(std::uintptr_t{128});
    core* stolen = nullptr;
    core* taken[2] = {};
    model::thread thief([&] {
      if (queue.size() == 0 || !lock.try_lock_other()) return;
      (void)queue.take_front(&stolen, 1, false);
      lock.unlock_other();
    });
    {
      const tenon::owner_guard hold(lock);
      queue.push_back(one);
      queue.push_back(two);
    }
    for (core*& g : taken) {
      const tenon::owner_guard hold(lock);
      g = queue.pop_back();
    }
    thief.join();
    MODEL_REQUIRE((taken[0] == one) + (taken[1] == one) + (stolen == one) == 1);
    MODEL_REQUIRE((taken[0] == two) + (taken[1] == two) + (stolen == two) == 1);
  });
}

TEST_P(Scheduler, ATimerIsStoppedOrFires) {
  holds([] {
    struct counted : tenon::detail::timer_node {
      int fired = 0;
    };
    tenon::detail::timer_heap heap;
    auto t = std::make_unique<counted>();
    t->fire = [](tenon::detail::timer_node* n, tenon::clock::nanos) noexcept { ++static_cast<counted*>(n)->fired; };
    heap.start(t.get(), 5);
    unsigned ran = 0;
    model::thread runs([&] { ran = heap.run_due(10); });
    const bool stopped = tenon::detail::stop_timer(t.get());
    if (stopped) t.reset();  // nobody looks at it any more
    runs.join();
    MODEL_REQUIRE(stopped == (ran == 0));
  });
}

TEST_P(Scheduler, ATimerThatMovesIsStoppedOrFires) {
  holds([] {
    struct counted : tenon::detail::timer_node {
      int fired = 0;
    };
    tenon::detail::timer_heap from;
    tenon::detail::timer_heap to;
    counted t;
    t.fire = [](tenon::detail::timer_node* n, tenon::clock::nanos) noexcept { ++static_cast<counted*>(n)->fired; };
    from.start(&t, 5);
    model::thread moves([&] {
      from.move_all_to(to);
      (void)to.run_due(10);
    });
    const bool stopped = tenon::detail::stop_timer(&t);
    moves.join();
    MODEL_REQUIRE(stopped == (t.fired == 0));
  });
}

TEST_P(Scheduler, ATimerThatIsInNoHeapAnyMoreMayBeStartedAgain) {
  // The other has moved it within the heap before it took it out.
  for (const bool fires : {false, true}) {
    holds([fires] {
      tenon::detail::timer_heap heap;
      tenon::detail::timer_heap another;
      tenon::detail::timer_node before;
      tenon::detail::timer_node t;
      before.fire = t.fire = [](tenon::detail::timer_node*, tenon::clock::nanos) noexcept {};
      heap.start(&before, 5);
      heap.start(&t, 6);
      model::thread other([&] {
        if (fires) {
          (void)heap.run_due(10);
        } else {
          (void)tenon::detail::stop_timer(&before);
          (void)tenon::detail::stop_timer(&t);
        }
      });
      if (!tenon::detail::stop_timer(&t)) another.start(&t, 20);
      other.join();
      (void)tenon::detail::stop_timer(&before);
      (void)tenon::detail::stop_timer(&t);
    });
  }
}

// ---- runs

TEST_P(Scheduler, ARunEnds) {
  for (const unsigned workers : {1U, 2U}) {
    holds([workers] {
      bool ran = false;
      in_a_run(workers, [&] { ran = true; });
      MODEL_REQUIRE(ran);
    });
  }
}

TEST_P(Scheduler, AGoroutineIsRunAndJoined) {
  for (const unsigned workers : {1U, 2U}) {
    holds([workers] {
      in_a_run(workers, [] {
        int n = 0;
        auto g = tenon::go([&] { return ++n; });
        MODEL_REQUIRE(g.join() == 1);
        MODEL_REQUIRE(n == 1);
      });
    });
  }
}

TEST_P(Scheduler, TwoGoroutinesShareTheWorkers) {
  holds([] {
    in_a_run(2, [] {
      int a = 0;
      int b = 0;
      tenon::wait_group wg;
      wg.go([&] { a = 1; });
      wg.go([&] { b = 1; });
      wg.wait();
      MODEL_REQUIRE(a == 1 && b == 1);
    });
  });
}

TEST_P(Scheduler, GoroutinesMeetOnAChannel) {
  holds([] {
    in_a_run(2, [] {
      auto c = tenon::make_chan<int>();
      auto g = tenon::go([&] { c.send(3); });
      MODEL_REQUIRE(c.recv() == 3);
      g.join();
    });
  });
}

TEST_P(Scheduler, WhatComesFromOutsideWakesTheLastWorkerThatGoesToSleep) {
  for (const unsigned workers : {1U, 2U}) {
    holds([workers] {
      auto c = tenon::make_chan<int>();
      model::thread posts([&] { c.send(4); });
      in_a_run(workers, [&] { MODEL_REQUIRE(c.recv() == 4); });
      posts.join();
    });
  }
}

TEST_P(Scheduler, ALastWorkerThatHasSearchedInVainLeavesNothingBehind) {
  holds([] {
    auto c = tenon::make_chan<int>();
    model::thread posts([&] { c.send(4); });
    in_a_run(1, [&] {
      tenon::detail::this_worker()->failed_searches =
          3;  // as often as others' work that no thief can catch has it search
      MODEL_REQUIRE(c.recv() == 4);
    });
    posts.join();
  });
}

TEST_P(Scheduler, AWakerMayBeLateForTheEndOfARun) {
  holds([] {
    auto c = tenon::make_chan<int>(1);
    auto done = tenon::make_chan<int>(1);
    model::thread posts([&] {
      c.send(5);
      done.send(6);
    });
    in_a_run(1, [&] { MODEL_REQUIRE(c.recv() == 5); });
    in_a_run(1, [&] { MODEL_REQUIRE(done.recv() == 6); });
    posts.join();
  });
}

TEST_P(Scheduler, ASleepEndsThoughAllWorkersAreAsleep) {
  for (const unsigned workers : {1U, 2U}) {
    holds([workers] {
      in_a_run(workers, [] {
        const auto before = tenon::clock::now();
        tenon::sleep_for(std::chrono::milliseconds(3));
        MODEL_REQUIRE(tenon::clock::now() - before >= 3'000'000);
      });
    });
  }
}

TEST_P(Scheduler, AMutexIsHandedBetweenAGoroutineAndAThread) {
  holds([] {
    tenon::mutex mu;
    int n = 0;
    const auto add = [&] {
      const std::lock_guard hold(mu);
      ++n;
    };
    model::thread other(add);
    in_a_run(1, add);
    other.join();
    MODEL_REQUIRE(n == 2);
  });
}

TEST_P(Scheduler, AWorkerIsRetakenWhileItsCallWaits) {
  holds([] {
    auto c = tenon::make_chan<int>();
    in_a_run(1, [&] {
      auto g = tenon::go([&] { c.send(7); });
      model::thread monitor([] {
        tenon::detail::worker& w = *the_scheduler().worker_at(0);
        if (the_scheduler().retake(w, tenon::detail::worker_status::blocking)) the_scheduler().wake_for_stuck_work();
      });
      MODEL_REQUIRE(tenon::blocking([&] { return *c.recv(); }) == 7);
      g.join();
      monitor.join();
    });
  });
}

TEST_P(Scheduler, AWorkerIsRetakenWhileItsCallReturns) {
  holds([] {
    auto c = tenon::make_chan<int>(1);
    in_a_run(1, [&] {
      auto g = tenon::go([&] { c.send(7); });
      // The monitor, as the call lasts and as it ends.
      model::thread monitor([] {
        tenon::detail::worker& w = *the_scheduler().worker_at(0);
        if (the_scheduler().retake(w, tenon::detail::worker_status::blocking)) the_scheduler().wake_for_stuck_work();
      });
      tenon::blocking([] { model::pause(); });
      MODEL_REQUIRE(c.recv() == 7);
      g.join();
      monitor.join();
    });
  });
}
