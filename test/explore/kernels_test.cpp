// Deadlocks of real programs (kernels.cpp), which each of the strategies has to find and to repeat.
//
// There is no table of what a strategy is excused from: each finds all of them. `exhaustive` needs no preemption or one, and two for grpc3017.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <tuple>

#include "explore/kernel_names.hpp"
#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

constexpr const char* kernel_deadlock = "fatal error: all goroutines are asleep - deadlock!";

/// Where one goroutine waits for itself, which is reported before the deadlock that comes of it.
constexpr std::string_view kernels_that_relock[] = {"cockroach6181", "cockroach9935", "cockroach16167"};

bool kernel_relocks(std::string_view name) {
  for (const std::string_view k : kernels_that_relock) {
    if (k == name) return true;
  }
  return false;
}

/// The first line of a report that is not about a lock.
std::string kernel_verdict(const ending& e) {
  for (const std::string& line : tenon_test::lines_of(e.err)) {
    if (line.starts_with("fatal error: ")) return line;
  }
  return {};
}

/// The one line that says how to repeat it, as it stands.
std::string kernel_replay_line(const ending& e) {
  std::string found;
  for (const std::string& line : tenon_test::lines_of(e.err)) {
    if (!line.starts_with("TENON_REPLAY=")) continue;
    EXPECT_EQ(found, "") << "two of them: " << e.describe();
    found = line;
  }
  return found;
}

/// In which schedule it was found; 0 if the report does not say.
std::size_t kernel_schedule(const ending& e) {
  const std::string mark = ": schedule ";
  std::size_t at = e.err.find(mark);
  if (at == std::string::npos) return 0;
  std::size_t n = 0;
  for (at += mark.size(); at < e.err.size() && e.err[at] != ':'; ++at) {
    if (e.err[at] == ',') continue;
    if (e.err[at] < '0' || e.err[at] > '9') return 0;
    n = 10 * n + static_cast<std::size_t>(e.err[at] - '0');
  }
  return n;
}

void kernel_ends_in_a_deadlock(const std::string& name, const ending& e) {
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.out, "") << e.describe();
  EXPECT_EQ(kernel_verdict(e), kernel_deadlock) << e.describe();
  const std::string first = tenon_test::first_line(e.err);
  if (kernel_relocks(name)) {
    EXPECT_TRUE(first.starts_with("tenon: recursive lock")) << e.describe();
  } else {
    EXPECT_EQ(first, kernel_deadlock) << e.describe();
  }
}

class ExploreKernel : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(ExploreKernel, IsFoundAndRepeated) {
  const auto& [name, strategy] = GetParam();
  const ending first = run_program("kernels", {name, strategy});
  kernel_ends_in_a_deadlock(name, first);
  const std::string replay = kernel_replay_line(first);
  ASSERT_NE(replay, "") << first.describe();
  const std::size_t schedule = kernel_schedule(first);
  EXPECT_GT(schedule, 0U) << first.describe();
  std::printf("figures: %s %s: schedule %zu\n", name, strategy, schedule);
  std::fflush(stdout);

  const std::string value = replay.substr(replay.find('=') + 1);
  const ending again = run_program("kernels", {name, strategy}, {{"TENON_REPLAY", value}});
  kernel_ends_in_a_deadlock(name, again);
  EXPECT_EQ(kernel_replay_line(again), replay) << again.describe();
}
INSTANTIATE_TEST_SUITE_P(Of, ExploreKernel,
                         testing::Combine(testing::ValuesIn(tenon_test::kernel_names),
                                          testing::ValuesIn(tenon_test::kernel_strategies)),
                         [](const auto& which) {
                           return std::string(std::get<0>(which.param)) + "_" + std::get<1>(which.param);
                         });

class ExploreKernelOrder : public testing::TestWithParam<const char*> {};

// A program that fails in every order would be found by anything. A later schedule that fails says that the ones before it have not.
TEST_P(ExploreKernelOrder, MattersForTheDeadlock) {
  for (int seed = 1; seed <= 40; ++seed) {
    const ending e = run_program("kernels", {GetParam(), "random"}, {{"TENON_SEED", std::to_string(seed)}});
    ASSERT_EQ(e.status, 2) << e.describe();
    if (kernel_schedule(e) > 1) return;
  }
  ADD_FAILURE() << "the first schedule failed with every seed";
}
INSTANTIATE_TEST_SUITE_P(Of, ExploreKernelOrder, testing::ValuesIn(tenon_test::kernel_names),
                         [](const auto& which) { return std::string(which.param); });

TEST(ExploreKernels, AreListed) {
  const ending e = run_program("kernels", {"--list"});
  EXPECT_EQ(e.status, 0) << e.describe();
  std::string all;
  for (const char* const name : tenon_test::kernel_names) all += std::string(name) + "\n";
  EXPECT_EQ(e.out, all);
}

}  // namespace
