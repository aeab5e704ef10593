// A child of fork may begin a run of its own, whatever tenon's threads did in its parent at that moment.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "platform/stack.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;

// The child's first stack waited for a lock that the monitor, which gives the pages of idle stacks back, had held when the parent forked. Here another
// thread holds it half of the time.
TEST(Fork, GivesTheChildStacksWhateverOtherThreadsDo) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  // The child starts the monitor's thread, for which the sanitizer takes its allocator's lock: for ever, where at_the_stacks had it.
  if (tenon_test::under_address_sanitizer()) GTEST_SKIP() << "it does not free its own locks at a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  std::atomic<bool> over = false;
  std::thread at_the_stacks([&] {
    while (!over) {
      const tenon::stack_slot slot = tenon::stacks::allocate(tenon::run_options().stack_size);
      tenon::stacks::deallocate(&slot, 1);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(30);  // what hangs is ended
      int ran = 0;
      tenon::run([&] { tenon::go([&] { ++ran; }).join(); });
      ::_exit(ran == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child " << i << ", status " << status;
  }
  over = true;
  at_the_stacks.join();
}

/// What waitpid says of a child that does f() and exits with what that returns.
template <class F>
int status_of_child(F f) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    ::_exit(f());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(Fork, LeavesTheChildItsSignalsUntilThereIsAThreadToAnswerThem) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it takes the signals";
  for (const int signal : {SIGQUIT, SIGTERM})
    ::signal(signal, SIG_DFL);  // where shells ignore them for what they run in the background
  tenon::run([] {
    const auto scope = tenon::with_signals(tenon::background(), {SIGTERM});
    for (const int signal : {SIGQUIT, SIGTERM}) {
      const int status = status_of_child([&] {
        const struct rlimit no_core{};
        ::setrlimit(RLIMIT_CORE, &no_core);
        ::raise(signal);
        return 0;
      });
      EXPECT_TRUE(WIFSIGNALED(status)) << "status " << status;
      EXPECT_EQ(WTERMSIG(status), signal);
    }
  });
}

TEST(Fork, LeavesTheChildTheFilesThatItHasOpenedOnceItHasClosedAllItInherited) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  tenon::run([] {});
  const int status = status_of_child([] {
    constexpr int most = 64;
    for (int fd = 3; fd < most; ++fd) ::close(fd);
    while (::open("/dev/null", O_RDONLY | O_CLOEXEC) < most - 1) {
    }
    tenon::run([] { tenon::go([] {}).join(); });
    for (int fd = 3; fd < most; ++fd) {
      if (::fcntl(fd, F_GETFD) < 0) return 1;
    }
    return 0;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

// The parent's parked thread was counted in the child, whose own thread then seemed to be a parked one.
TEST(Fork, ReportsNoDeadlockWhereAThreadOfTheChildsStillWorks) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  const auto parents = tenon::make_chan<void>();
  std::atomic<long> id = 0;
  std::thread parked([&] {
    id = tenon_test::os_thread_number();
    parents.recv();
  });
  ASSERT_TRUE(tenon_test::eventually([&] { return id != 0 && tenon_test::state_of_thread(id) == 'S'; }));
  const int status = status_of_child([] {
    const auto signal = tenon::make_chan<void>();
    std::thread works([&] {
      tenon_test::await_waiting(1, "chan receive");
      ::usleep(100'000);  // time to make the mistake in; it makes none without it
      signal.send();
    });
    tenon::run([&] { signal.recv(); });
    works.join();
    return 0;
  });
  parents.send();
  parked.join();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

// Some timers of the parent's lie on the stacks of its other threads, which those of the child get.
TEST(Fork, GivesTheChildNoneOfTheTimersThatWerePending) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  if (tenon_test::under_address_sanitizer()) GTEST_SKIP() << "it does not free its own locks at a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  const tenon::timer never(1h);
  std::atomic<long> id = 0;
  std::thread sleeps([&] {
    id = tenon_test::os_thread_number();
    tenon::sleep_for(300ms);
  });
  ASSERT_TRUE(tenon_test::eventually([&] { return id != 0 && tenon_test::state_of_thread(id) == 'S'; }));
  const int status = status_of_child([&] {
    for (int i = 0; i < 2; ++i) {
      std::thread([] {
        volatile char all[512 * 1024];
        for (auto& c : all) c = 'x';
        std::this_thread::sleep_for(1h);
      }).detach();
    }
    tenon::sleep_for(600ms);
    if (!never.stop()) return 1;
    never.reset(1ms);
    return never.c().recv() ? 0 : 2;
  });
  sleeps.join();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

// The lock under which another thread of the parent starts and stops its timers stayed locked in the child.
TEST(Fork, LetsTheChildStopItsTimersWhateverOtherThreadsDo) {
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  const tenon::timer never(1h);
  std::atomic<bool> over = false;
  std::thread at_the_timers([&] {
    while (!over) {
      const tenon::timer mine(1h);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const int status = status_of_child([&] { return never.stop() ? 0 : 1; });
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child " << i << ", status " << status;
  }
  over = true;
  at_the_timers.join();
}

}  // namespace
