// The fence between those who make work and those who go to sleep.

#include <gtest/gtest.h>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::first_line;
using tenon_test::run_program;

// The next run, too, does without.
TEST(Barrier, GoesOnWithoutMembarrierWhenASandboxTakesItAway) {
  const ending e = run_program("lost_membarrier");
  if (e.status == 77) GTEST_SKIP() << "no membarrier, or no filters, on this machine";
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "changed over\nchanged over\n") << e.describe();
}

TEST(Barrier, SaysSoWhereNothingIsLeft) {
  const ending e = run_program("lost_membarrier", {"both"});
  if (e.status == 77) GTEST_SKIP() << "no membarrier, or no filters, on this machine";
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(
      first_line(e.err),
      "fatal error: tenon: the kernel refuses membarrier, which it allowed when the run began, and sched_setaffinity: "
      "wake-ups would be lost. A seccomp filter has to allow one of the two, or to be installed before the first run")
      << e.describe();
}

}  // namespace
