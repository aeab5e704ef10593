// What the scheduler owes its goroutines: progress and parallelism, asserted only by that it comes about. What takes time or luck to
// see stands in test/timing/proc_test.cpp; of Go's list, what needs preemption at any instruction, or a garbage collector, cannot be here.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;

class Proc : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const tenon::context&) { f(); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, Proc, testing::Values(1U, 2U, 4U), testing::PrintToStringParamName());

// A goroutine that polls and yields lets the others go on.
void yield_progress(bool locked) {
  const auto ask = tenon::make_chan<void>();
  const auto answer = tenon::make_chan<void>();
  auto polls = tenon::go([=] {
    std::optional<tenon::on_this_thread> stay;
    if (locked) stay.emplace();
    while (tenon::select(tenon::recv(ask), tenon::otherwise) == 1) tenon::yield();
    answer.send();
  });
  tenon_test::settle();
  ask.send();
  EXPECT_TRUE(answer.recv());
  polls.join();
}

// Go: runtime/proc_test.go TestYieldProgress
TEST_P(Proc, YieldProgress) {
  in_run([] { yield_progress(false); });
}

// Go: runtime/proc_test.go TestYieldLockedProgress
TEST_P(Proc, YieldLockedProgress) {
  in_run([] { yield_progress(true); });
}

// Go: runtime/proc_test.go TestYieldLocked
TEST_P(Proc, YieldLocked) {
  in_run([] {
    auto g = tenon::go([] {
      const tenon::on_this_thread stay;
      const long here = tenon_test::os_thread_number();
      for (int i = 0; i < 10; ++i) {
        tenon::yield();
        EXPECT_EQ(tenon_test::os_thread_number(), here);
        tenon::sleep_for(1ms);
        EXPECT_EQ(tenon_test::os_thread_number(), here);
      }
    });
    g.join();
  });
}

// Go: runtime/proc_test.go TestBlockLocked
TEST_P(Proc, BlockLocked) {
  in_run([] {
    constexpr int n = 10;
    const auto c = tenon::make_chan<int>();
    auto g = tenon::go([=] {
      const tenon::on_this_thread stay;
      const long here = tenon_test::os_thread_number();
      for (int i = 0; i < n; ++i) {
        c.send(i);
        EXPECT_EQ(tenon_test::os_thread_number(), here);
      }
    });
    for (int i = 0; i < n; ++i) EXPECT_EQ(c.recv(), i);
    g.join();
  });
}

// `count` goroutines take turns without ever letting go of their workers: it ends only if all of them run at once.
void take_turns(unsigned count, bool nested) {
  std::atomic<unsigned> turn = 0;
  const auto play = [&turn, count](unsigned place) {
    for (unsigned i = 0; i < 3; ++i) {
      const unsigned mine = count * i + place;
      while (turn.load() != mine) std::this_thread::yield();  // to other programs, not to goroutines
      turn.store(mine + 1);
    }
  };
  tenon::wait_group wg;
  for (unsigned p = 0; p < count; p += nested ? 2 : 1) {
    wg.go([&, p] {
      if (nested) wg.go([&, p] { play(p + 1); });
      play(p);
    });
  }
  wg.wait();
  EXPECT_EQ(turn, 3 * count);
}

// Go: runtime/proc_test.go TestGoroutineParallelism
TEST(ProcParallel, AsManyGoroutinesAsWorkersRunAtOnce) {
  constexpr unsigned workers = 4;
  tenon::run(
      [](const tenon::context&) {
        for (std::size_t i = 0; i < tenon_test::scaled(10, 3); ++i) take_turns(workers - 1, false);
      },
      {.workers = workers});
}

// Go: runtime/proc_test.go TestGoroutineParallelism, while the one who started them waits
TEST(ProcParallel, TheMainGoroutineNeedsNoWorkerWhileItWaits) {
  constexpr unsigned workers = 4;
  tenon::run(
      [](const tenon::context&) {
        for (std::size_t i = 0; i < tenon_test::scaled(10, 3); ++i) take_turns(workers, false);
      },
      {.workers = workers});
}

// Go: runtime/proc_test.go TestGoroutineParallelism2, with workers about to sleep, and with a timer
TEST(ProcParallel, GoroutinesStartedByGoroutinesDoToo) {
  constexpr unsigned workers = 4;
  for (const bool with_timer : {false, true}) {
    tenon::run(
        [&](const tenon::context&) {
          std::optional<tenon::timer> later;
          if (with_timer) later.emplace(1h);
          for (std::size_t i = 0; i < tenon_test::scaled(10, 3); ++i) {
            take_turns(workers, false);
            take_turns(workers, true);
          }
        },
        {.workers = workers});
  }
}

// Go: runtime/proc_test.go TestTimerFairness: a timer fires while goroutines keep each other ready
TEST_P(Proc, TimerFairness) {
  in_run([] {
    const auto done = tenon::make_chan<void>();
    const auto c = tenon::make_chan<bool>();
    tenon::wait_group wg;
    for (int i = 0; i < 2; ++i) {
      wg.go([=] {
        while (tenon::select(tenon::send(c, true), tenon::recv(done)) == 0) {
        }
      });
    }
    const auto over = tenon::after(20ms);
    while (tenon::select(tenon::recv(c), tenon::recv(over)) == 0) {
    }
    done.close();
    wg.wait();
  });
}

// Go: runtime/proc_test.go TestTimerFairness2; `blocking` stands for its system call
TEST_P(Proc, TimerFairness2) {
  in_run([] {
    const auto done = tenon::make_chan<void>();
    const auto c = tenon::make_chan<bool>();
    tenon::wait_group wg;
    for (int i = 0; i < 2; ++i) {
      wg.go([=] {
        const auto over = tenon::after(20ms);
        while (true) {
          tenon::blocking([] {});
          if (tenon::select(tenon::send(c, true), tenon::recv(c), tenon::recv(over)) == 2) break;
        }
        done.send();
      });
    }
    EXPECT_TRUE(done.recv());
    EXPECT_TRUE(done.recv());
    wg.wait();
  });
}

// Go: runtime/proc_test.go TestNumGoroutine, runtime.NumGoroutine and runtime.GOMAXPROCS
TEST_P(Proc, CountsGoroutinesAndWorkers) {
  in_run([] {
    EXPECT_EQ(tenon::worker_count(), GetParam());
    const std::size_t before = tenon::goroutine_count();
    EXPECT_GE(before, 1U);
    const auto hold = tenon::make_chan<void>();
    {
      std::vector<tenon::goroutine<>> waiting;
      for (int i = 0; i < 10; ++i) waiting.push_back(tenon::go([=] { (void)hold.recv(); }));
      EXPECT_EQ(tenon::goroutine_count(), before + 10);
      hold.close();
    }
    EXPECT_TRUE(tenon_test::eventually([&] { return tenon::goroutine_count() == before; }));
  });
  EXPECT_EQ(tenon::worker_count(), 0U);
}

}  // namespace
