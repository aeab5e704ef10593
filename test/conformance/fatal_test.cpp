// What ends a program: fatal errors, panics that nobody catches, deadlocks, stack overflows. Each from a program of its own.

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::first_line;
using tenon_test::has_line;
using tenon_test::run_program;

// Where the program said that it started the goroutine that ends it: "overflow.cpp:12".
std::string announced_place(const ending& e) {
  const std::string mark = "started at ";
  for (const std::string& line : tenon_test::lines_of(e.out)) {
    const std::size_t at = line.find(mark);
    if (at != std::string::npos) return line.substr(at + mark.size());
  }
  return "(the program announced nothing)";
}

void expect_death(const ending& e, const std::string& line) {
  EXPECT_EQ(first_line(e.err), line) << e.describe();
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.out.find("came back"), std::string::npos) << e.describe();
  EXPECT_EQ(e.out.find("caught"), std::string::npos) << e.describe();
}

// ---- misuse that is fatal -----------------------------------------------------------------------------------------

struct misuse {
  const char* program_case;
  const char* text;
  friend std::ostream& operator<<(std::ostream& os, const misuse& m) { return os << m.program_case; }
};

std::string misuse_name(const testing::TestParamInfo<misuse>& info) { return info.param.program_case; }

class Fatal : public testing::TestWithParam<misuse> {};

