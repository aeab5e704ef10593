// Waiting for descriptors: readiness, cancellation, closing, and what is not a descriptor.

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "sched/monitor.hpp"
#include "support/callers.hpp"
#include "support/pipe_ends.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::close_fd;
using tenon::error;
using tenon::wait_readable;
using tenon::wait_writable;
using tenon_test::apart;
using tenon_test::pipe_ends;
using tenon_test::settle;
using tenon_test::start;

class FdBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, FdBy, tenon_test::every_caller, tenon_test::caller_name);

TEST_P(FdBy, WaitsUntilThereIsSomethingToRead) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    std::atomic<bool> returned = false;
    auto reader = start(GetParam(), [&] {
      EXPECT_EQ(wait_readable(p.out), nullptr);
      returned = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(returned));
    p.put();
    reader.join();
    EXPECT_EQ(wait_readable(p.out), nullptr) << "it has not been read";
  });
}

TEST_P(FdBy, WaitsUntilThereIsRoom) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    EXPECT_EQ(wait_writable(p.in), nullptr);
    p.fill();
    std::atomic<bool> returned = false;
    auto writer = start(GetParam(), [&] {
      EXPECT_EQ(wait_writable(p.in), nullptr);
      returned = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(returned));
    p.empty();
    writer.join();
  });
}

TEST_P(FdBy, AnEndOfStreamIsReadable) {
  tenon_test::as(GetParam(), [] {
    pipe_ends p;
    auto reader = start(GetParam(), [&] { EXPECT_EQ(wait_readable(p.out), nullptr); });
    settle();
    EXPECT_EQ(close_fd(std::exchange(p.in, -1)), nullptr);
    reader.join();
    char c = 0;
    EXPECT_EQ(::read(p.out, &c, 1), 0);
  });
}

TEST_P(FdBy, AWriteThatWouldFailWaitsNoLonger) {
  tenon_test::as(GetParam(), [] {
    pipe_ends p;
    p.fill();
    auto writer = start(GetParam(), [&] { EXPECT_EQ(wait_writable(p.in), nullptr); });
    settle();
    EXPECT_EQ(close_fd(std::exchange(p.out, -1)), nullptr);
    writer.join();
  });
}

TEST_P(FdBy, ACanceledContextEndsTheWait) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    p.fill();
    const pipe_ends q;
    auto scope = tenon::with_cancel(tenon::background());
    auto reader = start(GetParam(), [&] { EXPECT_EQ(wait_readable(scope.ctx(), q.out), tenon::canceled()); });
    auto writer = start(GetParam(), [&] { EXPECT_EQ(wait_writable(scope.ctx(), p.in), tenon::canceled()); });
    settle();
    scope.cancel();
    reader.join();
    writer.join();
    q.put();
    EXPECT_EQ(wait_readable(scope.ctx(), q.out), tenon::canceled()) << "ready or not";
    EXPECT_EQ(wait_readable(q.out), nullptr);
  });
}

TEST_P(FdBy, ADeadlineEndsTheWait) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    auto scope = tenon::with_timeout(tenon::background(), 1ms);
    EXPECT_EQ(wait_readable(scope.ctx(), p.out), tenon::deadline_exceeded());
    auto past = tenon::with_deadline(tenon::background(), tenon::now() - 1h);
    EXPECT_EQ(wait_readable(past.ctx(), p.out), tenon::deadline_exceeded());
  });
}

TEST_P(FdBy, ClosingEndsEveryWait) {
  tenon_test::as(GetParam(), [] {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ends[0] = apart(ends[0]);
    char block[4096] = {};
    while (::write(ends[0], block, sizeof block) > 0) {
    }
    auto scope = tenon::with_cancel(tenon::background());
    std::vector<tenon_test::companion> all;
    std::atomic<int> told = 0;
    const auto check = [&](const error& e, const std::string& call) {
      EXPECT_TRUE(e.is(std::errc::bad_file_descriptor)) << e.message();
      EXPECT_EQ(e.message(), call + ": descriptor " + std::to_string(ends[0]) + ": Bad file descriptor");
      ++told;
    };
    for (int i = 0; i < 3; ++i) {
      for (auto f : std::initializer_list<std::function<void()>>{
               [&] { check(wait_readable(ends[0]), "wait_readable"); },
               [&] { check(wait_readable(scope.ctx(), ends[0]), "wait_readable"); },
               [&] { check(wait_writable(ends[0]), "wait_writable"); },
               [&] { check(wait_writable(scope.ctx(), ends[0]), "wait_writable"); }}) {
        all.push_back(start(GetParam(), std::move(f)));
      }
    }
    settle();
    EXPECT_EQ(told, 0);
    EXPECT_EQ(close_fd(ends[0]), nullptr);
    for (auto& c : all) c.join();
    EXPECT_EQ(told, 12);
    EXPECT_EQ(close_fd(ends[1]), nullptr);
  });
}

