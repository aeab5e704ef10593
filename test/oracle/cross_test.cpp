// The same scenario in Go and in tenon: what they print, how they end and the first line of their last words have to be the same.
//
// cross.cpp and go/main.go hold the scenarios side by side; cross_x.cpp and go/x/main.go those of golang.org/x, whose Go side is there
// only where the module proxy could be reached. Without a Go program a test is skipped, after the tenon program has run.

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;

/// A scenario, and the programs that have it: `cross` and `cross_go.bin`, or `cross_x` and `cross_go_x.bin`.
struct scenario {
  bool x;
  const char* name;
  [[nodiscard]] const char* ours() const { return x ? "cross_x" : "cross"; }
  [[nodiscard]] std::string go() const {
    return TENON_PROGRAMS_DIR + std::string(x ? "/cross_go_x.bin" : "/cross_go.bin");
  }
  friend std::ostream& operator<<(std::ostream& os, const scenario& s) { return os << s.name; }
};

bool is_here(const std::string& go_program) { return ::access(go_program.c_str(), X_OK) == 0; }

ending run_go(const std::string& go_program, const std::string& scenario) {
  tenon_test::program p({go_program, scenario});
  return p.finish();
}

// The names of the tests have to be known before the programs are built; `EveryScenarioIsHere` compares them.
const scenario scenarios[] = {
    {false, "unbuffered_order"},
    {false, "buffered_order"},
    {false, "nil_len_cap"},
    {false, "close_drains"},
    {false, "senders_in_order"},
    {false, "ping_pong"},
    {false, "sieve"},
    {false, "pipeline"},
    {false, "fan_in"},
    {false, "select_the_ready_one"},
    {false, "select_otherwise"},
    {false, "select_nil"},
    {false, "select_closed"},
    {false, "select_all_values"},
    {false, "send_on_closed"},
    {false, "select_send_on_closed"},
    {false, "close_wakes_a_sender"},
    {false, "close_of_closed"},
    {false, "close_of_nil"},
    {false, "negative_capacity"},
    {false, "wait_group"},
    {false, "wait_group_negative"},
    {false, "mutex"},
    {false, "rwmutex"},
    {false, "unlock_of_unlocked"},
    {false, "rwmutex_unlock_of_unlocked"},
    {false, "rwmutex_runlock_of_unlocked"},
    {false, "once_after_a_panic"},
    {false, "cond_order"},
    {false, "cond_broadcast"},
    {false, "map"},
    {false, "context_cancel"},
    {false, "context_deadline"},
    {false, "context_timeout_cause"},
    {false, "context_cause"},
    {false, "context_child_first"},
    {false, "context_value"},
    {false, "context_without_cancel"},
    {false, "context_earlier_deadline"},
    {false, "context_names"},
    {false, "after_func_stopped"},
    {false, "after_func_runs"},
    {false, "timer_stop"},
    {false, "timer_without_a_stale_tick"},
    {false, "ticker"},
    {false, "full_buffer_and_senders"},
    {false, "close_wakes_every_receiver"},
    {false, "select_with_oneself"},
    {false, "select_switches_cases_off"},
    {false, "wait_group_waiters"},
    {false, "rwmutex_writer_first"},
    {false, "rwmutex_readers_after_a_writer"},
    {false, "once_of_two"},
    {false, "once_value_panics"},
    {false, "cond_signals_are_not_kept"},
    {false, "map_swap_and_range"},
    {false, "context_cause_through_layers"},
    {false, "context_cause_of_none"},
    {false, "context_deadline_in_the_past"},
    {false, "context_timeout_under_an_earlier_one"},
    {false, "context_deadline_without_cancel"},
    {false, "context_errors"},
    {false, "after_func_of_a_canceled_one"},
    {false, "after_func_of_many"},
    {false, "timer_func"},
    {false, "timer_in_the_past"},
    {false, "ticker_reset"},
    {false, "uninitialised_timers"},
    {false, "panic_in_a_goroutine"},
    {false, "panic_of_a_send_in_a_goroutine"},
    {false, "go_of_nil"},
    {false, "deadlock_receive"},
    {false, "deadlock_send"},
    {false, "deadlock_nil_receive"},
    {false, "deadlock_nil_send"},
    {false, "deadlock_select"},
    {false, "deadlock_empty_select"},
    {false, "deadlock_mutex"},
    {false, "deadlock_rwmutex"},
    {false, "deadlock_wait_group"},
    {false, "deadlock_cond"},
    {false, "deadlock_of_two"},
    {false, "deadlock_once"},
    {false, "deadlock_range"},
    {true, "errgroup_first_failure"},
    {true, "errgroup_success_cancels"},
    {true, "errgroup_of_none"},
    {true, "errgroup_again"},
    {true, "errgroup_parent_canceled"},
    {true, "errgroup_limit"},
    {true, "errgroup_limit_zero"},
    {true, "semaphore_in_order"},
    {true, "semaphore_gives_up"},
    {true, "semaphore_too_much"},
    {true, "singleflight_shared"},
    {true, "singleflight_fails_and_forgets"},
    {true, "rate_reservations"},
    {true, "rate_edges"},
    {true, "rate_wait"},
};

/// What is left of stderr after the reports of what is no end, which Go does not have: that a goroutine waits for itself.
std::string last_words(const std::string& err) {
  constexpr std::string_view report = "tenon: recursive lock";
  std::size_t at = 0;
  while (err.compare(at, report.size(), report) == 0) {
    for (int paragraphs = 3; paragraphs > 0; --paragraphs) {  // what, the places, what now
      const std::size_t end = err.find("\n\n", at);
      if (end == std::string::npos) return err;
      at = end + 2;
    }
  }
  return err.substr(at);
}

class Cross : public testing::TestWithParam<scenario> {};
INSTANTIATE_TEST_SUITE_P(Scenario, Cross, testing::ValuesIn(scenarios), [](const auto& it) { return it.param.name; });

TEST_P(Cross, IsTheSameInGo) {
  const scenario& s = GetParam();
  if (tenon_test::emulated() && std::string(s.name).rfind("deadlock_", 0) == 0) {
    GTEST_SKIP() << "the emulator's own threads look like threads that may wake somebody";
  }
  const ending ours = tenon_test::run_program(s.ours(), {s.name});
  ASSERT_EQ(ours.signal, 0) << ours.describe();
  ASSERT_NE(ours.status, 3) << ours.describe();
  if (!is_here(s.go()))
    GTEST_SKIP() << "no " << s.go() << ": no Go of 1.23 or later when this was built, or no golang.org/x";
  const ending go = run_go(s.go(), s.name);
  EXPECT_EQ(ours.out, go.out);
  EXPECT_EQ(ours.status, go.status) << ours.describe() << go.describe();
  EXPECT_EQ(tenon_test::first_line(last_words(ours.err)), tenon_test::first_line(go.err));
}

TEST(CrossList, EveryScenarioIsHere) {
  for (const bool x : {false, true}) {
    std::string all;
    for (const scenario& s : scenarios) {
      if (s.x == x) all += std::string(s.name) + "\n";
    }
    const scenario list{x, "list"};
    EXPECT_EQ(tenon_test::run_program(list.ours(), {"list"}).out, all);
    if (!is_here(list.go())) continue;
    EXPECT_EQ(run_go(list.go(), "list").out, all);
  }
}

}  // namespace
