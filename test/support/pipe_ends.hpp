#pragma once

// Descriptors for tests of waits.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <tenon/fd.hpp>
#include <tenon/last_error.hpp>

namespace tenon_test {

/// The same under a number that nobody else is given meanwhile: who comes late finds it closed, and not another file.
inline int apart(int fd) {
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, 900);
  EXPECT_GE(high, 900);
  EXPECT_EQ(::close(fd), 0);
  return high;
}

/// The two ends of a non-blocking pipe.
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
    for (const int fd : {out, in}) {
      if (fd >= 0) (void)tenon::close_fd(fd);
    }
  }
  void put(char c = 'x') const { EXPECT_EQ(::write(in, &c, 1), 1); }
  void fill() const {
    char block[4096] = {};
    while (::write(in, block, sizeof block) > 0) {
    }
    EXPECT_EQ(tenon::last_error(), EAGAIN);
  }
  void empty() const {
    char block[4096];
    while (::read(out, block, sizeof block) > 0) {
    }
  }
};

}  // namespace tenon_test