// Go: what a connection's Close does before its descriptor is closed
TEST_P(FdBy, WaitsThatAreEndedStayRefusedUntilItIsClosed) {
  tenon_test::as(GetParam(), [] {
    pipe_ends p;
    p.out = apart(p.out);
    const int number = p.out;
    error told;
    auto waiter = start(GetParam(), [&] { told = wait_readable(number); });
    settle();
    tenon::end_waits(number);
    waiter.join();
    EXPECT_TRUE(told.is(std::errc::bad_file_descriptor)) << told.message();
    p.put();  // it is open, and readable, and still refused
    EXPECT_TRUE(wait_readable(number).is(std::errc::bad_file_descriptor));
    EXPECT_TRUE(wait_readable(tenon::background(), number).is(std::errc::bad_file_descriptor));
    EXPECT_EQ(close_fd(std::exchange(p.out, -1)), nullptr);

    pipe_ends next;  // another file under that number
    ASSERT_EQ(::fcntl(next.out, F_DUPFD_CLOEXEC, number), number);
    next.put();
    EXPECT_EQ(wait_readable(number), nullptr);
    EXPECT_EQ(close_fd(number), nullptr);
  });
}

TEST_P(FdBy, OneReadyDirectionLeavesTheOtherWaiting) {
  for (const bool reader_first : {false, true}) {
    tenon_test::as(GetParam(), [&] {
      int ends[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
      char block[4096] = {};
      while (::write(ends[0], block, sizeof block) > 0) {
      }
      std::atomic<bool> writable = false;
      const auto read = [&] { EXPECT_EQ(wait_readable(ends[0]), nullptr); };
      const auto write = [&] {
        EXPECT_EQ(wait_writable(ends[0]), nullptr);
        writable = true;
      };
      std::optional<tenon_test::companion> reader;
      if (reader_first) reader.emplace(start(GetParam(), read));
      settle();
      auto writer = start(GetParam(), write);
      settle();
      if (!reader_first) reader.emplace(start(GetParam(), read));
      settle();
      EXPECT_EQ(::write(ends[1], "x", 1), 1);
      reader->join();
      EXPECT_TRUE(tenon_test::stays_false(writable));
      while (::read(ends[1], block, sizeof block) > 0) {
      }
      writer.join();
      EXPECT_EQ(close_fd(ends[0]), nullptr);
      EXPECT_EQ(close_fd(ends[1]), nullptr);
    });
  }
}

TEST_P(FdBy, EverybodyWhoWaitsIsWoken) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(start(GetParam(), [&] { EXPECT_EQ(wait_readable(p.out), nullptr); }));
    }
    settle();
    p.put();
    for (auto& c : all) c.join();
  });
}

