// Descriptors under load: readiness, cancellation, a close and a new file under the old number, all at once.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/workers_case.hpp"
#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::wait_readable;
using tenon::wait_writable;
using tenon_test::dawdle;
using tenon_test::random_source;
using tenon_test::scaled;
using tenon_test::watchdog;

using FdStress = tenon_test::workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FdStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

/// A pair of connected, non-blocking sockets.
void make_pair(int (&ends)[2]) {
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

// Each byte arrives, in order, although both directions of every socket are waited for and its buffers are small.
TEST_P(FdStress, BothDirectionsOfManySockets) {
  const std::size_t bytes = scaled(2'000'000, 20'000);
  in_run([&](const tenon::context& root) {
    tenon::group g(root);
    for (int pair = 0; pair < 8; ++pair) {
      int ends[2];
      make_pair(ends);
      for (const int end : ends) {
        const int small = 4096;
        ASSERT_EQ(::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
      }
      auto open = std::make_shared<tenon::wait_group>();
      open->add(4);
      for (const int end : ends) {
        g.go([=] {
          char block[777];
          for (std::size_t sent = 0; sent < bytes;) {
            std::size_t n = 0;
            for (; n < sizeof block && sent + n < bytes; ++n) block[n] = static_cast<char>(sent + n);
            const ssize_t done = ::write(end, block, n);
            if (done > 0) {
              sent += static_cast<std::size_t>(done);
            } else {
              ASSERT_EQ(tenon::last_error(), EAGAIN);
              ASSERT_EQ(wait_writable(end), nullptr);
            }
          }
          open->done();
        });
        g.go([=] {
          char block[1024];
          for (std::size_t got = 0; got < bytes;) {
            const ssize_t n = ::read(end, block, sizeof block);
            if (n < 0) {
              ASSERT_EQ(tenon::last_error(), EAGAIN);
              ASSERT_EQ(wait_readable(end), nullptr);
              continue;
            }
            for (ssize_t i = 0; i < n; ++i) ASSERT_EQ(block[i], static_cast<char>(got + static_cast<std::size_t>(i)));
            got += static_cast<std::size_t>(n);
            watchdog::step();
          }
          open->done();
        });
      }
      g.go([=] {
        open->wait();
        for (const int end : ends) EXPECT_EQ(tenon::close_fd(end), nullptr);
      });
    }
    EXPECT_EQ(g.wait(), nullptr);
  });
}

// Readers, goroutines and threads, of a descriptor that is written to, given up and closed in the same moment: nobody hangs, and who is told
// of the close is told nothing else.
TEST_P(FdStress, ReadyCanceledAndClosedAtOnce) {
  const std::size_t rounds = scaled(3'000, 30);
  in_run([&](const tenon::context& root) {
    for (std::size_t round = 0; round < rounds; ++round) {
      int ends[2];
      make_pair(ends);
      // Far from the numbers that others are given: one that comes after the close finds no other file.
      const int apart = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 900);
      ASSERT_GE(apart, 900);
      ASSERT_EQ(::close(ends[0]), 0);
      auto scope = tenon::with_cancel(root);
      tenon::shared_mutex
          open;  // waits may meet the close; a read of a number that is being closed would be a race of ours
      tenon::group g(root);
      const auto reader = [&](std::uint64_t seed) {
        random_source random(seed);
        dawdle(random, 3);
        for (;;) {
          const bool canceled_by_us = random.below(2) == 0;
          const tenon::error e = canceled_by_us ? wait_readable(scope.ctx(), apart) : wait_readable(apart);
          if (e.is(std::errc::bad_file_descriptor)) return;
          if (e) {
            ASSERT_TRUE(canceled_by_us);
            ASSERT_EQ(e, tenon::canceled());
          } else {
            char c = 0;
            const std::shared_lock hold(open);
            (void)!::read(apart, &c, 1);
          }
        }
      };
      for (std::uint64_t i = 0; i < 3; ++i) g.go([&, i] { reader(round * 8 + i); });
      tenon_test::os_thread outside([&] { reader(round * 8 + 4); });
      g.go([&] {
        random_source random(round * 8 + 5);
        for (std::uint64_t n = random.below(4); n > 0; --n) {
          (void)!::send(ends[1], "x", 1, MSG_NOSIGNAL);  // The other end may be closed: no SIGPIPE.
          dawdle(random, 3);
        }
      });
      g.go([&] {
        random_source random(round * 8 + 6);
        dawdle(random, 6);
        scope.cancel();
      });
      g.go([&] {
        random_source random(round * 8 + 7);
        dawdle(random, 12);
        const std::lock_guard hold(open);
        EXPECT_EQ(tenon::close_fd(apart), nullptr);
      });
      EXPECT_EQ(g.wait(), nullptr);
      outside.join();
      EXPECT_EQ(tenon::close_fd(ends[1]), nullptr);
      watchdog::step();
    }
  });
}

// The number of a closed descriptor is another file's at once, and is waited for again: no event of the old file, no mark of its
// close is left that would end the new waits with an error, or let them sleep.
TEST_P(FdStress, ANumberThatIsUsedAgain) {
  const std::size_t rounds = scaled(50'000, 500);
  in_run([&](const tenon::context& root) {
    tenon::group g(root);
    for (unsigned me = 0; me < 4; ++me) {
      g.go([=] {
        random_source random(me);
        for (std::size_t round = 0; round < rounds / 4; ++round) {
          int ends[2];
          make_pair(ends);
          auto writer = tenon::go([end = ends[1]] { EXPECT_EQ(::write(end, "x", 1), 1); });
          for (char c = 0; ::read(ends[0], &c, 1) != 1;) {
            ASSERT_EQ(tenon::last_error(), EAGAIN);
            const tenon::error e = wait_readable(ends[0]);
            ASSERT_EQ(e, nullptr) << e.message();
          }
          writer.join();
          for (const int end : ends) ASSERT_EQ(tenon::close_fd(end), nullptr);
          watchdog::step();
        }
      });
    }
    EXPECT_EQ(g.wait(), nullptr);
  });
}

}  // namespace
