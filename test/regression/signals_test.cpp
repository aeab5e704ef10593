// Signals of the program's own beside a run's.

#include <gtest/gtest.h>

#include <csignal>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

TEST(SignalsOfTheProgram, KeepTheirHandlerBesideTenonsOwnUse) {
  const ending e = run_program("signals", {"urgent"});
  EXPECT_EQ(e.out, "urgent\nurgent\n") << e.describe();
  EXPECT_EQ(e.status, 0) << e.describe();
}

TEST(SignalsOfTheProgram, EndItAfterAWatchThatARunHasOutlived) {
  const ending e = run_program("signals", {"watch before"});
  EXPECT_EQ(e.out, "ready\n") << e.describe();
  EXPECT_EQ(e.signal, SIGINT) << e.describe();
}

TEST(SignalsOfTheProgram, AreWatchedOnAfterTheRunInWhichThatBegan) {
  const ending e = run_program("signals", {"watch during"});
  EXPECT_EQ(e.out, "ready\ntold\n") << e.describe();
  EXPECT_EQ(e.signal, SIGINT) << e.describe();
}

// The run that there is goes on to be one that Ctrl-C cancels, so that it is no deadlock to wait for that.
TEST(SignalsOfTheProgram, AreNoBusinessOfARunThatIsRefused) {
  tenon_test::program p(tenon_test::program_command("signals", {"refused run"}));
  ASSERT_TRUE(p.await_output("ready")) << p.finish().describe();
  p.send_signal(SIGINT);
  EXPECT_EQ(p.finish().out, "ready\ncanceled\n") << p.finish().describe();
}

TEST(SignalsOfTheProgram, AreLeftAloneByALaterRunThatIsToldTo) {
  const ending e = run_program("signals", {"quit left alone"});
  EXPECT_EQ(e.out, "") << e.describe();
  EXPECT_EQ(e.signal, SIGQUIT) << e.describe();
}

}  // namespace
