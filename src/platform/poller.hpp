#pragma once

// Where the last idle worker sleeps: epoll, with an eventfd to wake it. File descriptors are watched one-shot and
// edge-free: each `arm` delivers its token once.
//
// Thread safety: `wake` and `arm`/`disarm` from any thread; `wait` by one thread at a time (the caller's business).

#include <cstdint>

namespace tenon {

class poller {
 public:
  /// Throws std::system_error.
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Sleeps up to `timeout_ns` (negative: for ever), and calls ready(arg, token) for each descriptor that became ready.
  void wait(std::int64_t timeout_ns, void (*ready)(void* arg, void* token), void* arg) noexcept;

  /// Ends a `wait`, or the next one. Async-signal-safe.
  void wake() noexcept;

  /// Delivers `token` once when `fd` is readable. Returns false with errno set if the descriptor cannot be watched.
  bool arm_readable(int fd, void* token) noexcept;
  void disarm(int fd) noexcept;

 private:
  int epoll_ = -1;
  int event_ = -1;
  int timer_ = -1;  // epoll_wait counts in milliseconds; sleeps are finer than that
};

}  // namespace tenon
