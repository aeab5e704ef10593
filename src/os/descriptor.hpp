#pragma once

// A descriptor that closes itself until it is given away.

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <tenon/error.hpp>
#include <tenon/fd.hpp>
#include <tenon/last_error.hpp>

namespace tenon::os::detail {

class descriptor {
 public:
  descriptor() noexcept = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) (void)close_fd(fd_);
  }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int give() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// What the system said of the last call.
inline error system_error(std::string what) {
  return {std::error_code(last_error(), std::generic_category()), std::move(what)};
}

}  // namespace tenon::os::detail
