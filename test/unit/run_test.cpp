#include <tenon/run.hpp>

// run, and what shapes a run: workers, TENON_PROCS, yield, blocking calls, threads of one's own.

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tenon/blocking.hpp>
#include <tenon/errno.hpp>
#include <tenon/go.hpp>
#include <tenon/mutex.hpp>
#include <tenon/on_this_thread.hpp>
#include <tenon/panic.hpp>
#include <tenon/select.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/yield.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using clock = std::chrono::steady_clock;

// ---- run ----------------------------------------------------------------------------------------------------------------

TEST(Run, ReturnsTheExitStatus) {
  EXPECT_EQ(tenon::run([](tenon::group&) { return 42; }), 42);
  EXPECT_EQ(tenon::run([](context) { return 42; }), 42);
  EXPECT_EQ(tenon::run([] { return 42; }), 42);
  EXPECT_EQ(tenon::run([](tenon::group&) {}), 0);
  EXPECT_EQ(tenon::run([](tenon::group&) { return tenon::error(); }), 0);
}

TEST(Run, PrefersToHandOutTheRootGroup) {
  struct either {
    bool* group_form;
    int operator()(tenon::group&) const { return *group_form = true; }
    int operator()(const context&) const { return 0; }
  };
  bool group_form = false;
  tenon::run(either{&group_form});
  EXPECT_TRUE(group_form);
}

TEST(Run, PrintsAnErrorAndReturnsOne) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(tenon::run([](tenon::group&) { return tenon::error("no such table"); }), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "no such table\n");
}

TEST(Run, WaitsForItsRootGroup) {
  int done = 0;
  tenon::run([&](tenon::group& g) {
    g.go([&] {
      for (int i = 0; i < 10; ++i) tenon::yield();
      ++done;
    });
  });
  EXPECT_EQ(done, 1);
}

TEST(Run, AFailureOfAMemberIsItsFailure) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(tenon::run([](tenon::group& g) {
              g.go([] { return tenon::error("a member failed"); });
              g.go([](const context& ctx) { (void)ctx.done().recv(); });
            }),
            1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "a member failed\n");
}

TEST(Run, AFailureThatItsFunctionHasDealtWithIsNotItsFailure) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(tenon::run([](tenon::group& g) {
              g.go([] { return tenon::error("lost.txt: no such file"); });
              return g.wait() ? 42 : 0;
            }),
            42);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Run, AFailureAfterAWaitThatSawNoneIsItsFailure) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(tenon::run([](tenon::group& g) {
              EXPECT_FALSE(g.wait());
              g.go([] { return tenon::error("a late member failed"); });
            }),
            1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "a late member failed\n");
}

TEST(Run, AnErrorCancelsTheRootGroup) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(tenon::run([](tenon::group& g) {
              g.go([](const context& ctx) {
                (void)ctx.done().recv();
                return ctx.err();
              });
              return tenon::error("f failed");
            }),
            1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "f failed\n");
}

TEST(Run, AnExceptionCancelsTheRootGroupAndComesOut) {
  bool ended = false;
  EXPECT_THROW(tenon::run([&](tenon::group& g) {
                 g.go([&](const context& ctx) {
                   (void)ctx.done().recv();
                   ended = true;
                 });
                 throw std::runtime_error("f threw");
               }),
               std::runtime_error);
  EXPECT_TRUE(ended);
  EXPECT_THROW(tenon::run([](tenon::group& g) { g.go([] { throw std::runtime_error("a member threw"); }); }),
               std::runtime_error);
}

TEST(Run, ThrowsWhatItThrew) {
  EXPECT_THROW(tenon::run([](context) { throw std::out_of_range("nine"); }), std::out_of_range);
  EXPECT_EQ(tenon::run([](context) { return 1; }), 1) << "and can be called again";
}

TEST(Run, GivesARootContext) {
  context kept;
  tenon::run([&](const context& root) {
    EXPECT_TRUE(root);
    EXPECT_FALSE(root.err());
    EXPECT_FALSE(root.deadline());
    kept = root;
  });
  EXPECT_TRUE(kept) << "it outlives the run";
  (void)kept.err();
}

