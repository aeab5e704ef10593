// The dump of all goroutines that SIGQUIT asks for, in a program with one goroutine in each state.

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace {

using tenon_test::dump_part;
using tenon_test::ending;
using tenon_test::has_line;

ending dumped(const std::vector<std::string>& args = {}) {
  tenon_test::program p(tenon_test::program_command("dump", args));
  EXPECT_TRUE(p.await_output("ready\n"));
  p.send_signal(SIGQUIT);
  return p.finish();
}

// The tests look at one dump from many sides; each of them runs in a process of its own.
class Dump : public testing::Test {
 protected:
  void SetUp() override { e_ = dumped(); }

  // The part of the goroutine with that name.
  [[nodiscard]] std::string part(const std::string& name) const { return dump_part(e_.err, name); }

  // The line on which the program said that it starts the one called `name`: "dump.cpp:12".
  [[nodiscard]] std::string announced(const std::string& name) const {
    const std::string mark = name + " started at ";
    for (const std::string& line : tenon_test::lines_of(e_.out)) {
      if (line.rfind(mark, 0) == 0) return line.substr(mark.size());
    }
    return "(the program announced nothing)";
  }

  ending e_;
};

// Go: runtime/signal_unix.go: SIGQUIT prints the dump and ends the program
TEST_F(Dump, StartsWithTheSignalAndEndsTheProgram) {
  EXPECT_EQ(tenon_test::first_line(e_.err), "SIGQUIT: quit") << e_.describe();
  EXPECT_EQ(e_.status, 2) << e_.describe();
  EXPECT_EQ(e_.out.find("came back"), std::string::npos) << e_.describe();
}

// Go: runtime/traceback.go: goroutineheader, one for each goroutine
TEST_F(Dump, HasAHeaderForEachGoroutine) {
  std::size_t headers = 0;
  for (const std::string& line : tenon_test::lines_of(e_.err)) {
    if (line.rfind("goroutine ", 0) != 0) continue;
    ++headers;
    EXPECT_TRUE(has_line(line, R"(^goroutine [0-9]+ (.* )?\[[^]]+\].*:$)")) << line;
    EXPECT_EQ(line.find("minute"), std::string::npos) << "none has waited that long: " << line;
  }
  EXPECT_EQ(headers, 22U) << e_.describe();
}

// Go: runtime/runtime2.go waitReasonStrings
TEST_F(Dump, SaysWhatEachWaitsFor) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      // Go: runtime/runtime2.go waitReasonStrings: chan receive
      {"receiver", "chan receive"},
      // Go: runtime/runtime2.go waitReasonStrings: chan send
      {"sender", "chan send"},
      // Go: runtime/runtime2.go waitReasonStrings: chan receive from nil
      {"void taker", "chan receive (nil chan)"},
      // Go: runtime/runtime2.go waitReasonStrings: chan send to nil
      {"void giver", "chan send (nil chan)"},
      // Go: runtime/runtime2.go waitReasonStrings: select
      {"chooser", "select"},
      // Go: runtime/runtime2.go waitReasonStrings: select without cases
      {"hermit", "select (no cases)"},
      // Go: runtime/runtime2.go waitReasonStrings: sleep
      {"sleeper", "sleep"},
      // Go: runtime/runtime2.go waitReasonStrings: sync.Mutex.Lock
      {"locker", "sync.Mutex.Lock"},
      // Go: runtime/runtime2.go waitReasonStrings: sync.WaitGroup.Wait
      {"waiter", "sync.WaitGroup.Wait"},
      // Go: runtime/runtime2.go waitReasonStrings: sync.RWMutex.Lock
      {"writer", "sync.RWMutex.Lock"},
      // Go: runtime/runtime2.go waitReasonStrings: sync.RWMutex.RLock
      {"reader", "sync.RWMutex.RLock"},
      // Go: runtime/runtime2.go waitReasonStrings: sync.Cond.Wait
      {"awaiter", "sync.Cond.Wait"},
      // Go: runtime/runtime2.go waitReasonStrings: semacquire
      {"acquirer", "semacquire"},
      {"joiner", "goroutine join"},
      {"diver", "chan receive"},
      {"pinned", "chan receive"},
  };
  for (const auto& [name, state] : expected) {
    const std::string header = tenon_test::first_line(part(name));
    const bool says_so =
        header.find("[" + state + "]") != std::string::npos || header.find("[" + state + ", ") != std::string::npos;
    EXPECT_TRUE(says_so) << name << " should be " << state << ", but: " << header;
  }
  EXPECT_TRUE(has_line(e_.err, R"(^goroutine 1 .*\[goroutine join\])")) << e_.describe();
}

