// A signal handler can tell whether it has interrupted a switch.

#include <ucontext.h>

#include <gtest/gtest.h>

#include <cstdint>

#include <tenon/tenon.hpp>

#include "platform/context_switch.hpp"

namespace {

struct range {
  std::int32_t begin;
  std::uint32_t length;
};
extern "C" const range __start_tenon_switches[] __attribute__((weak));
extern "C" const range __stop_tenon_switches[] __attribute__((weak));

bool in_switch_at(std::uintptr_t pc) {
  ucontext_t c{};
#if defined(__x86_64__)
  c.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc);
#else
  c.uc_mcontext.pc = pc;
#endif
  return tenon::in_switch(&c);
}

TEST(ContextSwitch, KnowsItsOwnMiddle) {
#if TENON_TEST_SHARED
  GTEST_SKIP() << "the section is the shared library's own: nothing outside of it sees its bounds";
#endif
  ASSERT_NE(__start_tenon_switches, __stop_tenon_switches);
  for (const range* r = __start_tenon_switches; r != __stop_tenon_switches; ++r) {
    const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(&r->begin) + static_cast<std::intptr_t>(r->begin);
    EXPECT_LT(r->length, 64U);
    EXPECT_FALSE(in_switch_at(begin)) << "the stack is still the old one";
    for (std::uintptr_t pc = begin + 1; pc < begin + r->length; ++pc) EXPECT_TRUE(in_switch_at(pc));
    EXPECT_FALSE(in_switch_at(begin + r->length)) << "it has arrived";
  }
}

}  // namespace
