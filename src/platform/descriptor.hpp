#pragma once

// What a plain thread needs of the system's descriptors: to wait for one until another thread rings, and to close one.

namespace tenon {

/// Rung once. `ring` from any thread; `make` and the waits by the thread that owns it.
class bell {
 public:
  bell() noexcept = default;
  ~bell();
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;

  /// 0, or errno.
  int make() noexcept;
  /// After it nothing of the bell is touched.
  void ring() noexcept;
  /// Until it has rung or `fd` is readable (or writable). 0, or errno: EBADF if the descriptor is not open.
  int wait_with(int fd, bool writable) noexcept;
  void wait() noexcept;

 private:
  int event_ = -1;
};

namespace descriptor {
/// 0, or errno. An interrupted close has closed.
int close(int fd) noexcept;
}  // namespace descriptor

}  // namespace tenon
