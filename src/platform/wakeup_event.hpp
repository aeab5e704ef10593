#pragma once

// What a plain thread needs of the system's descriptors: to wait for one until another thread signals, to ask about one, and to close one.

namespace tenon {

/// Signaled once. `signal` from any thread; `make` and the waits by the thread that owns it.
class wakeup_event {
 public:
  wakeup_event() noexcept = default;
  ~wakeup_event();
  wakeup_event(const wakeup_event&) = delete;
  wakeup_event& operator=(const wakeup_event&) = delete;

  /// 0, or errno.
  int make() noexcept;
  /// Afterwards nothing of the event is touched.
  void signal() noexcept;
  /// Until it is signaled or `fd` is readable (or writable). 0, or errno: EBADF if the descriptor is not open.
  int wait_with(int fd, bool writable) noexcept;
  void wait() noexcept;

 private:
  int event_ = -1;
};

namespace descriptor {
/// 0, or errno. An interrupted close has closed.
int close(int fd) noexcept;
/// Whether its close may wait for what is still to be sent (SO_LINGER).
bool lingers(int fd) noexcept;
/// Another number for the same file. Negative: there is none.
int copy(int fd) noexcept;
/// Whether a read (or a write) would not block now: also because it would fail.
bool is_ready(int fd, bool writable) noexcept;
}  // namespace descriptor

}  // namespace tenon
