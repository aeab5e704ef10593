#include "platform/wakeup_event.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace tenon {

wakeup_event::~wakeup_event() {
  if (event_ >= 0) ::close(event_);
}

int wakeup_event::make() noexcept {
  event_ = ::eventfd(0, EFD_CLOEXEC);
  return event_ < 0 ? errno : 0;
}

void wakeup_event::signal() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}

int wakeup_event::wait_with(int fd, bool writable) noexcept {
  pollfd both[] = {{fd, static_cast<short>(writable ? POLLOUT : POLLIN), 0}, {event_, POLLIN, 0}};
  int n = 0;
  do {
    n = ::poll(both, 2, -1);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno;
  return (both[0].revents & POLLNVAL) != 0 ? EBADF : 0;
}

void wakeup_event::wait() noexcept {
  // A read, not a poll: it takes what `signal` has written, and so comes after it, also to ThreadSanitizer, which sees no order in a poll.
  std::uint64_t count = 0;
  while (::read(event_, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

bool descriptor::is_ready(int fd, bool writable) noexcept {
  pollfd p{fd, static_cast<short>(writable ? POLLOUT : POLLIN), 0};
  return ::poll(&p, 1, 0) != 0;
}

bool descriptor::lingers(int fd) noexcept {
  ::linger value{};
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) == 0 && value.l_onoff != 0 && value.l_linger > 0;
}

int descriptor::copy(int fd) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }

int descriptor::close(int fd) noexcept { return ::close(fd) == 0 || errno == EINTR ? 0 : errno; }

}  // namespace tenon
