// What SIGINT and SIGTERM do to a program, with cancel_on_signals and without.

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::program;
using tenon_test::program_command;

class Signals : public testing::TestWithParam<int> {};

// Go: os/signal NotifyContext
TEST_P(Signals, CancelTheRootContextAndLetTheProgramEnd) {
  program p(program_command("signals", {"cancel"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(GetParam());
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ready\ngoroutine: 0 context canceled\nroot: context canceled\ndone\n") << e.describe();
  EXPECT_EQ(e.err, "") << e.describe();
}

// Go: os/signal NotifyContext, after stop
TEST_P(Signals, TheSecondOneEndsTheProgram) {
  program p(program_command("signals", {"stubborn"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(GetParam());
  ASSERT_TRUE(p.await_output("canceled\n"));
  p.send_signal(GetParam());
  const ending& e = p.finish();
  EXPECT_EQ(e.signal, GetParam()) << e.describe();
}

// Go: os/signal, the default behaviour
TEST_P(Signals, EndTheProgramThatDidNotAskForThem) {
  program p(program_command("signals", {"off"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(GetParam());
  const ending& e = p.finish();
  EXPECT_EQ(e.signal, GetParam()) << e.describe();
}

// Go: os/signal Stop
TEST_P(Signals, AreGivenBackAfterTheRun) {
  program p(program_command("signals", {"after"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(GetParam());
  const ending& e = p.finish();
  EXPECT_EQ(e.signal, GetParam()) << e.describe();
}

// Go: none: runs may follow each other
TEST_P(Signals, CancelEachRunOnItsOwn) {
  program p(program_command("signals", {"second run"}));
  ASSERT_TRUE(p.await_output("ready 0\n"));
  p.send_signal(GetParam());
  ASSERT_TRUE(p.await_output("ready 1\n"));
  p.send_signal(GetParam());
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ready 0\ncanceled 0\nready 1\ncanceled 1\ndone\n") << e.describe();
}

INSTANTIATE_TEST_SUITE_P(By, Signals, testing::Values(SIGINT, SIGTERM),
                         [](const testing::TestParamInfo<int>& info) { return info.param == SIGINT ? "Int" : "Term"; });

}  // namespace
