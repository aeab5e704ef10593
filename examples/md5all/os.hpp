#pragma once

/// The few system calls that every part needs: an owned file descriptor, and `open` for a path of any length.

#include <string>
#include <system_error>
#include <utility>

namespace md5all {

/// Owns a file descriptor.
class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// `open(path, flags)`, also for paths longer than PATH_MAX, which a deep tree has and the kernel refuses. Blocks as
/// `open` does; on failure the descriptor is empty and `last_error` says why.
[[nodiscard]] unique_fd open_path(const std::string& path, int flags) noexcept;

/// errno as a code. `errno` belongs to the thread, and a goroutine may be on another one after any tenon call: read it
/// where the system call was made, inside the same `blocking`.
[[nodiscard]] std::error_code last_error() noexcept;
/// For calls that say only by errno whether they failed.
void clear_error() noexcept;

}  // namespace md5all
