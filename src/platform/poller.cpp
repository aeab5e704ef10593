#include "platform/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

#include <tenon/detail/atomic.hpp>

#include "platform/annotate.hpp"
#include "platform/futex.hpp"

namespace tenon {

// To ThreadSanitizer a descriptor is data: written by the call that makes it and by the one that closes it, read by all others. Both
// orders exist, and are stated here:
//  - made → used: a poller is published by a release store and found by an acquire load (scheduler::poll), in code that is not
//    instrumented. `this` stands for it.
//  - used → closed: who deletes a poller is the only thread that there is (a child after fork). `epoll_` stands for it, and only the
//    destructor acquires it: the users are ordered with each other by nothing that is said here.
//
// A child does not close its parent's: it may have closed all that it inherited, as daemons do, and the numbers be other files' now.

namespace {
detail::atomic<std::uint32_t> last_id{0};

/// One use of the descriptors.
struct use {
  explicit use(void* made, void* used) noexcept : used_(used) { annotate::happens_after(made); }
  ~use() { annotate::happens_before(used_); }
  use(const use&) = delete;
  use& operator=(const use&) = delete;

 private:
  void* used_;
};

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }
}  // namespace

poller::poller() : pid_(::getpid()), id_(last_id.fetch_add(1, std::memory_order_relaxed) + 1) {
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
  annotate::happens_before(this);
}

poller::~poller() {
  annotate::happens_after(&epoll_);
  if (!is_ours()) return;
  for (int fd : {timer_, event_, epoll_}) {
    if (fd >= 0) ::close(fd);
  }
}

namespace {
void deliver(const epoll_event& e) noexcept {
  constexpr std::uint32_t either = EPOLLERR | EPOLLHUP;
  auto* w = static_cast<watched_descriptor*>(e.data.ptr);
  w->ready(w, (e.events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | either)) != 0, (e.events & (EPOLLOUT | either)) != 0,
           (e.events & (EPOLLRDHUP | EPOLLPRI | either)) != 0);
}
}  // namespace

void poller::wait(std::int64_t timeout_ns, events& come) noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) {
    futex::wait(wakes_, 0, timeout_ns);
    wakes_.exchange(0, std::memory_order_acq_rel);
    return;
  }
#endif
  const use here(this, &epoll_);
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
  static_assert(sizeof(epoll_event) <= 16 && alignof(epoll_event) <= 8);
  auto* const list = new (come.room_) epoll_event[events::most];
  const int n = ::epoll_wait(epoll_, list, events::most, ms);
  for (int i = 0; i < n; ++i) {
    if (void* token = list[i].data.ptr; token == &event_ || token == &timer_) {
      std::uint64_t count = 0;
      (void)!::read(*static_cast<int*>(token), &count, sizeof count);
    } else {
      list[come.n_++] = list[i];
    }
  }
}

void poller::tell(const events& come) noexcept {
  const auto* const list = reinterpret_cast<const epoll_event*>(come.room_);
  for (int i = 0; i < come.n_; ++i) deliver(list[i]);
}

bool poller::poll() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return false;
#endif
  const use here(this, &epoll_);
  epoll_event list[events::most];
  const int n = ::epoll_wait(epoll_, list, events::most, 0);
  bool any = false;
  for (int i = 0; i < n; ++i) {
    const void* token = list[i].data.ptr;
    if (token == &event_ || token == &timer_) continue;
    deliver(list[i]);
    any = true;
  }
  return any;
}

void poller::wake() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) {
    wakes_.exchange(1, std::memory_order_seq_cst);
    futex::wake_one(wakes_);
    return;
  }
#endif
  const use here(this, &epoll_);
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}

namespace {
int control(int epoll, int fd, std::uint32_t events, watched_descriptor* w) noexcept {
  epoll_event e{};
  e.events = events;
  e.data.ptr = w;
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e) == 0) return 0;
  if (errno != ENOENT) return errno;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}
}  // namespace

int poller::arm(int fd, bool readable, bool writable, watched_descriptor* w) noexcept {
  const use here(this, &epoll_);
  return control(epoll_, fd, EPOLLONESHOT | (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U), w);
}

int poller::keep(int fd, watched_descriptor* w) noexcept {
  const use here(this, &epoll_);
  return control(epoll_, fd, EPOLLET | EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLOUT, w);
}

void poller::disarm(int fd) noexcept {
  const use here(this, &epoll_);
  if (is_ours()) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

bool poller::is_ours() const noexcept { return ::getpid() == pid_; }

}  // namespace tenon
