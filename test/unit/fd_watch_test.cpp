#include <tenon/fd.hpp>

// Waits for more, under a watch that stands: what has come is told once, and none of it is missed.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <utility>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/pipe_ends.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::close_fd;
using tenon::error;
using tenon::wait_readable;
using tenon_test::apart;
using tenon_test::pipe_ends;
using tenon_test::settle;
using tenon_test::start;

class FdWatchBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, FdWatchBy, tenon_test::every_caller, tenon_test::caller_name);

/// A wait for more may end with nothing there: then it is called again.
void take_one(int fd) {
  char c = 0;
  while (::read(fd, &c, 1) < 0) {
    ASSERT_EQ(tenon::last_error(), EAGAIN);
    ASSERT_EQ(tenon::wait_for_more(fd), nullptr);
  }
}

TEST_P(FdWatchBy, WaitForMoreEndsWithWhatHasComeSinceTheLastLook) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    for (int round = 0; round < 3; ++round) {
      std::atomic<bool> returned = false;
      auto reader = start(GetParam(), [&] {
        take_one(p.out);
        returned = true;
      });
      EXPECT_TRUE(tenon_test::stays_false(returned));
      p.put();
      reader.join();
      p.put();  // nobody waits now
      settle();
      EXPECT_EQ(tenon::wait_for_more(p.out), nullptr);
      take_one(p.out);
    }
  });
}

TEST_P(FdWatchBy, WaitForRoomEndsWhenThereIsSome) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    for (int round = 0; round < 3; ++round) {
      p.fill();
      std::atomic<bool> done = false;
      auto writer = start(GetParam(), [&] {
        // It may end with nothing there: then it has to be called again, and ends no more.
        char c = 'x';
        while (::write(p.in, &c, 1) < 0) EXPECT_EQ(tenon::wait_for_room(p.in), nullptr);
        done = true;
      });
      EXPECT_TRUE(tenon_test::stays_false(done));
      p.empty();
      writer.join();
    }
  });
}

// An event may meet a wait that has just been given up: then it has told nobody.
TEST_P(FdWatchBy, WhatComesAsAWaitIsGivenUpEndsTheNextOne) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    for (int round = 0; round < 200; ++round) {
      const auto scope = tenon::with_cancel(tenon::background());
      bool told = false;
      auto reader = start(GetParam(), [&] { told = tenon::wait_for_more(scope.ctx(), p.out) == nullptr; });
      auto writer = start(GetParam(), [&] { p.put(); });
      scope.cancel();
      writer.join();
      reader.join();
      if (!told) {  // nor is it lost
        EXPECT_EQ(tenon::wait_for_more(p.out), nullptr);
      }
      take_one(p.out);
    }
  });
}

// What had come before the watch, or while nobody waited, is still there for a wait for readiness.
TEST_P(FdWatchBy, AWaitForReadinessSeesWhatAStandingWatchHasToldBefore) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    p.put();
    EXPECT_EQ(tenon::wait_for_more(p.out), nullptr) << "it may have come since the last look";
    settle();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(wait_readable(p.out), nullptr) << "it has not been read";
    p.empty();
    std::atomic<bool> returned = false;
    auto reader = start(GetParam(), [&] {
      EXPECT_EQ(wait_readable(p.out), nullptr);
      returned = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(returned));
    p.put();
    reader.join();
  });
}

TEST_P(FdWatchBy, WhatAWaitForReadinessHasSeenEndsAWaitForMore) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    EXPECT_EQ(tenon::wait_for_more(tenon::within(tenon::background(), 1ms), p.out), tenon::deadline_exceeded());
    p.put();
    settle();
    EXPECT_EQ(wait_readable(p.out), nullptr);
    EXPECT_EQ(tenon::wait_for_more(p.out), nullptr) << "it has come since the last wait for more";
  });
}

