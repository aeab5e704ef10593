// Failures are not lost: each waiter gets them, each report of the end names them, and in the name of the one who failed.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;

/// "failures\.cpp:12", the line that ends with `mark`.
std::string place(const std::string& mark) {
  std::ifstream source(std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/')) + "/failures.cpp");
  std::string line;
  for (int n = 1; std::getline(source, line); ++n) {
    if (line.size() > mark.size() && line.compare(line.size() - mark.size(), mark.size(), mark) == 0)
      return "failures\\.cpp:" + std::to_string(n);
  }
  return "(no line is marked: " + mark + ")";
}

// ---- a wait group's waiters ---------------------------------------------------------------------------------------

class WaitGroupFailureBy : public testing::TestWithParam<tenon_test::callers> {};

TEST_P(WaitGroupFailureBy, ComesOutOfEveryWaitOfItsRound) {
  tenon::run([&] {
    tenon::wait_group wg;
    const auto leave = tenon::make_chan<void>();
    std::atomic<int> told = 0;
    std::vector<tenon_test::companion> all;
    wg.go([leave] {
      (void)leave.recv();
      throw std::runtime_error("the first");
    });
    for (int i = 0; i < 3; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        try {
          wg.wait();
        } catch (const std::runtime_error& e) {
          if (std::string(e.what()) == "the first") ++told;
        }
      }));
    }
    leave.close();
    for (auto& a : all) a.join();
    EXPECT_EQ(told.load(), 3);
    EXPECT_THROW(wg.wait(), std::runtime_error) << "one that comes after the end of the round";
  });
}

INSTANTIATE_TEST_SUITE_P(By, WaitGroupFailureBy, tenon_test::every_caller, tenon_test::caller_name);

TEST(WaitGroupFailure, IsClearedByTheFirstAddOfTheNextRound) {
  tenon::run([] {
    tenon::wait_group wg;
    wg.go([] { throw std::runtime_error("the first round's"); });
    EXPECT_THROW(wg.wait(), std::runtime_error);
    wg.add(1);
    wg.done();
    EXPECT_NO_THROW(wg.wait());
    wg.go([] { throw std::logic_error("the third round's"); });
    EXPECT_THROW(wg.wait(), std::logic_error);
  });
}

TEST(WaitGroupFailure, IsTheNextRoundsWhereNoWaitHasSeenIt) {
  tenon::run(
      [] {
        tenon::wait_group wg;
        std::atomic<bool> ended{false};
        wg.go([&] {
          ended = true;
          throw std::runtime_error("the first round's");
        });
        while (!ended) tenon::yield();  // one worker: it ends before this goes on
        wg.go([] { throw std::logic_error("the second round's"); });
        EXPECT_THROW(wg.wait(), std::runtime_error);
      },
      {.workers = 1});
}

// A waiter that comes just as the count reaches zero has set its mark, the lowest bit of the state, and will take it back: another one that wakes in
// that moment was not told of a reuse by it. The moment is made here by hand.
TEST(WaitGroupPanic, IsNotForAWaiterThatWakesWhileAnotherComes) {
  static_assert(std::is_standard_layout_v<tenon::wait_group>, "the state is its first member");
  tenon::run(
      [] {
        tenon::wait_group wg;
        auto& state = reinterpret_cast<std::atomic<std::uint64_t>&>(wg);
        wg.add(1);
        auto waiter = tenon::go([&] { wg.wait(); });
        while (state.load() != (std::uint64_t{1} << 32U | 1U)) tenon::yield();  // it waits
        wg.done();
        state.fetch_or(1);
        EXPECT_NO_THROW(waiter.join());
        state.fetch_and(~std::uint64_t{1});
      },
      {.workers = 1});
}

// ---- the end of a program -----------------------------------------------------------------------------------------

struct report {
  const char* program_case;
  const char* line;  // a regular expression
  friend std::ostream& operator<<(std::ostream& os, const report& r) { return os << r.program_case; }
};

class FailureReport : public testing::TestWithParam<report> {};