// Go: runtime/traceback.go: "created by"
TEST_F(Dump, SaysWhereEachWasStarted) {
  for (const char* name : {"receiver", "sender", "filler", "sleeper"}) {
    const std::string p = part(name);
    EXPECT_TRUE(has_line(p, R"(^created (by .* )?at .*dump\.cpp:[0-9]+)")) << name << ":\n" << p;
    EXPECT_NE(p.find(announced(name)), std::string::npos) << announced(name) << ":\n" << p;
  }
  // The first one is started by the program's call of run.
  EXPECT_TRUE(has_line(dump_part(e_.err, "goroutine 1 "), R"(dump\.cpp:[0-9]+)")) << e_.describe();
}

// Go: runtime/traceback.go: the stacks of goroutines that wait
TEST_F(Dump, ShowsTheirStacks) {
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"receiver", "dump_user_recv"},  {"sender", "dump_user_send"}, {"void taker", "dump_user_recv"},
      {"sleeper", "dump_user_sleep"},  {"locker", "dump_user_lock"}, {"waiter", "dump_user_wait"},
      {"chooser", "dump_user_select"}, {"pinned", "dump_user_recv"},
  };
  for (const auto& [name, function] : expected) {
    EXPECT_NE(part(name).find(function), std::string::npos) << name << " is in " << function << ": " << e_.describe();
  }
}

// Go: runtime/traceback.go: frames from the innermost to the outermost
TEST_F(Dump, ShowsFramesFromTheInnermostOn) {
  const std::string p = part("diver");
  const std::size_t inner = p.find("dump_user_recv");
  ASSERT_NE(inner, std::string::npos) << p;
  std::size_t depth = 0;
  std::size_t at = inner;
  while ((at = p.find("dump_user_deep", at + 1)) != std::string::npos) ++depth;
  EXPECT_GE(depth, 4U) << p;
  EXPECT_LT(inner, p.find("dump_user_deep")) << p;
}

// Go: none: why a channel was given its room
TEST_F(Dump, PrintsTheReasonForAChannelsRoom) {
  EXPECT_NE(part("filler").find("nobody sends a third"), std::string::npos) << part("filler");
}

// Go: runtime/traceback.go: "locked to thread"
TEST_F(Dump, SaysWhoIsBoundToAThread) {
  EXPECT_NE(tenon_test::first_line(part("pinned")).find("locked to thread"), std::string::npos) << part("pinned");
}

// Go: runtime/traceback.go: "syscall" for one that is in the kernel
TEST_F(Dump, ListsOneInABlockingCall) {
  const std::string header = tenon_test::first_line(part("blocker"));
  EXPECT_TRUE(has_line(header, R"(\[(blocking|blocking call|syscall|running))")) << header << "\n" << e_.describe();
}

// Go: none: SIGQUIT can be left alone
TEST(DumpOff, LeavesTheSignalToItsDefault) {
  const ending e = dumped({"quiet"});
  EXPECT_EQ(e.signal, SIGQUIT) << e.describe();
  EXPECT_EQ(e.err, "") << e.describe();
}

}  // namespace
