// Dumps of a program that goes on, while it does everything at once and while very many wait.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

#include <tenon/tenon.hpp>

#include "platform/backtrace.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;

class DumpUnderLoad : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, DumpUnderLoad, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Go: runtime TestStackAllOutput, and runtime.Stack in programs that are busy
TEST_P(DumpUnderLoad, TheProgramComputesWhatItWouldWithout) {
  tenon::run(
      [](tenon::group& root) {
        std::atomic<bool> over = false;
        std::atomic<long> exchanged = 0;
        std::atomic<long> started = 0;
        std::atomic<long> called = 0;
        const auto numbers = tenon::make_chan<long>();
        tenon::mutex mu;
        long locked = 0;
        for (int i = 0; i < 4; ++i) {
          root.go([&] {
            for (long n = 0; !over; ++n) numbers.send(n);
          });
          root.go([&] {
            while (numbers.recv()) ++exchanged;
          });
          root.go([&] {
            while (!over) started += tenon::go([] { return 1; }).join();
          });
          root.go([&] {
            while (!over) {
              tenon::blocking([] { std::this_thread::sleep_for(100us); });
              ++called;
            }
          });
          root.go([&] {
            while (!over) {
              mu.lock();
              ++locked;
              mu.unlock();
              tenon::yield();
            }
          });
        }
        const auto end = std::chrono::steady_clock::now() + tenon_test::churn_time();
        int dumps = 0;
        // Everybody has turns, however long a dump takes here: one who starves hangs the test.
        while (std::chrono::steady_clock::now() < end || dumps < 3 || exchanged == 0 || started == 0 || called == 0) {
          const std::string text = tenon::dump();
          EXPECT_NE(text.find("\ngoroutine 1 [running]:"), std::string::npos) << text;
          ++dumps;
          tenon::yield();
        }
        over = true;
        root.go([&] {
          while (root.active() > 5) tenon::sleep_for(1ms);  // this one, and those that receive
          numbers.close();
        });
        EXPECT_FALSE(root.wait());
        EXPECT_GT(locked, 0);
      },
      {.workers = GetParam()});
}

// A worker that is only starting must stand still, too: it would run a goroutine whose stack is being read.
TEST(DumpOfRuns, ThatHaveJustBegun) {
  const unsigned long faulted_before = tenon::walks_that_faulted();
  const auto end = std::chrono::steady_clock::now() + tenon_test::churn_time();
  int runs = 0;
  while (std::chrono::steady_clock::now() < end) {
    tenon::run(
        [](tenon::group& root) {
          const auto turns = tenon::make_chan<int>();
          for (int i = 0; i < 50; ++i) {
            root.go([turns](const tenon::context& ctx) {
              while (turns.send(ctx, 1)) continue;
            });
            root.go([turns](const tenon::context& ctx) {
              while (turns.recv(ctx)) continue;
            });
          }
          (void)tenon::dump();
          root.cancel();
        },
        {.workers = 8});
    ++runs;
  }
  EXPECT_EQ(tenon::walks_that_faulted() - faulted_before, 0U) << "in " << runs << " runs";
}

TEST(DumpOfMany, TakesNoMoreThanALineForThoseThatAreAlike) {
  const std::size_t n = tenon_test::scaled_goroutines(300'000);
  tenon::run([n](tenon::group& root) {
    const auto leave = tenon::make_chan<void>();
    for (std::size_t i = 0; i < n; ++i)
      root.go({.name = "parked", .stack_size = 16 * 1024}, [leave] { (void)leave.recv(); });
    while (tenon::dump().find("\"parked\" [chan receive] and " + std::to_string(n - 1) + " others like it") ==
           std::string::npos) {
      tenon::sleep_for(10ms);
    }
    EXPECT_LT(tenon::dump().size(), 10'000U);
    leave.close();
  });
}

}  // namespace