TEST_P(FdBy, WhatIsNoDescriptorIsAnError) {
  tenon_test::as(GetParam(), [] {
    const auto expect_bad = [](const error& e, const std::string& text) {
      EXPECT_TRUE(e.is(std::errc::bad_file_descriptor));
      EXPECT_EQ(e.message(), text + ": Bad file descriptor");
    };
    expect_bad(wait_readable(-1), "wait_readable: descriptor -1");
    expect_bad(wait_writable(tenon::background(), -1), "wait_writable: descriptor -1");
    expect_bad(close_fd(-1), "close_fd: descriptor -1");
    const int closed = apart(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(close_fd(closed), nullptr);
    const std::string number = std::to_string(closed);
    expect_bad(wait_readable(closed), "wait_readable: descriptor " + number);
    expect_bad(close_fd(closed), "close_fd: descriptor " + number);
    EXPECT_FALSE(wait_readable(1'000'000'000) == nullptr);
  });
}

TEST_P(FdBy, ARegularFileIsAlwaysReady) {
  tenon_test::as(GetParam(), [] {
    const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(wait_readable(fd), nullptr);
    EXPECT_EQ(wait_writable(fd), nullptr);
    EXPECT_EQ(close_fd(fd), nullptr);
  });
}

TEST_P(FdBy, ACopyOfTheDescriptorKeepsNothingAlive) {
  tenon_test::as(GetParam(), [] {
    pipe_ends p;
    p.out = apart(p.out);
    const int number = p.out;
    auto reader = start(GetParam(), [&] { EXPECT_TRUE(wait_readable(number).is(std::errc::bad_file_descriptor)); });
    settle();
    const pipe_ends q;
    const int copy = ::dup(number);
    p.out = -1;
    EXPECT_EQ(close_fd(number), nullptr);
    reader.join();
    p.put();
    // The number again, for another file: what happens to the first one is no event of the second.
    ASSERT_EQ(::dup3(q.out, number, O_CLOEXEC), number);
    auto scope = tenon::with_cancel(tenon::background());
    auto again = start(GetParam(), [&] { EXPECT_EQ(wait_readable(scope.ctx(), number), tenon::canceled()); });
    settle();
    scope.cancel();
    again.join();
    EXPECT_EQ(close_fd(number), nullptr);
    EXPECT_EQ(close_fd(copy), nullptr);
  });
}

// Whoever gave up leaves a watch behind; the event that it still delivers is nobody else's loss.
TEST_P(FdBy, AWaitThatWasGivenUpCostsTheNextOneNothing) {
  tenon_test::as(GetParam(), [] {
    const pipe_ends p;
    for (int i = 0; i < 50; ++i) {
      auto scope = tenon::with_cancel(tenon::background());
      auto quitter = start(GetParam(), [&] { (void)(wait_readable(scope.ctx(), p.out) == nullptr); });
      auto reader = start(GetParam(), [&] {
        char c = 0;
        while (::read(p.out, &c, 1) != 1) EXPECT_EQ(wait_readable(p.out), nullptr);
      });
      if (i % 2 == 0) settle();
      scope.cancel();
      p.put();
      quitter.join();
      reader.join();
    }
  });
}

/// A socket with an address of its own on 127.0.0.1. Until it listens it refuses connections.
struct bound_socket {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  bound_socket() {
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);
  }
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;
  ~bound_socket() { (void)close_fd(fd); }
};

/// 0, or an error number.
int connect_to(const sockaddr_in& at, int& fd) {
  fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return 0;
  if (const int why = tenon::last_error(); why != EINPROGRESS) return why;
  EXPECT_EQ(wait_writable(fd), nullptr);
  int number = 0;
  socklen_t size = sizeof number;
  EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size), 0);
  return number;
}

TEST_P(FdBy, AConnectionIsMadeOrRefused) {
  tenon_test::as(GetParam(), [] {
    const bound_socket at;
    int fd = -1;
    EXPECT_EQ(connect_to(at.at, fd), ECONNREFUSED);
    EXPECT_EQ(close_fd(fd), nullptr);

    ASSERT_EQ(::listen(at.fd, SOMAXCONN), 0);
    auto server = start(GetParam(), [&] {
      int peer = -1;
      while ((peer = ::accept4(at.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        ASSERT_EQ(tenon::last_error(), EAGAIN);
        ASSERT_EQ(wait_readable(at.fd), nullptr);
      }
      EXPECT_EQ(::write(peer, "hello", 5), 5);
      EXPECT_EQ(close_fd(peer), nullptr);
    });
    EXPECT_EQ(connect_to(at.at, fd), 0);
    std::string got;
    char block[16];
    for (ssize_t n = 0; (n = ::read(fd, block, sizeof block)) != 0;) {
      if (n > 0) {
        got.append(block, static_cast<std::size_t>(n));
      } else {
        ASSERT_EQ(wait_readable(fd), nullptr);
      }
    }
    EXPECT_EQ(got, "hello");
    server.join();
    EXPECT_EQ(close_fd(fd), nullptr);
  });
}

// ---------------------------------------------------------------- what the scheduler does beside it

TEST(Fd, NoDeadlockWhileADescriptorIsWaitedFor) {
  const pipe_ends p;
  std::atomic<bool> waits = false;
  tenon_test::os_thread outside([&] {
    EXPECT_TRUE(tenon_test::eventually([&] { return waits.load(); }));
    p.put();
  });
  tenon::run([&] {
    waits = true;
    EXPECT_EQ(wait_readable(p.out), nullptr);
  });
  outside.join();
}

TEST(Fd, AWorkerThatIsNeverIdleServesThemToo) {
  const pipe_ends p;
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&] {
          std::atomic<bool> read = false;
          tenon::group g(tenon::background());
          g.go([&] {
            EXPECT_EQ(wait_readable(p.out), nullptr);
            p.empty();
            read = true;
          });
          for (unsigned i = 0; i < workers; ++i) {
            g.go([&] {
              while (!read) tenon::yield();
            });
          }
          settle();
          p.put();
          EXPECT_EQ(g.wait(), nullptr);
        },
        {.workers = workers});
  }
}

