#pragma once

// Who holds a lock since when, kept by the lock and by its holder together, so that a goroutine that locks again what it holds is told so
// instead of waiting for itself. See src/core/lock_tenure.cpp.

#include <atomic>
#include <cstdint>

#include <tenon/detail/thread_safety.hpp>

namespace tenon::detail {

extern std::atomic<bool> locks_watched;
/// By a run, at its beginning and at its end. What has been locked before is then unknown, not wrong.
void watch_locks(bool on) noexcept;

/// A member of each lock. All calls but `watched` belong to locks that are watched; none blocks.
class lock_tenure {
 public:
  static bool watched() noexcept { return locks_watched.load(std::memory_order_relaxed); }

  /// Right after the caller has got the lock, and right before it lets go of it.
  void took() noexcept;
  void lets_go() noexcept;
  void took_shared() noexcept;
  void lets_go_shared() noexcept;

  /// The caller is about to wait, with no way to give up, for a lock that it has found held. Fatal if it is held by the caller itself.
  void may_wait(const char* call) const noexcept;

 private:
  std::atomic<std::uint32_t> number_{0};
};

}  // namespace tenon::detail
