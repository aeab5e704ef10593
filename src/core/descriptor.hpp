#pragma once

// Waiting for descriptors: who waits for which, beside the kernel's list of those that are watched. See descriptor.cpp.

#include <cstdint>

#include "platform/wakeup_event.hpp"

namespace tenon::detail {

struct chan_core;
struct descriptor_entry;

enum class direction : std::uint8_t { read, write };

struct wait_result {
  enum outcome : std::uint8_t { ready, canceled, failed } how;
  int number = 0;  // errno, if it failed
};

/// What a wait is for. `readiness`: that a call would not block. `more`: that something has come since the caller has met EAGAIN, or has been given less than it asked for; of one caller for each direction at a time.
enum class wait_goal : std::uint8_t { readiness, more };

/// `done` may be null. May throw std::bad_alloc.
wait_result wait_descriptor(int fd, direction d, wait_goal what, chan_core* done);
/// Ends the watch of `fd`: a standing one, or what is left of a wait that was given up.
void end_watch(int fd) noexcept;

struct descriptor_wait {
  int fd;
  direction way;
};
/// Of the object of a goroutine's wait, while it lasts.
descriptor_wait descriptor_waited_for(const void* object) noexcept;

/// Ends all waits for `fd` as its close does, and so each that comes until that.
void refuse_waits(int fd) noexcept;

/// While it lives, `fd` is being closed: those who wait for it have been told, and who comes now waits for the end of this scope.
class closing_descriptor {
 public:
  explicit closing_descriptor(int fd) noexcept;
  ~closing_descriptor();
  closing_descriptor(const closing_descriptor&) = delete;
  closing_descriptor& operator=(const closing_descriptor&) = delete;

 private:
  descriptor_entry* entry_ = nullptr;
};

}  // namespace tenon::detail