TEST(Run, FollowsItself) {
  for (int i = 0; i < 20; ++i) {
    for (const unsigned workers : {0U, 1U, 3U, 2U}) {
      const int n = tenon::run(
          [&](context) {
            const auto c = tenon::make_chan<int>();
            auto g = tenon::go([&] { c.send(i); });
            return c.recv().value();
          },
          {.workers = workers});
      EXPECT_EQ(n, i);
    }
  }
}

TEST(Run, WorksOnAnyThread) {
  std::thread([] { EXPECT_EQ(tenon::run([](context) { return tenon::go([] { return 3; }).join(); }), 3); }).join();
  EXPECT_EQ(tenon::run([](context) { return 4; }), 4);
}

TEST(Run, InsideAnotherPanicsAndNamesIt) {
  static constexpr int line = __LINE__ + 1;
  tenon::run([](context) {
    const std::string refusal = "tenon: run called while another run is active, begun at " + std::string(__FILE__) +
                                ":" + std::to_string(line) + ": nested and concurrent runs are not allowed";
    EXPECT_PANIC(tenon::run([](context) {}), refusal);
    tenon_test::os_thread t([&] { EXPECT_PANIC(tenon::run([](context) {}), refusal); });
    t.join();
    EXPECT_EQ(tenon::go([] { return 5; }).join(), 5) << "the one that is active goes on";
  });
  EXPECT_EQ(tenon::run([](context) { return 6; }), 6);
}

TEST(Run, HasTheWorkersItWasGiven) {
  EXPECT_EQ(tenon::worker_count(), 0U);
  for (const unsigned workers : {1U, 2U, 5U}) {
    EXPECT_EQ(tenon::run([](context) { return tenon::worker_count(); }, {.workers = workers}), workers);
  }
  EXPECT_GE(tenon::run([](context) { return tenon::worker_count(); }), 1U);
  EXPECT_EQ(tenon::worker_count(), 0U);
}

TEST(Run, TheFirstGoroutineRunsOnAWorker) {
  const auto caller = std::this_thread::get_id();
  tenon::run([&](context) { EXPECT_NE(std::this_thread::get_id(), caller); });
}

TEST(Run, WhatIsMadeOutsideWorksInside) {
  const auto c = tenon::make_chan<int>(1);
  tenon::mutex mu;
  auto scope = tenon::with_cancel(tenon::background());
  const tenon::context ctx = scope.ctx();
  c.send(1);
  tenon::run([&](context) {
    EXPECT_EQ(c.recv(), 1);
    mu.lock();
    mu.unlock();
    EXPECT_FALSE(ctx.is_canceled());
    scope.cancel();
    c.send(2);
  });
  EXPECT_EQ(c.recv(), 2);
  EXPECT_TRUE(ctx.is_canceled());
}

TEST(Run, ASmallStackIsEnoughForSmallThings) {
  tenon::run(
      [](context) {
        std::vector<tenon::goroutine<int>> all;
        for (int i = 0; i < 10; ++i) all.push_back(tenon::go([i] { return i; }));
        for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].join(), i);
      },
      {.workers = 1, .stack_size = 64 * 1024});
}

// ---- TENON_PROCS ----------------------------------------------------------------------------------------------------------

TEST(Procs, OverrideTheNumberOfWorkers) {
  for (const char* n : {"1", "2", "7"}) {
    const auto e = tenon_test::run_program("workers", {}, {{"TENON_PROCS", n}});
    EXPECT_EQ(e.out, std::string(n) + "\n") << e.describe();
    EXPECT_EQ(e.status, 0) << e.describe();
  }
  const auto over_options = tenon_test::run_program("workers", {"3"}, {{"TENON_PROCS", "5"}});
  EXPECT_EQ(over_options.out, "5\n") << over_options.describe();
  const auto options = tenon_test::run_program("workers", {"3"});
  EXPECT_EQ(options.out, "3\n") << options.describe();
}

