// Timers and tickers on the real clock: their beat under load, many of them on several workers, and what waiting for them costs. What
// they do at which time stands in test/conformance/time_test.cpp, on the virtual clock.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tenon::context;
using clock = std::chrono::steady_clock;

// Timing that a busy machine may spoil gets several tries.
template <class F>
void in_one_of_some_tries(F&& attempt) {
  std::string complaint;
  for (int i = 1; i <= 6; ++i) {
    complaint = attempt(nanoseconds(5ms) * (1 << i));
    if (complaint.empty()) return;
  }
  ADD_FAILURE() << complaint;
}

// Go: time/tick_test.go TestTicker, on the real clock
TEST(Ticker, KeepsItsPeriod) {
  tenon::run([](context) {
    in_one_of_some_tries([](nanoseconds d) -> std::string {
      const tenon::ticker t(d);
      const auto start = clock::now();
      for (int i = 0; i < 5; ++i) (void)t.c().recv();
      t.reset(2 * d);
      for (int i = 0; i < 5; ++i) (void)t.c().recv();
      const auto took = clock::now() - start;
      if (took < 12 * d) return "too fast";
      if (took > 20 * d) return "too slow";
      return "";
    });
  });
}

// Go: runtime/proc_test.go TestTimerFairness, for a ticker
TEST(Ticker, KeepsItsBeatBesideGoroutinesThatYield) {
  tenon::run(
      [](context) {
        std::atomic<bool> stop = false;
        tenon::wait_group wg;
        for (int i = 0; i < 10; ++i) {
          wg.go([&] {
            while (!stop.load()) tenon::yield();
          });
        }
        in_one_of_some_tries([](nanoseconds d) -> std::string {
          const auto start = clock::now();
          const tenon::ticker t(d);
          for (int i = 1; i <= 10; ++i) {
            (void)t.c().recv();
            const auto late = clock::now() - start - i * d;
            if (late > d / 2) return "tick " + std::to_string(i) + " is late by " + std::to_string(late / 1us) + " us";
          }
          return "";
        });
        stop = true;
        wg.wait();
      },
      {.workers = 1});
}

// Go: none: what an idle process costs
TEST(Ticker, BesideManyParkedGoroutinesCostsAWakeUpATick) {
  const std::size_t n = tenon_test::scaled_goroutines(10000);
  for (const unsigned workers : {1U, 4U}) {
    tenon::run(
        [&](context) {
          const auto over = tenon::make_chan<void>();
          tenon::wait_group wg;
          for (std::size_t i = 0; i < n; ++i) wg.go([=] { (void)over.recv(); });
          tenon::sleep_for(100ms);
          const auto switches = [] {
            rusage u{};
            ::getrusage(RUSAGE_SELF, &u);
            return u.ru_nvcsw;
          };
          const tenon::ticker t(1s);
          (void)t.c().recv();
          const long before = switches();
          for (int i = 0; i < 3; ++i) (void)t.c().recv();
          EXPECT_LE(switches() - before, 3 * 100) << workers << " workers";
          over.close();
          wg.wait();
        },
        {.workers = workers});
  }
}

// Go: time/sleep_test.go TestTickerStress and TestTickerConcurrentStress
TEST(Ticker, AVeryShortPeriodServesEverybody) {
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [](context) {
          const tenon::ticker t(1ns);
          for (int i = 0; i < 100; ++i) (void)t.c().recv();
          tenon::wait_group wg;
          for (int i = 0; i < 10; ++i) {
            wg.go([&] {
              for (int j = 0; j < 100; ++j) (void)t.c().recv();
            });
          }
          wg.wait();
          t.stop();
        },
        {.workers = workers});
  }
}

// Go: time/sleep_test.go TestStopResult and TestResetResult
TEST(Timer, ManyStopAndResetWhatIsAboutToFire) {
  const std::size_t goroutines = tenon_test::scaled_goroutines(200);
  for (const bool stop : {true, false}) {
    tenon::run(
        [&](context) {
          tenon::wait_group wg;
          for (std::size_t i = 0; i < goroutines; ++i) {
            wg.go([stop] {
              for (int j = 0; j < 20; ++j) {
                const tenon::timer a(1ms);
                const tenon::timer b(1ms);
                const bool first = tenon::select(tenon::recv(a.c()), tenon::recv(b.c())) == 0;
                const tenon::timer& other = first ? b : a;
                // With a false answer there is a tick to take; were it not so, this would wait for ever.
                if (!(stop ? other.stop() : other.reset(1h))) (void)other.c().recv();
              }
            });
          }
          wg.wait();
        },
        {.workers = 2});
  }
}

// Go: time/sleep_test.go TestMultiWakeupTicker
TEST(Timer, ManyWaitForOneTicker) {
  const std::size_t times = tenon_test::scaled(2000, 100);
  tenon::run(
      [&](context) {
        const tenon::ticker t(1us);
        tenon::wait_group wg;
        for (int i = 0; i < 4; ++i) {
          wg.go([&] {
            for (std::size_t j = 0; j < times; ++j) tenon::select(tenon::recv(t.c()), tenon::recv(tenon::after(1ms)));
          });
        }
        wg.wait();
      },
      {.workers = 2});
}

// Go: time/sleep_test.go TestMultiWakeupTimer
TEST(Timer, ManyResetOneTimer) {
  const std::size_t times = tenon_test::scaled(5000, 200);
  tenon::run(
      [&](context) {
        const tenon::timer t(1ns);
        tenon::wait_group wg;
        for (int i = 0; i < 4; ++i) {
          wg.go([&] {
            for (std::size_t j = 0; j < times; ++j) {
              tenon::select(tenon::recv(t.c()), tenon::otherwise);
              t.reset(1ns);
            }
          });
        }
        wg.wait();
      },
      {.workers = 2});
}

// Go: time/tick_test.go TestLongAdjustTimers
TEST(Timer, ManyTimersInASelectLoopStayQuick) {
  const std::size_t sleepers = tenon_test::scaled_goroutines(1000);
  const std::size_t rounds = tenon_test::scaled(1000, 50);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::size_t i = 0; i < sleepers; ++i) wg.go([] { tenon::sleep_for(10us); });
        const auto in = tenon::make_chan<int>();
        const auto out = tenon::make_chan<int>();
        wg.go([&] {
          std::vector<int> queue;
          std::optional<int> got;
          for (;;) {
            // With nothing to pass on, the send case is one on the nil channel.
            int next = queue.empty() ? 0 : queue.front();
            const auto to = queue.empty() ? tenon::chan<int>() : out;
            if (tenon::select(tenon::send(to, std::move(next)), tenon_test::into(in, got)) == 0) {
              queue.erase(queue.begin());
            } else if (got) {
              queue.push_back(*got);
            } else {
              break;
            }
          }
          out.close();
        });
        for (std::size_t i = 0; i < rounds; ++i) {
          for (int j = 0; j < 20; ++j) in.send(j);
          for (int j = 0; j < 20; ++j) {
            std::optional<int> v;
            ASSERT_EQ(tenon::select(tenon_test::into(out, v), tenon::recv(tenon::after(20s))), 0U);
            ASSERT_EQ(v, j);
          }
        }
        in.close();
        wg.wait();
      },
      {.workers = 2});
}

}  // namespace
