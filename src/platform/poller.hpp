#pragma once

// Where the last idle worker sleeps: epoll, with an eventfd to wake it. Descriptors are watched one-shot and level-triggered: each `arm`
// delivers its token once, at once if the descriptor is ready already. Or edge-triggered, from `keep` on: each time that something has come.
//
// The wake-up is level-triggered, too, and only the sleeper takes it: a thread that just looks (`poll`) leaves it there.
//
// Thread safety: `wake`, `arm`, `disarm`, `tell` and `poll` from any thread; `wait` by one thread at a time (the caller's business).

#include <cstddef>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

namespace tenon {

/// What is named to the kernel: it must be there for as long as an event may come, also one that is late.
struct watched_descriptor {
  /// Runs on the thread that took the event. An error or a hang-up counts as both. `special`: what is there may not be all that a read returns at once: the end of the
  /// stream, an error, urgent data.
  void (*ready)(watched_descriptor* self, bool readable, bool writable, bool special) noexcept = nullptr;
};

class poller {
 public:
  /// Throws std::system_error.
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// What became ready while one slept, and has not been told yet.
  class events {
    friend class poller;
    static constexpr int most = 64;
    alignas(8) std::byte room_[16 * most];  // epoll_event
    int n_ = 0;
  };
  /// Sleeps up to `timeout_ns` (negative: for ever).
  void wait(std::int64_t timeout_ns, events& come) noexcept;
  /// Tells those that became ready.
  static void tell(const events& come) noexcept;

  /// Tells those that are ready now. Whether there was any.
  bool poll() noexcept;

  /// Ends a `wait`, or the next one. Async-signal-safe.
  void wake() noexcept;

  /// Tells `w` once when `fd` is readable (or writable), in place of what was armed for it before. 0, or errno: EBADF if the descriptor is not open,
  /// EPERM if it is of a kind that is always ready.
  int arm(int fd, bool readable, bool writable, watched_descriptor* w) noexcept;
  /// Tells `w`, until `disarm`, whenever more has come to read, or there is room to write again; and now, if there is. As `arm` otherwise.
  int keep(int fd, watched_descriptor* w) noexcept;
  void disarm(int fd) noexcept;

  /// False in a child process: what it would watch, it would watch for its parent.
  [[nodiscard]] bool is_ours() const noexcept;

  /// Of no other poller of this process and its ancestors; not 0. (Its address may have been another's.)
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }

 private:
  const int pid_;
  const std::uint32_t id_;
  int epoll_ = -1;
  int event_ = -1;
#if defined(TENON_MODEL)
  // In place of event_: what is written before a wake is acquired after it, as by way of the kernel.
  detail::atomic<std::uint32_t> wakes_{0};
#endif
  int timer_ = -1;  // epoll_wait counts in milliseconds; sleeps are finer than that
};

}  // namespace tenon
