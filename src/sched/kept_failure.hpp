#pragma once

// Who failed, and how that is said: in the reports of an unhandled exception and beside every fatal error.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

namespace tenon::detail {

struct goroutine_core;

/// A goroutine as it was when it failed: its descriptor is another's by the time it is reported.
struct failed_goroutine {
  std::uint64_t id = 0;  // 0: a plain thread
  const char* name = nullptr;
  std::source_location where;

  static failed_goroutine of(const goroutine_core* g) noexcept;
};

/// "goroutine 7 "walker", started at walk.cpp:12". The length, as snprintf gives it.
int describe(const failed_goroutine& who, char* out, std::size_t room) noexcept;
/// "std::runtime_error: no such file". Allocates.
std::string describe(const std::exception_ptr& failure);

/// To the unhandled hook.
void report_unhandled(std::exception_ptr failure, const failed_goroutine& who) noexcept;
void report_unhandled(std::exception_ptr failure, const char* who, std::source_location created) noexcept;
/// As those do beside an exception on its way: the hook, or one line.
void report_unhandled_beside(std::exception_ptr failure, const char* who, std::source_location created) noexcept;
/// The fatal report that follows says it in its own text.
void report_is_about(const std::exception_ptr& failure) noexcept;

}  // namespace tenon::detail
