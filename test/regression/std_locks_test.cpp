// std::mutex and its kind belong to a thread: a goroutine that waits with one locked is reported, with both places.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;

constexpr bool wrapped = TENON_WRAPS_PTHREAD_LOCKS != 0;

std::string announced(const ending& e, const std::string& which) {
  const std::string mark = which + " at ";
  for (const std::string& line : tenon_test::lines_of(e.out)) {
    if (line.rfind(mark, 0) == 0) return line.substr(mark.size());
  }
  return "(the program announced nothing)";
}

struct fault {
  const char* program_case;
  const char* first_line;
  friend std::ostream& operator<<(std::ostream& os, const fault& f) { return os << f.program_case; }
};

class StdLockOverAWait : public testing::TestWithParam<fault> {};

TEST_P(StdLockOverAWait, IsReportedWithBothPlacesAndExcludesAllTheSame) {
  if (!wrapped) GTEST_SKIP() << "this build does not watch pthread's locks";
  const ending e = run_program("std_lock_over_wait", {GetParam().program_case});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_TRUE(has_line(e.out, "^overlaps 0$")) << e.describe();
  EXPECT_TRUE(has_line(tenon_test::first_line(e.err), GetParam().first_line)) << e.describe();
  const std::size_t locked = e.err.find("\nlocked at\n");
  const std::size_t waits = e.err.find("\nand waits at\n");
  ASSERT_NE(locked, std::string::npos) << e.describe();
  ASSERT_NE(waits, std::string::npos) << e.describe();
  const std::size_t end = e.err.find("\n\n", waits);
  ASSERT_NE(end, std::string::npos) << e.describe();
  if (e.err.find(".cpp:") == std::string::npos) GTEST_SKIP() << "no debug information is read on this machine";
  if (announced(e, "locks")[0] == '(') return;
  EXPECT_NE(e.err.substr(locked, waits - locked).find(announced(e, "locks")), std::string::npos) << e.describe();
  EXPECT_NE(e.err.substr(waits, end - waits).find(announced(e, "waits")), std::string::npos) << e.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Of, StdLockOverAWait,
    testing::Values(
        fault{"mutex", "^tenon: goroutine [0-9]+ waits .sleep. with a std::mutex or its like locked$"},
        fault{"recursive_mutex", "^tenon: goroutine [0-9]+ waits .sleep. with a std::mutex or its like locked$"},
        fault{"timed_mutex", "^tenon: goroutine [0-9]+ waits .sleep. with a std::mutex or its like locked$"},
        fault{"shared_mutex", "^tenon: goroutine [0-9]+ waits .sleep. with a std::shared_mutex locked$"},
        fault{"twice_locked", "^tenon: goroutine [0-9]+ waits .sleep. with a std::mutex or its like locked$"},
        fault{"over_a_receive", "^tenon: goroutine 1 waits .chan receive. with a std::mutex or its like locked$"},
        fault{"over_a_yield", "^tenon: goroutine 1 waits .yield. with a std::mutex or its like locked$"},
        fault{"shared_over_a_receive", "^tenon: goroutine 1 waits .chan receive. with a std::shared_mutex locked$"}),
    [](const auto& it) { return it.param.program_case; });

TEST(StdLock, HeldOverAWaitEndsTheProgramWhereThatIsToldTo) {
  if (!wrapped) GTEST_SKIP() << "this build does not watch pthread's locks";
  const ending e = run_program("std_lock_over_wait", {"over_a_receive"}, {{"TENON_CHECK_LOCKS", "2"}});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.err.rfind("fatal error: goroutine 1 waits (chan receive) with a std::mutex", 0), 0U) << e.describe();
}

TEST(StdLock, HeldOverAWaitIsNotLookedForWithoutChecks) {
  const ending e = run_program("std_lock_over_wait", {"over_a_receive"}, {{"TENON_CHECK_LOCKS", "0"}});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.err, "") << e.describe();
}

class StdLockWithoutAWait : public testing::TestWithParam<const char*> {};

TEST_P(StdLockWithoutAWait, IsNotReported) {
  if (!wrapped) GTEST_SKIP() << "this build does not watch pthread's locks";
  const ending e = run_program("std_lock_over_wait", {GetParam()});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.err, "") << e.describe();
}

INSTANTIATE_TEST_SUITE_P(Of, StdLockWithoutAWait,
                         testing::Values("unlocked_before", "on_this_thread", "in_a_blocking_call", "unlocked_unseen"),
                         [](const auto& it) { return std::string(it.param); });

TEST(StdLock, HeldOverAWaitKeepsTheThreadUntilItIsUnlocked) {
  if (!wrapped) GTEST_SKIP() << "this build does not watch pthread's locks";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator's own threads look like threads that may wake somebody";
  const ending with = run_program("std_lock_over_wait", {"asleep_with_it"});
  EXPECT_TRUE(has_line(with.err, R"(^goroutine 1 \[chan receive \(nil chan\), locked to thread\]:$)"))
      << with.describe();
  const ending without = run_program("std_lock_over_wait", {"asleep_without_it"});
  EXPECT_TRUE(has_line(without.err, R"(^goroutine 1 \[chan receive \(nil chan\)\]:$)")) << without.describe();
}

TEST(StdLock, DestroyedWhileLockedIsNotReported) {
  if (!wrapped) GTEST_SKIP() << "this build does not watch pthread's locks";
  const ending e = run_program("std_lock_over_wait", {"destroyed_while_locked"});
  EXPECT_EQ(e.status, 0) << e.describe();
}

}  // namespace
