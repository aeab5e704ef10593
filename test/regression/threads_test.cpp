// There is always a thread for goroutines that can run, and timers fire whoever's worker they are on.

#include <gtest/gtest.h>

#include <string>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;

class Threads : public testing::Test {
 protected:
  /// The program of this name ends well with any number of workers.
  static void expect_end(const char* which) {
    for (const char* procs : {"1", "2", "8"}) {
      const ending e = run_program("threads", {which}, {{"TENON_PROCS", procs}});
      EXPECT_FALSE(e.timed_out) << procs << ": " << e.describe();
      EXPECT_EQ(e.status, 0) << procs << ": " << e.describe();
      EXPECT_EQ(e.out, "done\n") << procs << ": " << e.describe();
    }
  }
};

TEST_F(Threads, BlockingCallsBeyondMaxThreadsWaitTheirTurn) { expect_end("blocking"); }
TEST_F(Threads, BlockingCallsMayNest) { expect_end("nested"); }
TEST_F(Threads, EveryPinnedGoroutineHasItsOwn) { expect_end("pinned"); }
TEST_F(Threads, PinnedGoroutinesMayCallBlocking) { expect_end("pinned_and_blocking"); }
TEST_F(Threads, ATimerOfAWorkerThatIsInABlockingCallFires) { expect_end("timer_of_a_blocked_worker"); }
TEST_F(Threads, AGoroutineWokenAfterABlockingCallRuns) {
  for (const char* procs : {"2", "8"}) {
    const ending e = run_program("threads", {"woken_after_blocking"}, {{"TENON_PROCS", procs}});
    EXPECT_FALSE(e.timed_out) << procs << ": " << e.describe();
    EXPECT_EQ(e.out, "done\n") << procs << ": " << e.describe();
  }
}
TEST_F(Threads, AGoroutineWokenAfterAPinnedWaitRuns) {
  for (const char* procs : {"2", "8"}) {
    const ending e = run_program("threads", {"woken_after_pinned_wait"}, {{"TENON_PROCS", procs}});
    EXPECT_FALSE(e.timed_out) << procs << ": " << e.describe();
    EXPECT_EQ(e.out, "done\n") << procs << ": " << e.describe();
  }
}

TEST_F(Threads, ThatAreAllTakenByBareCallsAreNamed) {
  const ending e = run_program("threads", {"bare_reads"}, {{"TENON_PROCS", "1"}});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_TRUE(has_line(e.out, "goroutines have been waiting for a thread, and all 3 are taken")) << e.describe();
  EXPECT_TRUE(has_line(e.out, "goroutine [0-9]+ is in the system call read, started at .*threads.cpp:"))
      << e.describe();
}

TEST_F(Threads, AChildProcessHasAMonitorOfItsOwn) {
  if (tenon_test::sanitized() && !tenon_test::under_address_sanitizer()) {
    GTEST_SKIP() << "ThreadSanitizer ends a child process of several threads that starts another one";
  }
  const ending e = run_program("threads", {"child"}, {{"TENON_PROCS", "2"}});
  EXPECT_FALSE(e.timed_out) << e.describe();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "done\n") << e.describe();
}

// However many threads are asked for, pinned goroutines have theirs beside them.
TEST(PinnedGoroutines, HaveThreadsHoweverManyThereMayBe) {
  tenon::run(
      [] {
        const auto a = tenon::make_chan<int>();
        const auto b = tenon::make_chan<int>();
        auto other = tenon::go([&] {
          const tenon::on_this_thread pinned;
          a.send(*b.recv());
        });
        const tenon::on_this_thread pinned;
        b.send(1);
        EXPECT_EQ(a.recv(), 1);
        other.join();
      },
      {.max_threads = 100'000});
}

// As where the limit of a control group has been met for a moment.
TEST(ThreadRefused, IsAskedForAgainUntilItIsThere) {
  if (tenon_test::sanitized()) GTEST_SKIP() << "the sanitizer makes threads its own way";
  for (const char* which : {"blocking", "pinned"}) {
    const ending e = run_program("refused_threads", {which, "50"});
    EXPECT_FALSE(e.timed_out) << which << ": " << e.describe();
    EXPECT_EQ(e.status, 0) << which << ": " << e.describe();
    EXPECT_EQ(e.out, "done, refused before\n") << which << ": " << e.describe();
  }
}

}  // namespace
