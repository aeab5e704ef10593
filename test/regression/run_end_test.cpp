// The end of a run is one point in time: what starts before it runs, what comes after it is refused or goes apart from the run.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

constexpr int rounds = 300;

TEST(RunEnd, ATimersFunctionRunsHoweverTheRunEndsMeanwhile) {
  for (int i = 0; i < rounds; ++i) {
    std::atomic<int> calls{0};
    {
      const tenon::timer t(std::chrono::microseconds(i % 100), [&] { ++calls; });
      tenon::run([] {});
    }  // waits for a call that has started
    EXPECT_LE(calls, 1);
  }
}

TEST(RunEnd, AnAfterFuncOfAThreadRunsHoweverTheRunEndsMeanwhile) {
  for (int i = 0; i < rounds; ++i) {
    auto scope = tenon::with_cancel(tenon::background());
    std::atomic<int> calls{0};
    {
      const auto handle = tenon::after_func(scope.ctx(), [&] { ++calls; });
      std::thread canceler([&] { scope.cancel(); });
      tenon::run([] {});
      canceler.join();
    }
    EXPECT_EQ(calls, 1);
  }
}

// What a thread starts either runs to its end or is refused with the fatal error for it: it is never lost.
TEST(RunEnd, AThreadsGoRunsOrIsRefused) {
  for (int i = 0; i < 20; ++i) {
    const ending e = run_program("run_end", {"go_of_a_thread"});
    EXPECT_FALSE(e.timed_out) << e.describe();
    const bool refused = e.status == 2 && e.err.find("go outside of run") != std::string::npos;
    EXPECT_TRUE(e.status == 0 || refused) << e.describe();
  }
}

TEST(RunEnd, CancelsAGoroutineWhoseHandleIsStatic) {
  const ending e = run_program("run_end", {"static_handle"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ended by its context\nrun has returned\n") << e.describe();
}

TEST(RunEnd, NamesTheGoroutinesThatNoGroupOwns) {
  const ending e = run_program("run_end", {"not_owned"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_TRUE(
      tenon_test::has_line(e.out, "the end of run, has waited .* s for goroutines that none of its groups owns"))
      << e.describe();
  EXPECT_NE(e.out.find("run_end.cpp:"), std::string::npos) << e.describe();
}

}  // namespace
