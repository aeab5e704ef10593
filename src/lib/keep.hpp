#pragma once

#include <exception>

#include <tenon/detail/kept_failure.hpp>
#include <tenon/error.hpp>

namespace tenon::detail {

/// Lists `e`, an error that is kept, as what the calling goroutine has failed with.
inline void keep(kept_failure& where, const error& e) noexcept {
  if (const std::exception_ptr failure = e.exception()) return where.set(failure);
  try {
    where.set(e.message());
  } catch (...) {  // NOLINT: no memory for its text; it is kept all the same
  }
}

}  // namespace tenon::detail