TEST_P(FailureReport, NamesWhatFailedBefore) {
  const ending e = run_program("failures", {GetParam().program_case});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.err.rfind("fatal error: ", 0), 0U) << e.describe();
  EXPECT_TRUE(has_line(e.err, GetParam().line)) << e.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Of, FailureReport,
    testing::Values(
        report{"wait_group_left_by_an_exception",
               "^an exception is on its way: std::runtime_error: config\\.toml: no such file$"},
        report{"wait_group_left_by_a_rethrown_exception",
               "^an exception is on its way: std::out_of_range: port 70000$"},
        report{"wait_group_of_a_thread_left_by_an_exception",
               "^an exception is on its way: std::runtime_error: on a plain thread$"},
        report{
            "deadlock_after_a_failed_member",
            "^failed before: goroutine [0-9]+, started at .*failures\\.cpp:[0-9]+: std::runtime_error: producer failed$"},
        report{"deadlock_after_a_member_returned_an_error",
               "^failed before: goroutine [0-9]+, started at .*failures\\.cpp:[0-9]+: producer gave up$"},
        report{
            "deadlock_after_a_failed_goroutine",
            "^failed before: goroutine [0-9]+, started at .*failures\\.cpp:[0-9]+: std::runtime_error: handle failed$"},
        report{"deadlock_after_a_failed_function_of_a_wait_group",
               "^failed before: goroutine [0-9]+, started at .*: std::runtime_error: one of two failed$"},
        report{"deadlock_after_the_first_function_failed",
               "^failed before: goroutine 1, started at .*: std::runtime_error: main failed$"},
        report{"deadlock_while_unwinding",
               "^goroutine 1, started at .*, is unwinding for: std::runtime_error: on its way through a group$"},
        report{"deadlock_in_a_handler", "^goroutine 1, started at .*, is handling: std::runtime_error: being handled$"},
        report{"fatal_in_a_handler", "^while handling: std::runtime_error: being handled$"}),
    [](const auto& info) { return std::string(info.param.program_case); });

TEST(FailureReport, SaysWhereTheFailedMemberWasStarted) {
  const ending e = run_program("failures", {"deadlock_after_a_failed_member"});
  EXPECT_TRUE(has_line(e.err, "^failed before: .*" + place("// line: failed member") + ": ")) << e.describe();
}

TEST(FailureReport, DoesNotNameWhatHasBeenSeen) {
  const ending e = run_program("failures", {"deadlock_after_a_failure_that_was_seen"});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.err.find("dealt with"), std::string::npos) << e.describe();
}

TEST(FailureThatWasNotSeen, IsReportedInTheNameOfTheOneWhoFailed) {
  for (const auto& [program_case, mark] : std::vector<std::pair<std::string, std::string>>{
           {"unseen_failure_of_a_member", "// line: unseen member"},
           {"unseen_failure_of_a_stage", "// line: unseen stage"},
           {"unseen_failure_in_a_wait_group", "// line: unseen wait group"}}) {
    const ending e = run_program("failures", {program_case});
    EXPECT_EQ(e.status, 2) << e.describe();
    EXPECT_EQ(tenon_test::first_line(e.err), "panic: boom") << e.describe();
    EXPECT_TRUE(has_line(e.err, "^goroutine ([2-9]|[0-9][0-9]+) \\[unhandled exception\\]:$")) << e.describe();
    EXPECT_TRUE(has_line(e.err, "^created at .*" + place(mark) + "$")) << e.describe();
    EXPECT_EQ(e.err.find("failed before"), std::string::npos) << "once is enough\n" << e.describe();
  }
}

TEST(FailureThatWasNotSeen, IsPrintedBesideAnExceptionOnItsWay) {
  const ending e = run_program("failures", {"unseen_failure_beside_an_exception"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "run threw: the owner's\n") << e.describe();
  EXPECT_TRUE(has_line(e.err, "^tenon: unhandled beside an exception on its way: goroutine [0-9]+, .*: the member's$"))
      << e.describe();
}

// ---- two at once ---------------------------------------------------------------------------------------------------

TEST(FatalError, IsDumpedByTheMonitorThoughThatWantsToEndTheProcessToo) {
  const ending e = run_program("failures", {"fatal_on_the_monitor_meanwhile"});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_TRUE(has_line(e.err, "^fatal error: the worker's$")) << e.describe();
  EXPECT_FALSE(has_line(e.err, "the monitor's")) << e.describe();
  EXPECT_TRUE(has_line(e.err, "^goroutine 1 \\[running\\]:$")) << e.describe();
}

}  // namespace
