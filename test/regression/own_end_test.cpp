// A goroutine that waits for its own end is told so at once, with both places.

#include <gtest/gtest.h>

#include <string>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;

class OwnEnd : public testing::TestWithParam<const char*> {};

TEST_P(OwnEnd, IsReportedWithBothPlaces) {
  const ending e = run_program("own_end", {GetParam()});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_TRUE(has_line(tenon_test::first_line(e.err), "waits for its own end")) << e.describe();
  const std::size_t started = e.err.find("\nstarted at\n\t");
  const std::size_t waits = e.err.find("\nwaits at\n");
  ASSERT_NE(started, std::string::npos) << e.describe();
  ASSERT_NE(waits, std::string::npos) << e.describe();
  EXPECT_LT(started, waits) << e.describe();
  EXPECT_NE(e.err.find("own_end.cpp:", started), std::string::npos) << e.describe();
}

INSTANTIATE_TEST_SUITE_P(Of, OwnEnd,
                         testing::Values("group_wait", "root_wait", "group_destroyed", "pipeline_destroyed",
                                         "wait_group_wait", "timer_destroyed", "handle"),
                         [](const auto& info) { return std::string(info.param); });

TEST(OwnEnd, AnAfterFuncMayDropItsHandle) {
  const ending e = run_program("own_end", {"after_func_dropped"});
  EXPECT_EQ(e.status, 0) << e.describe();
}

TEST(OwnEnd, IsNotClaimedOfAWaitThatCanBeGivenUp) {
  const ending e = run_program("own_end", {"wait_with_a_context"});
  EXPECT_EQ(e.status, 0) << e.describe();
}

}  // namespace
