#include "platform/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "platform/annotate.hpp"

namespace tenon {

namespace {
constexpr int most_events = 64;  // at a time

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }
}  // namespace

poller::poller() : pid_(::getpid()) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("tenon: epoll_create1");
  event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  for (int* fd : {&event_, &timer_}) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = fd;
    if (*fd < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, *fd, &e) != 0) {
      const int saved = errno;
      this->~poller();
      errno = saved;
      fail("tenon: poller");
    }
  }
  annotate::happens_before(
      this);  // descriptors count as data to ThreadSanitizer: made here, written in wake, closed below
}

poller::~poller() {
  annotate::happens_after(this);
  for (int fd : {timer_, event_, epoll_}) {
    if (fd >= 0) ::close(fd);
  }
}

namespace {
void deliver(const epoll_event& e) noexcept {
  constexpr std::uint32_t either = EPOLLERR | EPOLLHUP;
  auto* w = static_cast<watched_descriptor*>(e.data.ptr);
  w->ready(w, (e.events & (EPOLLIN | either)) != 0, (e.events & (EPOLLOUT | either)) != 0);
}
}  // namespace

void poller::wait(std::int64_t timeout_ns) noexcept {
  int ms = -1;
  if (timeout_ns == 0) {
    ms = 0;
  } else if (timeout_ns > 0) {
    // epoll_pwait2 would take nanoseconds, but Debian 12's qemu and older kernels lack it.
    itimerspec at{};
    at.it_value.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000);
    at.it_value.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000);
    ::timerfd_settime(timer_, 0, &at, nullptr);
  }
  epoll_event events[most_events];
  const int n = ::epoll_wait(epoll_, events, most_events, ms);
  for (int i = 0; i < n; ++i) {
    if (void* token = events[i].data.ptr; token == &event_ || token == &timer_) {
      std::uint64_t count = 0;
      (void)!::read(*static_cast<int*>(token), &count, sizeof count);
    } else {
      deliver(events[i]);
    }
  }
}

bool poller::poll() noexcept {
  epoll_event events[most_events];
  const int n = ::epoll_wait(epoll_, events, most_events, 0);
  bool any = false;
  for (int i = 0; i < n; ++i) {
    const void* token = events[i].data.ptr;
    if (token == &event_ || token == &timer_) continue;
    deliver(events[i]);
    any = true;
  }
  return any;
}

void poller::wake() noexcept {
  const std::uint64_t one = 1;
  annotate::happens_after(this);
  (void)!::write(event_, &one, sizeof one);
  annotate::happens_before(this);
}

int poller::arm(int fd, bool readable, bool writable, watched_descriptor* w) noexcept {
  epoll_event e{};
  e.events = EPOLLONESHOT | (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
  e.data.ptr = w;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &e) == 0) return 0;
  if (errno != ENOENT) return errno;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}

void poller::disarm(int fd) noexcept {
  if (is_ours()) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

bool poller::is_ours() const noexcept { return ::getpid() == pid_; }

}  // namespace tenon
