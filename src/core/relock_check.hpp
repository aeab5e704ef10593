#pragma once

// Which locks are checked, and what a goroutine knows of those that it holds. See relock_check.cpp.

#include <cstdint>

#include "platform/compiler.hpp"

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/relock_check.hpp>

#include "platform/call_site.hpp"

namespace tenon::detail {

enum class lock_checking : std::uint8_t {
  undecided,  // no run is active
  off,
  report,
  fatal,
};

TENON_HIDDEN extern detail::atomic<lock_checking> lock_checks;

/// By a run, at its beginning and at its end: tenon's own locks.
void check_locks(lock_checking how) noexcept;
/// The same, for those of pthread that the program calls itself: held_over_wait.cpp.
void check_pthread_locks(lock_checking how) noexcept;

constexpr bool reports(lock_checking how) noexcept {
  return how == lock_checking::report || how == lock_checking::fatal;
}

/// The bits by which a lock's own state says whether it is checked: at first `undecided`, from its first lock within a run on `checked` or none.
template <std::uint32_t Undecided, std::uint32_t Checked>
std::uint32_t decided(std::uint32_t state) noexcept {
  if ((state & Undecided) == 0) return state;
  switch (lock_checks.load(std::memory_order_relaxed)) {
    case lock_checking::undecided: return state;
    case lock_checking::off: return state & ~Undecided;
    default: return (state & ~Undecided) | Checked;
  }
}

}  // namespace tenon::detail
