// What a switch keeps.

#include <gtest/gtest.h>

#include "support/subprocess.hpp"

namespace {

TEST(ContextSwitch, KeepsWhatIsInTheWidestRegisters) {
  const tenon_test::ending e = tenon_test::run_program("switch_registers");
  if (e.status == 77)
    GTEST_SKIP() << "the processor has no AVX-512 (or SVE), or the compiler names its registers anyway";
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "kept\n") << e.describe();
}

}  // namespace
