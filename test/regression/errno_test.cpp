// The error number of a system call, asked for by a goroutine that has moved to another thread in the same function.

#include <gtest/gtest.h>

#include <cerrno>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"

namespace {

// The rest is seen in an optimised program only: test/regression/errno_after_a_move.cpp.
TEST(LastError, IsThatOfTheThreadOnWhichTheGoroutineGoesOn) {
  const auto end = tenon_test::run_program("errno_after_a_move", {"last_error", "20"});
  EXPECT_EQ(end.out, "0 of 20 wrong\n") << end.describe();
}

TEST(LastError, SoIsErrnoOnceItsHeaderIsIncluded) {
  const auto end = tenon_test::run_program("errno_after_a_move", {"errno", "20"});
  EXPECT_EQ(end.out, "0 of 20 wrong\n") << end.describe();
}

TEST(LastError, IsWhatErrnoIs) {
  errno = ENOTTY;
  EXPECT_EQ(tenon::last_error(), ENOTTY);
  errno = 0;
  EXPECT_EQ(tenon::last_error(), 0);
}

}  // namespace

#include <tenon/errno.hpp>
// After it the C library's header changes nothing.
#include <errno.h>

namespace {

TEST(LastError, TheNameOfItsHeaderIsTheSameVariable) {
  errno = EDOM;
  EXPECT_EQ(tenon::last_error(), EDOM);
  EXPECT_EQ(errno, EDOM);
  EXPECT_EQ(&errno, tenon::errno_location());
}

}  // namespace