TEST(Procs, ThatAreNoPositiveNumberAreRefused) {
  for (const std::string value : {"banana", "0", "-1", "1x", "", " ", "1.5", "99999999999999999999"}) {
    const auto e = tenon_test::run_program("workers", {}, {{"TENON_PROCS", value}});
    EXPECT_EQ(e.status, 2) << "TENON_PROCS='" << value << "': " << e.describe();
    EXPECT_EQ(e.out, "") << e.describe();
    EXPECT_EQ(tenon_test::lines_of(e.err).size(), 1U) << "one line\n" << e.describe();
    EXPECT_NE(e.err.find("TENON_PROCS"), std::string::npos) << e.describe();
    EXPECT_NE(e.err.find(value), std::string::npos) << e.describe();
  }
}

// ---- yield ------------------------------------------------------------------------------------------------------------------

TEST(Yield, LetsTheOthersGoFirst) {
  // A spare worker may stand in where the machine takes its time; then the two are not in step, so there are several tries.
  bool in_step = false;
  for (int attempt = 0; attempt < 10 && !in_step; ++attempt) {
    tenon::run(
        [&](context) {
          std::mutex mu;
          std::vector<int> order;
          const auto three_times = [&](int n) {
            for (int i = 0; i < 3; ++i) {
              {
                const std::lock_guard<std::mutex> hold(mu);
                order.push_back(n);
              }
              tenon::yield();
            }
          };
          auto a = tenon::go(three_times, 1);
          auto b = tenon::go(three_times, 2);
          a.join();
          b.join();
          ASSERT_EQ(order.size(), 6U);
          in_step = true;
          for (std::size_t i = 0; i + 1 < order.size(); ++i) in_step = in_step && order[i] != order[i + 1];
        },
        {.workers = 1});
  }
  EXPECT_TRUE(in_step);
}

TEST(Yield, DoesNothingMuchOnAThread) {
  tenon::yield();
  std::thread([] { tenon::yield(); }).join();
}

// ---- blocking -----------------------------------------------------------------------------------------------------------------

TEST(Blocking, GivesTheResultAndLetsExceptionsPass) {
  const auto check = [] {
    EXPECT_EQ(tenon::blocking([] { return 5; }), 5);
    EXPECT_EQ(tenon::blocking([](int a, int b) { return a + b; }, 1, 2), 3);
    EXPECT_THROW(tenon::blocking([] { throw std::out_of_range("nine"); }), std::out_of_range);
    int x = 0;
    int& r = tenon::blocking([&]() -> int& { return x; });
    EXPECT_EQ(&r, &x);
    EXPECT_EQ(tenon::blocking([] { return tenon::blocking([] { return 6; }); }), 6);
  };
  check();
  tenon::run([&](context) { check(); }, {.workers = 1});
}

TEST(Blocking, TheOthersGoOnWithoutItsWorker) {
  tenon::run(
      [](context) {
        std::atomic<bool> let_go = false;
        auto blocked = tenon::go([&] {
          tenon::blocking([&] {
            while (!let_go.load()) std::this_thread::sleep_for(1ms);
          });
        });
        tenon::yield();
        // The only worker is in there; it comes back only when the rest of this has been run.
        std::vector<tenon::goroutine<>> all;
        std::atomic<int> ran = 0;
        for (int i = 0; i < 10; ++i) all.push_back(tenon::go([&] { ++ran; }));
        for (auto& g : all) g.join();
        EXPECT_EQ(ran.load(), 10);
        let_go = true;
        blocked.join();
      },
      {.workers = 1});
}