TEST(Fd, EachRunWatchesAnew) {
  const pipe_ends p;
  for (int i = 0; i < 5; ++i) {
    tenon::run([&](tenon::group& g) {
      g.go([&] {
        EXPECT_EQ(wait_readable(p.out), nullptr);
        p.empty();
      });
      settle();
      p.put();
    });
  }
}

TEST(Fd, ManyPairsPingEachOther) {
  constexpr int pairs = 50;
  constexpr int rounds = 100;
  tenon::run(
      [](tenon::group& g) {
        for (int i = 0; i < pairs; ++i) {
          auto ping = std::make_shared<pipe_ends>();
          auto pong = std::make_shared<pipe_ends>();
          const auto echo = [](const std::shared_ptr<pipe_ends>& from, const std::shared_ptr<pipe_ends>& to,
                               bool first) {
            if (first) to->put();
            char c = 0;
            for (int n = 0; n < rounds; ++n) {
              while (::read(from->out, &c, 1) != 1) ASSERT_EQ(wait_readable(from->out), nullptr);
              if (!first || n + 1 < rounds) to->put(c);
            }
          };
          g.go([=] { echo(ping, pong, false); });
          g.go([=] { echo(pong, ping, true); });
        }
      },
      {.workers = 2});
}

TEST(Fd, VirtualTimeStandsStillWhileADescriptorIsReady) {
  tenon_test::in_virtual_time([] {
    const pipe_ends p;
    const tenon_test::stopwatch since;
    auto writer = tenon::go([&] {
      tenon::sleep_for(1h);
      p.put();
      tenon::sleep_for(1h);
    });
    EXPECT_EQ(wait_readable(p.out), nullptr);
    EXPECT_EQ(since(), 1h) << "not with the next sleeper";
    writer.join();

    p.empty();
    auto scope = tenon::with_timeout(tenon::background(), 1h);
    EXPECT_EQ(wait_readable(scope.ctx(), p.out), tenon::deadline_exceeded());
    EXPECT_EQ(since(), 3h);
  });
}

// A child process has the numbers of its parent's descriptors, and the kernel's list of those that are watched: it must leave that alone.
TEST(Fd, AChildThatClosesItsCopyTakesNothingFromItsParent) {
  const pipe_ends p;
  tenon::run([&](tenon::group& g) {
    g.go([&] { EXPECT_EQ(wait_readable(p.out), nullptr); });
    settle();
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(close_fd(p.out) == nullptr ? 0 : 1);
    }
    int status = -1;
    tenon::blocking([&] { return ::waitpid(child, &status, 0); });
    EXPECT_EQ(status, 0);
    p.put();
  });
}

// ---- who looks ------------------------------------------------------------------------------------------------------------

// A worker that always has other work comes to the descriptors all the same. Were they left to the monitor, each would wait for a millisecond; and the
// monitor, for which there is something at every look at a busy server, took a sixth of its processor time.
TEST(FdBusyWorker, ComesToTheDescriptorsWithoutTheMonitor) {
  static std::atomic<bool> held;
  static std::atomic<bool> let_go;
  held = let_go = false;
  tenon::run(
      [](const tenon::context&) {
        tenon::detail::monitor::request([]() noexcept {
          held = true;
          let_go.wait(false);
        });
        while (!held) tenon::yield();
        const pipe_ends p;
        std::atomic<bool> waits = false;
        std::atomic<bool> woken = false;
        auto reader = tenon::go([&] {
          waits = true;
          EXPECT_EQ(wait_readable(p.out), nullptr);
          woken = true;
        });
        while (!waits) tenon::yield();
        p.put();
        while (!woken) tenon::yield();
        let_go = true;
        let_go.notify_one();
        reader.join();
      },
      {.workers = 1});
}

}  // namespace