// A copy keeps the file, and with it the watch that a wait has left, unless that is ended.
TEST(FdWatch, EndedLeavesNothingForTheNextFileOfThatNumber) {
  tenon::run([] {
    int old[2];
    int next[2];
    ASSERT_EQ(::pipe2(old, O_NONBLOCK | O_CLOEXEC), 0);
    EXPECT_EQ(wait_readable(tenon::within(tenon::background(), 1ms), old[0]), tenon::deadline_exceeded());
    tenon::end_watch(old[0]);
    const int copy = ::dup(old[0]);
    ASSERT_EQ(::pipe2(next, O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(::dup3(next[0], old[0], O_CLOEXEC), old[0]);
    std::atomic<bool> has_come = false;
    auto reader = tenon::go([&] {
      EXPECT_EQ(wait_readable(old[0]), nullptr);
      EXPECT_TRUE(has_come) << "it was told of another file";
    });
    settle();
    EXPECT_EQ(::write(old[1], "x", 1), 1);
    const pipe_ends marker;
    marker.put();
    EXPECT_EQ(wait_readable(marker.out), nullptr);  // which is told after it
    settle();
    has_come = true;
    EXPECT_EQ(::write(next[1], "x", 1), 1);
    reader.join();
    EXPECT_EQ(close_fd(old[0]), nullptr);
    for (const int fd : {old[1], next[0], next[1], copy}) ::close(fd);
  });
}

TEST_P(FdWatchBy, WaitForMoreEndsWithItsContextAndWithAClose) {
  tenon_test::as(GetParam(), [] {
    pipe_ends p;
    EXPECT_EQ(tenon::wait_for_more(tenon::within(tenon::background(), 1ms), p.out), tenon::deadline_exceeded());
    const int number = apart(std::exchange(p.out, -1));
    auto reader = start(GetParam(), [&] {
      error e;
      while (!e) e = tenon::wait_for_more(number);
      EXPECT_TRUE(e.is(std::errc::bad_file_descriptor)) << e.message();
    });
    settle();
    EXPECT_EQ(close_fd(number), nullptr);
    reader.join();
  });
}

// The number is another file's afterwards, of which the watch knows nothing.
TEST_P(FdWatchBy, AFileThatGetsTheNumberAfterTheWatchIsWatchedAnew) {
  tenon_test::as(GetParam(), [] {
    for (const bool given_away : {false, true}) {
      pipe_ends first;
      const int number = apart(std::exchange(first.out, -1));
      EXPECT_EQ(tenon::wait_for_more(tenon::within(tenon::background(), 1ms), number), tenon::deadline_exceeded());
      if (given_away) {
        tenon::end_watch(number);
        ASSERT_EQ(::close(number), 0);
      } else {
        EXPECT_EQ(close_fd(number), nullptr);
      }
      pipe_ends next;
      ASSERT_EQ(::dup3(next.out, number, O_CLOEXEC), number);
      std::atomic<bool> returned = false;
      auto reader = start(GetParam(), [&] {
        EXPECT_EQ(wait_readable(number), nullptr);
        EXPECT_EQ(tenon::wait_for_more(number), nullptr);
        returned = true;
      });
      EXPECT_TRUE(tenon_test::stays_false(returned));
      next.put();
      reader.join();
      EXPECT_EQ(close_fd(number), nullptr);
    }
  });
}

/// Whether a wait in this process, which may be a child, is told of what comes.
bool is_told(const int (&ends)[2]) {
  bool told = false;
  tenon::run([&] {
    tenon::group g(tenon::background());
    g.go([&] { told = tenon::wait_for_more(tenon::within(tenon::background(), 30s), ends[0]) == nullptr; });
    for (int i = 0; i < 100; ++i) tenon::yield();
    const char c = 'x';
    (void)!::write(ends[1], &c, 1);
    (void)g.wait();
  });
  return told;
}

/// What f returns in a child process.
template <class F>
bool in_child(F f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f() ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A child has a poller of its own, in which nothing is watched yet; and a child's child one that may lie where the first one did.
TEST(FdWatch, AChildWatchesAnew) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it starts no threads after a fork";
  if (tenon_test::emulated()) GTEST_SKIP() << "the emulator may end a child of fork that starts a thread";
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  tenon::run([&] {
    EXPECT_EQ(tenon::wait_for_more(tenon::within(tenon::background(), 1ms), ends[0]), tenon::deadline_exceeded());
  });
  EXPECT_TRUE(in_child([&] { return is_told(ends); }));
  EXPECT_TRUE(in_child([&] {
    tenon::run([] {});
    return in_child([&] { return is_told(ends); });
  }));
  for (const int fd : ends) (void)close_fd(fd);
}

}  // namespace