TEST(Blocking, AThreadThatStandsInHasTheSignalsOfTheRun) {
  // It is the monitor thread that starts it, and that one takes none. Without SIGURG dumps could not interrupt it.
  sigset_t before;
  sigset_t own;
  ::sigemptyset(&own);
  ::sigaddset(&own, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &own, &before);
  tenon::run(
      [](context) {
        std::latch let_go(1);
        auto blocked = tenon::go([&] { tenon::blocking([&] { let_go.wait(); }); });
        tenon::yield();  // the only worker is in there
        sigset_t here;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &here);
        EXPECT_EQ(::sigismember(&here, SIGUSR2), 1);
        EXPECT_EQ(::sigismember(&here, SIGURG), 0);
        let_go.count_down();
        blocked.join();
      },
      {.workers = 1});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Blocking, ManyAtOnce) {
  tenon::run(
      [](context) {
        // Each of them waits until all of them are in.
        constexpr int n = 20;
        std::atomic<int> in = 0;
        std::vector<tenon::goroutine<>> all;
        for (int i = 0; i < n; ++i) {
          all.push_back(tenon::go([&] {
            tenon::blocking([&] {
              ++in;
              while (in.load() < n) std::this_thread::sleep_for(1ms);
            });
          }));
        }
        for (auto& g : all) g.join();
        EXPECT_EQ(in.load(), n);
      },
      {.workers = 2});
}

TEST(Blocking, OftenAndShort) {
  const std::size_t times = tenon_test::scaled(2000, 100);
  tenon::run(
      [&](context) {
        std::vector<tenon::goroutine<std::size_t>> all;
        for (int i = 0; i < 8; ++i) {
          all.push_back(tenon::go([&] {
            std::size_t sum = 0;
            for (std::size_t j = 0; j < times; ++j) {
              sum += tenon::blocking([] { return ::getppid() >= 0 ? 1U : 0U; });
              if (j % 64 == 0) tenon::blocking([] { std::this_thread::sleep_for(100us); });
            }
            return sum;
          }));
        }
        for (auto& g : all) EXPECT_EQ(g.join(), times);
      },
      {.workers = 2});
}

// ---- a goroutine that does not let go -------------------------------------------------------------------------------------------

TEST(Monitor, ASpareStandsInForAWorkerThatAHogHolds) {
  tenon::run(
      [](context) {
        std::atomic<bool> let_go = false;
        auto hog = tenon::go([&] {
          while (!let_go.load(std::memory_order_relaxed)) {
          }
        });
        tenon::yield();  // from here on the only worker is the hog's
        EXPECT_EQ(tenon::go([] { return 1; }).join(), 1);
        let_go = true;
        hog.join();
      },
      {.workers = 1});
}

TEST(Monitor, ASpareStandsInForAWorkerThatSleepsInTheKernel) {
  tenon::run(
      [](context) {
        std::atomic<bool> let_go = false;
        auto asleep = tenon::go([&] {
          while (!let_go.load()) std::this_thread::sleep_for(1ms);
        });
        tenon::yield();
        EXPECT_EQ(tenon::go([] { return 1; }).join(), 1);
        let_go = true;
        asleep.join();
      },
      {.workers = 1});
}

TEST(Monitor, TimersFireWhileAHogHoldsTheWorker) {
  tenon::run(
      [](context) {
        std::atomic<bool> in = false;
        std::atomic<bool> let_go = false;
        auto hog = tenon::go([&] {
          in = true;
          while (!let_go.load(std::memory_order_relaxed)) {
          }
        });
        do tenon::sleep_for(5ms);
        while (!in);
        let_go = true;
        hog.join();
      },
      {.workers = 1});
}

// ---- on_this_thread ---------------------------------------------------------------------------------------------------------------

TEST(OnThisThread, StaysThereAcrossWaits) {
  for (const unsigned workers : {1U, 2U, 4U}) {
    tenon::run(
        [](context) {
          const auto c = tenon::make_chan<int>();
          std::vector<tenon::goroutine<>> all;
          std::set<std::thread::id> threads;
          tenon::mutex mu;
          for (int i = 0; i < 4; ++i) {
            all.push_back(tenon::go([&] {
              const tenon::on_this_thread here;
              const auto id = std::this_thread::get_id();
              {
                const std::lock_guard<tenon::mutex> hold(mu);
                EXPECT_TRUE(threads.insert(id).second) << "one thread for each";
              }
              for (int j = 0; j < 50; ++j) {
                errno = 1000 + j;
                switch (j % 4) {
                  case 0: tenon::yield(); break;
                  case 1: (void)c.recv(); break;
                  case 2: tenon::sleep_for(10us); break;
                  default: tenon::go([] { tenon::yield(); }).join();
                }
                EXPECT_EQ(std::this_thread::get_id(), id);
              }
            }));
          }
          for (int i = 0; i < 4 * 13; ++i) c.send(i);
        },
        {.workers = workers});
  }
}

