// What SIGINT does to a program while a run is active, and after it.

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::program;
using tenon_test::program_command;

// Go: os/signal NotifyContext
TEST(Signals, CancelTheRootContextAndLetTheProgramEnd) {
  program p(program_command("signals", {"cancel"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ready\ngoroutine: 0 context canceled\nroot: context canceled\ndone\n") << e.describe();
  EXPECT_EQ(e.err, "") << e.describe();
}

// Go: os/signal NotifyContext, after stop
TEST(Signals, TheSecondOneDumpsAndEndsTheProgram) {
  program p(program_command("signals", {"stubborn"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  ASSERT_TRUE(p.await_output("canceled\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 130) << e.describe();
  EXPECT_EQ(tenon_test::first_line(e.err), "SIGINT: interrupt");
  EXPECT_NE(tenon_test::dump_part(e.err, "goroutine 1 ["), "") << e.describe();
}

// Go: os/signal NotifyContext, context.Cause
TEST(Signals, AreNamedAfterWhatTheProgramSaysOfItsEnd) {
  program p(program_command("signals", {"wrapped"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 130) << e.describe();
  EXPECT_EQ(e.err, "serve: context canceled: interrupt signal received\n") << e.describe();
}

// Go: os/signal, the default behaviour
TEST(Signals, EndTheProgramThatDidNotAskForThem) {
  program p(program_command("signals", {"off"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.signal, SIGINT) << e.describe();
}

// Go: os/signal Stop
TEST(Signals, AreGivenBackAfterTheRun) {
  program p(program_command("signals", {"after"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.signal, SIGINT) << e.describe();
}

// Go: none: runs may follow each other
TEST(Signals, CancelEachRunOnItsOwn) {
  program p(program_command("signals", {"second run"}));
  ASSERT_TRUE(p.await_output("ready 0\n"));
  p.send_signal(SIGINT);
  ASSERT_TRUE(p.await_output("ready 1\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ready 0\ncanceled 0\nready 1\ncanceled 1\ndone\n") << e.describe();
}

// Go: os/signal NotifyContext: what it watches for ends nothing else
TEST(Signals, ThatTheProgramWatchesForItselfLeaveTheRootAlone) {
  for (const int signal : {SIGINT, SIGTERM}) {
    program p(program_command("signals", {"drain"}));
    ASSERT_TRUE(p.await_output("ready 0\n"));
    p.send_signal(signal);
    ASSERT_TRUE(p.await_output("ready 1\n"));
    p.send_signal(signal);
    const ending& e = p.finish();
    const std::string name = signal == SIGINT ? "interrupt" : "terminated";
    EXPECT_EQ(e.out, "ready 0\n" + name + " signal received; root goes on\nready 1\n" + name +
                         " signal received; root goes on\ndone 0\n")
        << e.describe();
    EXPECT_EQ(e.err, "") << e.describe();
  }
}

// Go: none: there the program calls stop for this
TEST(Signals, TheSecondOneEndsAProgramThatDrains) {
  program p(program_command("signals", {"drain for ever"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGINT);
  ASSERT_TRUE(p.await_output("draining\n"));
  p.send_signal(SIGINT);
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 130) << e.describe();
  EXPECT_EQ(tenon_test::first_line(e.err), "SIGINT: interrupt") << e.describe();
}

}  // namespace
