// The error number of a system call, asked for before and after a wait, by goroutines that move between threads all the time.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#include <tenon/errno.hpp>
#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/threads.hpp"
#include "watchdog.hpp"

namespace {

struct pipe_ends {
  int out = -1;
  int in = -1;
  pipe_ends() {
    int both[2];
    EXPECT_EQ(::pipe2(both, O_NONBLOCK | O_CLOEXEC), 0);
    out = both[0];
    in = both[1];
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    (void)tenon::close_fd(out);
    (void)tenon::close_fd(in);
  }
};

// As a user writes it: one function, two looks, a wait between them. EBADF is right, or 0 where there was no wait.
[[gnu::noinline]] int look_twice(int fd) {
  char c = 0;
  ssize_t n = ::read(fd, &c, 1);
  if (n < 0 && tenon::last_error() == EAGAIN) {
    if (tenon::wait_readable(fd)) return -1;
    n = ::read(-1, &c, 1);
    if (n < 0) return tenon::last_error();
  }
  return n == 1 ? 0 : -2;
}

TEST(ErrnoStress, AfterAWaitItIsThatOfTheThreadWhereTheCallWasMade) {
  const std::size_t rounds = tenon_test::scaled(20'000, 500);
  const tenon_test::watchdog dog;
  std::atomic<std::size_t> waits{0};
  std::atomic<std::size_t> moves{0};
  tenon::run(
      [&](tenon::group& g) {
        g.go_n(8, [&] {
          const pipe_ends p;
          for (std::size_t i = 0; i < rounds / 8; ++i) {
            auto writer = tenon::go([&] {
              tenon::yield();
              EXPECT_EQ(::write(p.in, "x", 1), 1);
              EXPECT_EQ(::close(-1), -1);  // leaves an error number of its own where it has run
              errno = ENOTTY;
            });
            const long before = tenon_test::os_thread_number();
            const int seen = look_twice(p.out);
            if (tenon_test::os_thread_number() != before) ++moves;
            if (seen == EBADF) {
              ++waits;
              char c = 0;
              ASSERT_EQ(::read(p.out, &c, 1), 1);
            } else {
              ASSERT_EQ(seen, 0);
            }
            writer.join();
            tenon_test::watchdog::step();
          }
        });
      },
      {.workers = 4});
  RecordProperty("waits", static_cast<int>(waits));
  RecordProperty("moves", static_cast<int>(moves));
  EXPECT_GT(waits, 0U);
}

}  // namespace
