// A goroutine looks at the error number, waits, and looks again, on another thread: certain to be another one, since that on which it waited is
// kept busy. Optimised, unlike the tests: without optimisation compilers ask the C library each time.
//
//   errno_after_a_move last_error|errno|c_errno ROUNDS     prints the number of rounds in which the second look was wrong

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <tenon/tenon.hpp>

namespace {

long thread_number() { return ::syscall(SYS_gettid); }

// Looks at the error number, waits, and says what the second look has seen.
using second_look = int (*)(int fd, const tenon::chan<void>& wait);

// The C library's, as a user writes it who does not know: for trying out by hand what the others are good for.
int by_c_errno(int fd, const tenon::chan<void>& wait) {
  char c = 0;
  ssize_t n = ::read(fd, &c, 1);
  if (n < 0 && errno == EAGAIN) {
    (void)wait.recv();
    n = ::read(-1, &c, 1);
    if (n < 0) return errno;
  }
  return 0;
}

int by_last_error(int fd, const tenon::chan<void>& wait) {
  char c = 0;
  ssize_t n = ::read(fd, &c, 1);
  if (n < 0 && tenon::last_error() == EAGAIN) {
    (void)wait.recv();
    n = ::read(-1, &c, 1);
    if (n < 0) return tenon::last_error();
  }
  return 0;
}

}  // namespace

#include <tenon/errno.hpp>

namespace {

int by_errno(int fd, const tenon::chan<void>& wait) {
  char c = 0;
  ssize_t n = ::read(fd, &c, 1);
  if (n < 0 && errno == EAGAIN) {
    (void)wait.recv();
    n = ::read(-1, &c, 1);
    if (n < 0) return errno;
  }
  return 0;
}

enum class outcome { right, wrong, not_moved };

outcome round(second_look look, int fd) {
  const auto wait = tenon::make_chan<void>();
  std::atomic<bool> may_go_on{false};
  std::atomic<bool> over{false};
  bool kept_busy = false;
  std::thread waker([&] {
    while (!may_go_on) std::this_thread::yield();
    wait.send();
  });
  const long before = thread_number();
  // Comes next on this thread, as soon as this goroutine waits, and computes there until it is through; unless another worker is faster.
  auto busy = tenon::go([&] {
    kept_busy = thread_number() == before;
    ::close(-1);
    errno = ENOTTY;  // not what the second look has to see
    may_go_on = true;
    while (kept_busy && !over) std::this_thread::yield();
  });
  const int seen = look(fd, wait);
  const bool moved = thread_number() != before;
  over = true;
  busy.join();
  tenon::blocking([&] { waker.join(); });
  if (!moved || !kept_busy) return outcome::not_moved;
  return seen == EBADF ? outcome::right : outcome::wrong;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const second_look look = std::strcmp(argv[1], "last_error") == 0 ? &by_last_error
                           : std::strcmp(argv[1], "errno") == 0    ? &by_errno
                                                                   : &by_c_errno;
  const int rounds = std::atoi(argv[2]);
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return 2;
  int wrong = 0;
  const int status = tenon::run(
      [&](const tenon::context&) {
        for (int i = 0; i < rounds;) {
          const outcome o = round(look, ends[0]);
          i += o != outcome::not_moved ? 1 : 0;
          wrong += o == outcome::wrong ? 1 : 0;
        }
      },
      {.workers = 2});
  std::printf("%d of %d wrong\n", wrong, rounds);
  return status;
}
