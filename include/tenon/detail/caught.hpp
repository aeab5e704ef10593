#pragma once

// What `catch (...)` has caught.

#include <exception>

#include <tenon/panic.hpp>

namespace tenon::detail {

/// Never null, which `std::current_exception()` is of an exception of another language or runtime.
inline std::exception_ptr caught() noexcept {
  if (std::exception_ptr e = std::current_exception()) return e;
  return std::make_exception_ptr(panic("an exception of another language"));
}

}  // namespace tenon::detail
