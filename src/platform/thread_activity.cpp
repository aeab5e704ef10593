#include "platform/thread_activity.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tenon {

namespace {

struct named_call {
  long number;
  const char* name;
};

/// Those in which threads wait.
constexpr named_call calls[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_pread64, "pread"},
    {SYS_readv, "readv"},
    {SYS_writev, "writev"},
    {SYS_recvfrom, "recv"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_sendto, "send"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept"},
    {SYS_connect, "connect"},
    {SYS_ppoll, "poll"},
    {SYS_pselect6, "select"},
    {SYS_epoll_pwait, "epoll_wait"},
    {SYS_flock, "flock"},
    {SYS_fsync, "fsync"},
    {SYS_fcntl, "fcntl"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "nanosleep"},
    {SYS_wait4, "wait"},
    {SYS_waitid, "waitid"},
    {SYS_rt_sigtimedwait, "sigwait"},
    {SYS_futex, "futex (a lock, or a condition)"},
#if defined(SYS_poll)
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_pause, "pause"},
#endif
};

}  // namespace

void describe_activity(pid_t tid, char* out, std::size_t size) noexcept {
  char text[256];
  std::snprintf(text, sizeof text, "/proc/self/task/%d/syscall", static_cast<int>(tid));
  const int fd = ::open(text, O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? -1 : ::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  if (n <= 0) {
    std::snprintf(out, size, "doing what the system does not tell");
    return;
  }
  text[n] = '\0';
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (end == text || number < 0) {  // "running", or -1: outside of a system call
    std::snprintf(out, size, "on a processor, or waiting for one");
    return;
  }
  for (const named_call& c : calls) {
    if (c.number == number) {
      std::snprintf(out, size, "in the system call %s", c.name);
      return;
    }
  }
  std::snprintf(out, size, "in system call %ld", number);
}

}  // namespace tenon
