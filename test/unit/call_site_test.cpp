// A place kept in a few nanoseconds names the same calls as a backtrace at the time would have.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <tenon/tenon.hpp>

#include "platform/backtrace.hpp"
#include "platform/call_site.hpp"

namespace {

struct kept {
  tenon::call_site site;
  const void* pcs[16] = {};
  unsigned n = 0;
};

tenon::stack_bounds stack_here() {
  // On a goroutine: as much as these tests need, which a goroutine's stack has above its first frames anyway.
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return {here - 4096, here + 2048};
}

TENON_NOINLINE void keep(kept& k, const tenon::stack_bounds& stack) {
  tenon::keep_call(k.site, tenon::frame_of_caller(), stack);
  k.n = tenon::backtrace(k.pcs, 16);
  asm volatile("" ::: "memory");
}

template <int Words>
TENON_NOINLINE void with_frame(kept& k, const tenon::stack_bounds& stack) {
  volatile std::uintptr_t locals[Words];
  for (auto& word : locals) word = reinterpret_cast<std::uintptr_t>(&locals);
  keep(k, stack);
  asm volatile("" ::: "memory");
}

TENON_NOINLINE void two_deep(kept& k, const tenon::stack_bounds& stack) {
  with_frame<4>(k, stack);
  asm volatile("" ::: "memory");
}

/// Other frames where those were.
TENON_NOINLINE void overwrite_stack() {
  volatile unsigned char other[8192];
  for (auto& byte : other) byte = 0xdb;
}

/// What `keep`'s backtrace has above `backtrace` and `keep` themselves.
std::vector<const void*> expected(const kept& k) {
  const void* const* first = std::find(k.pcs, k.pcs + k.n, k.site.pc);
  return std::vector<const void*>(first, k.pcs + k.n);
}

void expect_same(const kept& k, std::size_t at_least) {
  overwrite_stack();
  const void* found[16];
  const unsigned n = tenon::calls_of(k.site, found, 16);
  const std::vector<const void*> want = expected(k);
  ASSERT_GE(n, at_least);
  ASSERT_LE(n, want.size());
  for (unsigned i = 0; i < n; ++i) EXPECT_EQ(found[i], want[i]) << "call " << i;
}

TEST(CallSite, OfAThreadIsReadWhenItsFramesAreGone) {
  kept k;
  two_deep(k, tenon::stack_of_this_thread());
  expect_same(k, 3);
}

TEST(CallSite, OfAGoroutineIsReadWhenItsFramesAreGone) {
  tenon::run([] {
    kept k;
    two_deep(k, stack_here());
    expect_same(k, 3);
  });
}

TEST(CallSite, EndsAtAFrameThatDidNotFit) {
  kept k;
  with_frame<200>(k, tenon::stack_of_this_thread());
  expect_same(k, 1);
}

TEST(CallSite, ReadsNothingAboveTheStack) {
  for (const std::uintptr_t bytes : {0, 8, 16, 24, 64, 128, 256}) {
    kept k;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    two_deep(k, {here - 4096, here - 4096 + bytes});  // none of it, and then some of another stack
    EXPECT_EQ(k.site.words, 0U);
    two_deep(k, {here - 512, here - 192 + bytes});
    EXPECT_LE(k.site.sp + k.site.words * sizeof(std::uintptr_t), std::max(k.site.sp, here - 192 + bytes));
    expect_same(k, 1);
  }
}

}  // namespace
