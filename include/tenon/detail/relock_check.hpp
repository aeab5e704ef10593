#pragma once

// A member of each lock that can be checked: which of its goroutine's records is about the present holder. See src/core/relock_check.cpp.

#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/requirements.hpp>

namespace tenon {
struct caller_frame;
}

namespace tenon::detail {

/// Called for checked locks only. None blocks but `will_wait`, and that only while it prints a report.
class lock_holder {
 public:
  /// The caller has got the lock, by a call that `from` describes.
  void acquired(caller_frame from) noexcept;
  void acquired_shared(caller_frame from) noexcept;
  /// The caller is about to release the lock: before anyone can see it free.
  void released() noexcept;
  void released_shared() noexcept;

  /// The caller has found the lock held and is about to wait for it, with no way to give up. Reports that the caller itself is the holder, if
  /// it is; fatal if the run's options say so. `call` and `lock` are words for the report.
  void will_wait(const char* call, const char* lock) const noexcept;

  /// A record of another generation is about an earlier holder. 0: not checked.
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }

 private:
  detail::atomic<std::uint32_t> generation_{0};
};

}  // namespace tenon::detail