TEST(OnThisThread, TheThreadRunsNobodyElse) {
  tenon::run(
      [](context) {
        std::atomic<bool> over = false;
        const auto ready = tenon::make_chan<std::thread::id>();
        const auto c = tenon::make_chan<int>();
        auto pinned = tenon::go([&] {
          const tenon::on_this_thread here;
          ready.send(std::this_thread::get_id());
          (void)c.recv();
        });
        const auto reserved = ready.recv().value();
        std::vector<tenon::goroutine<>> all;
        for (int i = 0; i < 20; ++i) {
          all.push_back(tenon::go([&] {
            for (int j = 0; j < 20; ++j) {
              EXPECT_NE(std::this_thread::get_id(), reserved);
              tenon::yield();
            }
          }));
        }
        for (auto& g : all) g.join();
        EXPECT_FALSE(over.load());
        c.send(1);
        pinned.join();
      },
      {.workers = 1});
}

// Go: runtime/proc_test.go TestLockOSThreadNesting
TEST(OnThisThread, Nests) {
  tenon::run(
      [](context) {
        auto g = tenon::go([] {
          const tenon::on_this_thread outer;
          const auto id = std::this_thread::get_id();
          {
            const tenon::on_this_thread inner;
            tenon::sleep_for(100us);
            EXPECT_EQ(std::this_thread::get_id(), id);
          }
          for (int i = 0; i < 20; ++i) {
            tenon::sleep_for(100us);
            EXPECT_EQ(std::this_thread::get_id(), id) << "the outer one still holds";
          }
        });
        for (int i = 0; i < 50; ++i) tenon::yield();
        g.join();
      },
      {.workers = 2});
}

TEST(OnThisThread, AndBlockingGoTogether) {
  tenon::run(
      [](context) {
        auto g = tenon::go([] {
          const tenon::on_this_thread here;
          const auto id = std::this_thread::get_id();
          for (int i = 0; i < 5; ++i) {
            tenon::blocking([&] {
              EXPECT_EQ(std::this_thread::get_id(), id);
              std::this_thread::sleep_for(1ms);
            });
            EXPECT_EQ(std::this_thread::get_id(), id);
            tenon::yield();
          }
        });
        for (int i = 0; i < 50; ++i) tenon::yield();
        g.join();
      },
      {.workers = 1});
}

TEST(OnThisThread, DoesNothingOnAThread) {
  const tenon::on_this_thread here;
  std::thread([] { const tenon::on_this_thread there; }).join();
}

TEST(OnThisThread, TheFirstGoroutineMayDoItToo) {
  tenon::run(
      [](context) {
        const tenon::on_this_thread here;
        const auto id = std::this_thread::get_id();
        for (int i = 0; i < 20; ++i) {
          EXPECT_EQ(tenon::go([i] { return i; }).join(), i);
          EXPECT_EQ(std::this_thread::get_id(), id);
        }
      },
      {.workers = 1});
}

// ---- goroutines move, what belongs to them moves along ------------------------------------------------------------------------------

TEST(Workers, ShareTheWork) {
  tenon::run(
      [](context) {
        // Two goroutines that need each other to be running at the same time.
        std::atomic<int> turn = 0;
        auto a = tenon::go([&] {
          for (int i = 0; i < 100; ++i) {
            while (turn.load() != 0) {
            }
            turn = 1;
          }
        });
        auto b = tenon::go([&] {
          for (int i = 0; i < 100; ++i) {
            while (turn.load() != 1) {
            }
            turn = 0;
          }
        });
        a.join();
        b.join();
      },
      {.workers = 2});
}

}  // namespace
