// When `f` has returned, goroutines of the root group that nothing can wake are a deadlock, and it is reported with default options.

#include <gtest/gtest.h>

#include <string>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

class StuckAfterMain : public testing::TestWithParam<const char*> {};

TEST_P(StuckAfterMain, IsADeadlock) {
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator's own threads look like threads that may wake somebody";
  const ending e = run_program("stuck_after_main", {GetParam()});
  EXPECT_FALSE(e.timed_out) << e.describe();
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_NE(e.err.find("fatal error: all goroutines are asleep - deadlock!"), std::string::npos) << e.describe();
  EXPECT_NE(e.err.find("stuck_after_main.cpp:"), std::string::npos) << e.describe();
  EXPECT_EQ(e.err.find("wait_or_done"), std::string::npos) << "how tenon waits is no part of it\n" << e.describe();
}

INSTANTIATE_TEST_SUITE_P(Of, StuckAfterMain,
                         testing::Values("receive", "receive_virtual", "crossed_mutexes", "stage_not_read",
                                         "after_a_failure", "with_grace", "not_interruptible", "wait_of_f"),
                         [](const auto& info) { return std::string(info.param); });

TEST(StuckAfterMain, IsTheGracePeriodsToEndOnceTheRootIsCanceled) {
  const ending e = run_program("stuck_after_main", {"canceled_with_grace"});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_NE(e.err.find("the grace period is over"), std::string::npos) << e.describe();
}

TEST(StuckAfterMain, IsNotClaimedWhileAnInterruptCanWakeAMember) {
  tenon_test::program p(tenon_test::program_command("stuck_after_main", {"waits_for_interrupt"}));
  ASSERT_TRUE(p.await_output("waiting\n"));
  p.send_signal(SIGINT);
  const ending e = p.finish();
  EXPECT_NE(e.out.find("interrupted\n"), std::string::npos) << e.describe();
  EXPECT_EQ(e.err.find("deadlock"), std::string::npos) << e.describe();
}

}  // namespace
