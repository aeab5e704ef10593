// The same scenario in Go and in tenon: what they print, how they end and the first line of their last words have to be the same.
//
// test/oracle/cross.cpp and test/oracle/go/main.go hold the scenarios side by side. The Go program is built where a Go
// toolchain of 1.23 or later is at hand; elsewhere these tests are skipped, after the tenon program has run.

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;

const std::string go_program = TENON_PROGRAMS_DIR "/cross_go.bin";

bool go_is_here() { return ::access(go_program.c_str(), X_OK) == 0; }

ending run_go(const std::string& scenario) {
  tenon_test::program p({go_program, scenario});
  return p.finish();
}

// The names of the tests have to be known before the programs are built; `EveryScenarioIsHere` compares them.
const char* const scenarios[] = {"unbuffered_order",
                                 "buffered_order",
                                 "nil_len_cap",
                                 "close_drains",
                                 "senders_in_order",
                                 "ping_pong",
                                 "sieve",
                                 "pipeline",
                                 "fan_in",
                                 "select_the_ready_one",
                                 "select_otherwise",
                                 "select_nil",
                                 "select_closed",
                                 "select_all_values",
                                 "send_on_closed",
                                 "select_send_on_closed",
                                 "close_wakes_a_sender",
                                 "close_of_closed",
                                 "close_of_nil",
                                 "negative_capacity",
                                 "wait_group",
                                 "wait_group_negative",
                                 "mutex",
                                 "rwmutex",
                                 "unlock_of_unlocked",
                                 "rwmutex_unlock_of_unlocked",
                                 "rwmutex_runlock_of_unlocked",
                                 "once_after_a_panic",
                                 "cond_order",
                                 "cond_broadcast",
                                 "map",
                                 "context_cancel",
                                 "context_deadline",
                                 "context_timeout_cause",
                                 "context_cause",
                                 "context_child_first",
                                 "context_value",
                                 "context_without_cancel",
                                 "context_earlier_deadline",
                                 "context_names",
                                 "after_func_stopped",
                                 "after_func_runs",
                                 "timer_stop",
                                 "timer_without_a_stale_tick",
                                 "ticker",
                                 "deadlock_receive",
                                 "deadlock_send",
                                 "deadlock_nil_receive",
                                 "deadlock_nil_send",
                                 "deadlock_select",
                                 "deadlock_empty_select",
                                 "deadlock_mutex",
                                 "deadlock_rwmutex",
                                 "deadlock_wait_group",
                                 "deadlock_cond",
                                 "deadlock_of_two"};

class Cross : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Scenario, Cross, testing::ValuesIn(scenarios), [](const auto& it) { return it.param; });

TEST_P(Cross, IsTheSameInGo) {
  if (tenon_test::emulated() && std::string(GetParam()).rfind("deadlock_", 0) == 0) {
    GTEST_SKIP() << "the emulator's own threads look like threads that may wake somebody";
  }
  const ending ours = tenon_test::run_program("cross", {GetParam()});
  ASSERT_EQ(ours.signal, 0) << ours.describe();
  ASSERT_NE(ours.status, 3) << ours.describe();
  if (!go_is_here()) GTEST_SKIP() << "no Go of 1.23 or later was found when this was built";
  const ending go = run_go(GetParam());
  EXPECT_EQ(ours.out, go.out);
  EXPECT_EQ(ours.status, go.status) << ours.describe() << go.describe();
  EXPECT_EQ(tenon_test::first_line(ours.err), tenon_test::first_line(go.err));
}

TEST(CrossList, EveryScenarioIsHere) {
  std::string all;
  for (const char* s : scenarios) all += std::string(s) + "\n";
  EXPECT_EQ(tenon_test::run_program("cross", {"list"}).out, all);
  if (!go_is_here()) return;
  EXPECT_EQ(run_go("list").out, all);
}

}  // namespace