// Go: sync/mutex_test.go TestMutexMisuse, runtime/crash_test.go TestGoNil
TEST_P(Fatal, EndsTheProgramWithADump) {
  const ending e = run_program("misuse", {GetParam().program_case});
  expect_death(e, std::string("fatal error: ") + GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Fatal,
    testing::Values(
        // Go: sync/mutex_test.go TestMutexMisuse: Mutex.Unlock
        misuse{"unlock_unlocked", "sync: unlock of unlocked mutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: Mutex.Unlock2
        misuse{"unlock_twice", "sync: unlock of unlocked mutex"},
        misuse{"unlock_twice_in_another_goroutine", "sync: unlock of unlocked mutex"},
        misuse{"unlock_unlocked_in_a_thread", "sync: unlock of unlocked mutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: no recover helps
        misuse{"unlock_unlocked_caught", "sync: unlock of unlocked mutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock
        misuse{"shared_unlock_unlocked", "sync: Unlock of unlocked RWMutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock2
        misuse{"shared_unlock_read_locked", "sync: Unlock of unlocked RWMutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock3
        misuse{"shared_unlock_twice", "sync: Unlock of unlocked RWMutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock3
        misuse{"shared_runlock_twice", "sync: RUnlock of unlocked RWMutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock
        misuse{"shared_runlock_unlocked", "sync: RUnlock of unlocked RWMutex"},
        // Go: sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock2
        misuse{"shared_runlock_write_locked", "sync: RUnlock of unlocked RWMutex"},
        misuse{"map_two_writers", "concurrent map writes"},
        misuse{"map_read_and_write", "concurrent map read and map write"},
        misuse{"map_iterate_and_write", "concurrent map iteration and map write"},
        misuse{"go_nil_function", "go of nil func value"}, misuse{"go_nil_pointer", "go of nil func value"},
        misuse{"go_nil_with_context", "go of nil func value"}, misuse{"go_nil_caught", "go of nil func value"},
        misuse{"group_nil_function", "go of nil func value"}, misuse{"group_nil_stage", "go of nil func value"},
        misuse{"wait_group_nil_function", "go of nil func value"}, misuse{"timer_nil_function", "go of nil func value"},
        misuse{"after_func_nil_function", "go of nil func value"}, misuse{"run_nil_function", "go of nil func value"},
        misuse{"run_nil_pointer", "go of nil func value"}, misuse{"blocking_nil_function", "go of nil func value"},
        misuse{"stop_callback_waits",
               "tenon: a stop callback waits in tenon, where a deadline or a signal has called it"},
        misuse{"stop_callback_waits_outside_of_run",
               "tenon: a stop callback waits in tenon, where a deadline or a signal has called it"},
        misuse{"join_of_oneself", "tenon: a goroutine waits for its own end"},
        misuse{"wait_group_destroyed",
               "tenon: WaitGroup destroyed while its counter is 2: wait for its "
               "goroutines first"},
        misuse{"close_of_a_senders_channel", "close of closed channel: it has senders, whose last one closes it"},
        misuse{"cond_of_an_unlocked_mutex", "sync: unlock of unlocked mutex"},
        misuse{"map_write_in_an_update", "concurrent map writes"}),
    misuse_name);

// Go: sync/mutex_test.go TestMutexMisuse
TEST(FatalDump, NamesTheGoroutines) {
  const ending e = run_program("misuse", {"unlock_unlocked"});
  EXPECT_TRUE(has_line(e.err, R"(^goroutine 1 \[running)")) << e.describe();
}

// Go: none: a goroutine needs a runtime, which Go always has
TEST(GoOutsideOfRun, IsFatal) {
  for (const char* program_case : {"go_outside_run", "go_after_run"}) {
    const ending e = run_program("misuse", {program_case});
    EXPECT_EQ(e.status, 2) << e.describe();
    EXPECT_EQ(first_line(e.err).rfind("fatal error: ", 0), 0U) << e.describe();
    EXPECT_TRUE(has_line(e.err, R"(\bgo\b.*\brun\b)")) << "the message says what is missing\n" << e.describe();
    EXPECT_EQ(e.out, "") << e.describe();
  }
}

// Go: none: a goroutine needs a runtime, which Go always has
TEST(GoOutsideOfRun, BeforeMainIsFatal) {
  const ending e = run_program("static_init");
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(first_line(e.err).rfind("fatal error: ", 0), 0U) << e.describe();
  EXPECT_EQ(e.out, "") << e.describe();
}

// ---- panics and other exceptions that nobody catches ----------------------------------------------------------------

class Unhandled : public testing::TestWithParam<misuse> {};

// Go: runtime/crash_test.go TestMainGoroutineID: the text, an empty line, the goroutine
TEST_P(Unhandled, EndsTheProgramAndSaysWhere) {
  const ending e = run_program("misuse", {GetParam().program_case});
  expect_death(e, std::string("panic: ") + GetParam().text);
  EXPECT_TRUE(has_line(e.err, R"(^goroutine [0-9]+ \[)")) << e.describe();
  EXPECT_NE(e.err.find(announced_place(e)), std::string::npos) << "it names " << announced_place(e) << "\n"
                                                               << e.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Of, Unhandled,
    testing::Values(misuse{"send_on_closed", "send on closed channel"},
                    misuse{"select_send_on_closed", "send on closed channel"},
                    misuse{"close_of_nil", "close of nil channel"},
                    misuse{"close_of_closed", "close of closed channel"},
                    misuse{"makechan_size", "makechan: size out of range"},
                    misuse{"negative_wait_group", "sync: negative WaitGroup counter"},
                    misuse{"nil_parent", "cannot create context from nil parent"},
                    misuse{"zero_ticker", "non-positive interval for NewTicker"},
                    misuse{"zero_ticker_reset", "non-positive interval for Ticker.Reset"},
                    misuse{"uninitialised_timer_stop", "time: Stop called on uninitialized Timer"},
                    misuse{"uninitialised_timer_reset", "time: Reset called on uninitialized Timer"},
                    misuse{"uninitialised_ticker_reset", "time: Reset called on uninitialized Ticker"},
                    misuse{"own_panic", "of my own"}, misuse{"std_exception", "something broke"}),
    misuse_name);

// Go: runtime/crash_test.go TestPanicLoop: also what cannot say what it is ends the program
TEST(UnhandledException, OfAnyTypeEndsTheProgram) {
  const ending e = run_program("misuse", {"odd_exception"});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(first_line(e.err).rfind("panic: ", 0), 0U) << e.describe();
  EXPECT_NE(e.err.find(announced_place(e)), std::string::npos) << e.describe();
}

// Go: runtime/panic.go: a panic in a function of time.AfterFunc ends the program
TEST(UnhandledException, InATimersFunctionEndsTheProgram) {
  const ending e = run_program("misuse", {"timer_function_throw"});
  expect_death(e, "panic: in the timer");
  EXPECT_TRUE(has_line(e.err, R"(misuse\.cpp:[0-9]+)")) << e.describe();
}

// Go: runtime/panic.go: a panic in a function of context.AfterFunc ends the program
TEST(UnhandledException, InAnAfterFuncEndsTheProgram) {
  const ending e = run_program("misuse", {"after_func_throw"});
  expect_death(e, "panic: after the cancel");
  EXPECT_TRUE(has_line(e.err, R"(misuse\.cpp:[0-9]+)")) << e.describe();
}

// Go: a panic in a function that time.AfterFunc or context.AfterFunc runs ends the program
TEST(UnhandledException, OutsideOfRunEndsTheProgramToo) {
  expect_death(run_program("misuse", {"timer_function_throw_outside"}), "panic: in the timer, outside");
  expect_death(run_program("misuse", {"after_func_throw_outside"}), "panic: after the cancel, outside");
}

// Go: runtime/crash_test.go TestPanicRace
TEST(UnhandledException, OfManyAtOnceOneIsReportedWhole) {
  for (int i = 0; i < 5; ++i) {
    const ending e = run_program("misuse", {"many_throw"});
    expect_death(e, "panic: one of many");
    std::size_t reports = 0;
    for (const std::string& line : tenon_test::lines_of(e.err)) reports += line.rfind("panic: ", 0) == 0;
    EXPECT_EQ(reports, 1U) << e.describe();
    EXPECT_TRUE(has_line(e.err, R"(misuse\.cpp:[0-9]+)")) << e.describe();
  }
}

// Go: none: a run waits for its root group, but not for ever where it was told so
TEST(Grace, EndsARunWhoseMembersDoNotEnd) {
  const ending e = run_program("misuse", {"grace_over"});
  expect_death(e, "tenon: run: the grace period is over, and goroutines of the root group go on");
  EXPECT_TRUE(has_line(e.err, R"(goroutine [0-9]+ .*\[sleep)")) << e.describe();
}

// ---- deadlocks ------------------------------------------------------------------------------------------------------

struct deadlock {
  const char* program_case;
  const char* reason;  // goroutine 1 waits so, as the dump prints it
  friend std::ostream& operator<<(std::ostream& os, const deadlock& d) { return os << d.program_case; }
};

class Deadlock : public testing::TestWithParam<deadlock> {};

// An emulator has threads of its own, and to the program they look like somebody who might still wake a goroutine.
#define SKIP_UNDER_AN_EMULATOR() \
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator's own threads look like threads that may wake somebody"

void expect_deadlock(const ending& e) { expect_death(e, "fatal error: all goroutines are asleep - deadlock!"); }

bool waits_so(const ending& e, const std::string& reason) {
  for (const std::string& line : tenon_test::lines_of(e.err)) {
    if (line.rfind("goroutine 1 ", 0) != 0) continue;
    // "[chan receive]" or "[chan receive, locked to thread]"
    for (const char* end : {"]", ", "}) {
      if (line.find("[" + reason + end) != std::string::npos) return true;
    }
  }
  return false;
}

// Go: runtime/crash_test.go TestSimpleDeadlock, TestLockedDeadlock, TestLockedDeadlock2
TEST_P(Deadlock, IsReportedWithWhatEverybodyWaitsFor) {
  SKIP_UNDER_AN_EMULATOR();
  const ending e = run_program("deadlock", {GetParam().program_case});
  expect_deadlock(e);
  EXPECT_TRUE(waits_so(e, GetParam().reason)) << "goroutine 1 [" << GetParam().reason << "]\n" << e.describe();
}

INSTANTIATE_TEST_SUITE_P(
    In, Deadlock,
    testing::Values(deadlock{"recv", "chan receive"}, deadlock{"range", "chan receive"},
                    deadlock{"recv_ctx", "chan receive"}, deadlock{"send", "chan send"},
                    deadlock{"send_full", "chan send"}, deadlock{"recv_nil", "chan receive (nil chan)"},
                    deadlock{"send_nil", "chan send (nil chan)"}, deadlock{"select_two", "select"},
                    // Go: runtime/crash_test.go TestSimpleDeadlock: the empty select of one goroutine
                    deadlock{"select_none", "select (no cases)"}, deadlock{"mutex_twice", "sync.Mutex.Lock"},
                    deadlock{"wait_group_never_done", "sync.WaitGroup.Wait"}, deadlock{"join", "goroutine join"},
                    deadlock{"in_blocking", "chan receive"},
                    // Go: runtime/crash_test.go TestLockedDeadlock: the goroutine that waits is pinned to its thread
                    deadlock{"locked", "chan receive"},
                    // Go: runtime/crash_test.go TestLockedDeadlock2: another one that waits is pinned to its thread
                    deadlock{"locked_other", "select (no cases)"},
                    // Go: runtime/proc.go checkdead: what was awake before does not count, timers among it
                    deadlock{"after_work", "chan receive"},
                    // Go: runtime/proc.go checkdead: a stopped timer wakes nobody
                    deadlock{"stopped_timer", "chan receive"}, deadlock{"gone_thread", "chan receive"},
                    deadlock{"once_in_itself", "sync.Mutex.Lock"}, deadlock{"guarded_in_itself", "sync.Mutex.Lock"},
                    deadlock{"flight_for_its_own_key", "chan receive"}, deadlock{"limit_of_zero", "chan send"},
                    deadlock{"more_than_a_semaphore_has", "semacquire"}),
    [](const testing::TestParamInfo<deadlock>& info) { return info.param.program_case; });

// Go: runtime/crash_test.go TestSimpleDeadlock: Go's selectgo with nil channels alone waits as a select does
TEST(DeadlockReport, OfASelectOnNilChannelsAlone) {
  SKIP_UNDER_AN_EMULATOR();
  const ending e = run_program("deadlock", {"select_nil_only"});
  expect_deadlock(e);
  EXPECT_TRUE(waits_so(e, "select") || waits_so(e, "select (no cases)")) << e.describe();
}

// Go: runtime/crash_test.go TestSimpleDeadlock
TEST(DeadlockReport, ComesWithAnyNumberOfWorkers) {
  SKIP_UNDER_AN_EMULATOR();
  for (const char* workers : {"1", "2", "8"}) {
    for (const char* program_case : {"recv", "locked_other", "after_work"}) {
      expect_deadlock(run_program("deadlock", {program_case, workers}));
    }
  }
}

// Go: runtime/proc.go checkdead: one goroutine for each wait reason
TEST(DeadlockReport, NamesEveryReasonOfEverybody) {
  SKIP_UNDER_AN_EMULATOR();
  const ending e = run_program("deadlock", {"all_reasons"});
  expect_deadlock(e);
  for (const char* reason : {"chan receive", "chan send", "chan receive (nil chan)", "chan send (nil chan)", "select",
                             "select (no cases)", "sync.Mutex.Lock", "sync.WaitGroup.Wait", "goroutine join"}) {
    EXPECT_NE(e.err.find("[" + std::string(reason) + "]"), std::string::npos) << reason << "\n" << e.describe();
  }
  EXPECT_TRUE(has_line(e.err, R"(^goroutine [0-9]+ .*patient)")) << e.describe();
  EXPECT_EQ(e.err.find("sleep]"), std::string::npos) << "the last sleeper had gone\n" << e.describe();
}

// Go: runtime/traceback.go "created by"
TEST(DeadlockReport, SaysWhereEachWasStarted) {
  SKIP_UNDER_AN_EMULATOR();
  const ending e = run_program("deadlock", {"join"});
  expect_deadlock(e);
  const std::string part = tenon_test::dump_part(e.err, "[chan receive]");
  EXPECT_TRUE(has_line(part, R"(^created (by .* )?at )")) << e.describe();
  EXPECT_NE(part.find(announced_place(e)), std::string::npos) << announced_place(e) << "\n" << e.describe();
}

class NoDeadlock : public testing::TestWithParam<const char*> {};

// Go: runtime/proc.go checkdead
TEST_P(NoDeadlock, WhileSomebodyCanStillWakeTheSleepers) {
  for (const char* workers : {"1", "2"}) {
    const ending e = run_program("deadlock", {GetParam(), workers});
    EXPECT_EQ(e.status, 0) << e.describe();
    EXPECT_EQ(e.out, "done\n") << e.describe();
    EXPECT_EQ(e.err, "") << e.describe();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Because, NoDeadlock,
    testing::Values(
        // Go: runtime/proc.go checkdead: no deadlock while a timer runs
        "awake_timer",
        // Go: runtime/proc.go checkdead: no deadlock while somebody sleeps
        "awake_sleep",
        // Go: runtime/proc.go checkdead: no deadlock while a function waits for its time
        "awake_timer_function",
        // Go: runtime/proc.go checkdead: no deadlock while a ticker ticks
        "awake_ticker",
        // Go: runtime/proc.go checkdead: no deadlock while a deadline is to come
        "awake_deadline",
        // Go: runtime/proc.go checkdead: no deadlock during a system call
        "awake_blocking",
        // Go: runtime/proc.go checkdead: no deadlock while foreign code runs
        "awake_thread", "awake_old_thread",
        // Go: runtime/crash_test.go TestNetpollDeadlock: no deadlock while a descriptor is waited for
        "awake_descriptor"),
    [](const testing::TestParamInfo<const char*>& info) { return info.param; });

// ---- stack overflow -------------------------------------------------------------------------------------------------

class StackOverflow : public testing::TestWithParam<const char*> {
 protected:
  static void expect_report(const ending& e);
};

void StackOverflow::expect_report(const ending& e) {
  if (tenon_test::emulated() && has_line(e.err, "QEMU internal SIGSEGV")) {
    GTEST_SKIP() << "this emulator takes a fault at a guard for its own and does not deliver it";
  }
  EXPECT_TRUE(has_line(e.err, R"(^fatal error: stack overflow)")) << e.describe();
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(e.out.find("came back"), std::string::npos) << e.describe();
  EXPECT_TRUE(has_line(e.err, R"(goroutine [0-9]+)")) << e.describe();
  EXPECT_NE(e.err.find(announced_place(e)), std::string::npos) << announced_place(e) << "\n" << e.describe();
  if (GetParam() == std::string("named")) {
    EXPECT_NE(e.err.find("digger"), std::string::npos) << e.describe();
  }
  if (GetParam() == std::string("first")) {
    EXPECT_TRUE(has_line(e.err, R"(goroutine 1\b)")) << e.describe();
  }
}

// Go: runtime/crash_test.go TestStackOverflow
TEST_P(StackOverflow, NamesTheGoroutineAndWhereItWasStarted) { expect_report(run_program("overflow", {GetParam()})); }

// Go: none: guards are the kernel's pages, as are those of kernels that have no others
TEST_P(StackOverflow, IsReportedLikewiseWhereGuardsAreMadeByMprotect) {
  expect_report(run_program("overflow", {GetParam()}, {{"TENON_GUARDS", "mprotect"}}));
}

INSTANTIATE_TEST_SUITE_P(Of, StackOverflow, testing::Values("plain", "named", "first", "locked"),
                         [](const testing::TestParamInfo<const char*>& info) { return info.param; });

// Go: none: a fault that is no overflow keeps the system's meaning
TEST(StackOverflowReport, IsNotGivenForAnotherFault) {
  const ending e = run_program("overflow", {"null"});
  EXPECT_EQ(e.err.find("stack overflow"), std::string::npos) << e.describe();
  EXPECT_EQ(e.out.find("came back"), std::string::npos) << e.describe();
  if (tenon_test::sanitized()) {
    EXPECT_NE(e.status, 0) << e.describe();
  } else {
    EXPECT_EQ(e.signal, SIGSEGV) << e.describe();
    EXPECT_TRUE(
        has_line(e.err, R"(^tenon: SIGSEGV at address 0x[0-9a-f]+, in goroutine [0-9]+.*, started at .*:[0-9]+$)"))
        << e.describe();
  }
}

}  // namespace
