// Stacks: what does not fit into one is reported and damages no other, and each can be made larger.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "platform/stack.hpp"
#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;

/// The emulator takes a fault at a guard for its own and does not deliver it.
bool not_delivered(const ending& e) { return tenon_test::emulated() && has_line(e.err, "QEMU internal SIGSEGV"); }

TEST(LargeFrame, IsReportedAndDamagesNoOther) {
  for (const char* kib : {"258", "260", "264", "320", "1000"}) {
    const ending e = run_program("large_frames", {"frame", kib});
    if (not_delivered(e)) GTEST_SKIP() << "under this emulator";
    EXPECT_EQ(e.status, 2) << kib << e.describe();
    EXPECT_TRUE(has_line(e.err, "^fatal error: stack overflow$")) << kib << e.describe();
  }
}

TEST(LargeFrame, OfASmallStackIsReportedAndDamagesNoOther) {
  for (const char* kib : {"24", "60"}) {
    const ending e = run_program("large_frames", {"small", kib});
    if (not_delivered(e)) GTEST_SKIP() << "under this emulator";
    EXPECT_EQ(e.status, 2) << kib << e.describe();
    EXPECT_TRUE(has_line(e.err, "^fatal error: stack overflow$")) << kib << e.describe();
  }
}

// Code that was compiled without probes, a library's say: the zone below the stack is 64 KiB wide.
TEST(LargeFrame, WithoutProbesMeetsTheZoneBelowTheStack) {
  // What is above it on the stack takes a few KiB, more with some compilers and with AddressSanitizer.
  for (const char* kib : {"256", "270", "300", "310"}) {
    const ending e = run_program("large_frames", {"store", kib});
    if (not_delivered(e)) GTEST_SKIP() << "under this emulator";
    EXPECT_EQ(e.status, 2) << kib << e.describe();
    EXPECT_TRUE(has_line(e.err, "^fatal error: stack overflow$")) << kib << e.describe();
  }
}

TEST(LargeFrame, ThatFitsDamagesNothing) {
  const ending e = run_program("large_frames", {"frame", "200"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "damaged: 0\n") << e.describe();
}

TEST(StackSize, CanBeGivenToEveryKindOfGoroutine) {
  const ending e = run_program("large_frames", {"everywhere"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "status 0, 16 times\n") << e.describe();
}

TEST(StackSize, ThatTheReportAdvisesIsOfTheGoroutinesOwnKind) {
  for (const auto& [kind, advice] :
       std::vector<std::pair<std::string, std::string>>{{"member", "\\(g\\.go\\(\\{\\.stack_size"},
                                                        {"stage", "\\(g\\.produce<T>\\(\\{\\.stack_size"},
                                                        {"function", "\\(wg\\.go\\(\\{\\.stack_size"},
                                                        {"main", "\\(run\\(f, \\{\\.main_stack_size"},
                                                        {"handle", "\\(go\\(\\{\\.stack_size"},
                                                        {"timer", "\\(run\\(f, \\{\\.stack_size"}}) {
    const ending e = run_program("large_frames", {"overflow", kind});
    if (not_delivered(e)) GTEST_SKIP() << "under this emulator";
    EXPECT_EQ(e.status, 2) << e.describe();
    EXPECT_TRUE(has_line(e.err, "^goroutine [0-9]+.*, started at .*large_frames\\.cpp:[0-9]+, has used up .*" + advice))
        << e.describe();
    EXPECT_TRUE(has_line(e.err, "docs/stacks\\.md")) << e.describe();
  }
}

TEST(StackName, OfAMemberIsShown) {
  const ending e = run_program("large_frames", {"overflow", "member"});
  if (not_delivered(e)) GTEST_SKIP() << "under this emulator";
  EXPECT_TRUE(has_line(e.err, "^goroutine [0-9]+ \"digger\", started at ")) << e.describe();
}

TEST(GuardsSetting, IsRefusedUnlessItIsKnown) {
  for (const std::string value : {"", "light", "mprotect "}) {
    const ending e = run_program("workers", {}, {{"TENON_GUARDS", value}});
    EXPECT_EQ(e.status, 2) << "TENON_GUARDS='" << value << "': " << e.describe();
    EXPECT_EQ(tenon_test::lines_of(e.err).size(), 1U) << "one line\n" << e.describe();
    EXPECT_NE(e.err.find("TENON_GUARDS=" + value), std::string::npos) << e.describe();
  }
}

// ---- no stack to be had -------------------------------------------------------------------------------------------

TEST(NoStack, IsAnExceptionThatNamesTheLimitAndTheNumber) {
  if (tenon_test::sanitized() || tenon_test::emulated()) GTEST_SKIP() << "takes address space of its own";
  for (const char* who : {"member", "stage", "handle", "wait_group"}) {
    const ending e = run_program("no_stack", {who});
    EXPECT_EQ(e.status, 0) << who << e.describe();
    EXPECT_TRUE(has_line(e.out, "^[1-9][0-9]+ started$")) << who << e.describe();
    EXPECT_TRUE(
        has_line(e.out,
                 "^tenon: no stack for another goroutine: there are [1-9][0-9]+, each with 32[04] KiB of address "
                 "space: RLIMIT_AS \\(ulimit -v\\) is [0-9]+ MiB, and [0-9]+ MiB are in use$"))
        << who << e.describe();
    EXPECT_TRUE(has_line(e.out, "^all have ended: <nil>$")) << who << e.describe();
  }
}

TEST(NoStack, ForTheFirstGoroutineLeavesTheNextRunAlone) {
  if (tenon_test::sanitized() || tenon_test::emulated()) GTEST_SKIP() << "takes address space of its own";
  const ending e = run_program("no_stack", {"run"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_TRUE(has_line(e.out, "^tenon: no stack for another goroutine: .*RLIMIT_AS")) << e.describe();
  EXPECT_TRUE(has_line(e.out, "^the next run$")) << e.describe();
}

// The zone is nobody's memory: neither a stack's, nor counted as one.
TEST(StackZone, LiesBetweenStacksOfEverySize) {
  for (std::size_t size = tenon::stacks::smallest; size <= std::size_t{8} << 20U; size *= 2) {
    const tenon::stack_slot first = tenon::stacks::allocate(size);
    const tenon::stack_slot second = tenon::stacks::allocate(size);
    EXPECT_EQ(first.size, size);
    EXPECT_GE(first.low() - first.base, 64 * 1024);
    EXPECT_EQ(tenon::stacks::classify(first.base), tenon::stacks::fault_kind::guard);
    EXPECT_EQ(tenon::stacks::classify(first.low() - 1), tenon::stacks::fault_kind::guard);
    EXPECT_EQ(tenon::stacks::classify(first.low()), tenon::stacks::fault_kind::inside);
    EXPECT_EQ(tenon::stacks::classify(first.end() - 1), tenon::stacks::fault_kind::inside);
#if defined(__x86_64__)
    EXPECT_EQ(tenon::stacks::stride(size) / 4096 % 2, 1U) << "the top pages fall into all sets of the TLBs";
#endif
    EXPECT_GT(first.top(), first.end() - 4096) << "at most seven colours of 256 bytes";
    if (second.base > first.base) {
      EXPECT_GE(second.base, first.end());
    }
    for (const tenon::stack_slot& slot : {first, second}) tenon::stacks::deallocate(&slot, 1);
  }
}

}  // namespace
