#pragma once

// The lock of everything short: a channel, a wait list, a timer heap. Held for tens of nanoseconds and never across a
// park. Taking it is one atomic exchange, releasing it a plain store, because that is what a channel operation can afford.
//
// The holder can be preempted by the kernel; then spinning is a waste, and on one CPU it would never end. So a spinner
// gives its CPU away after a few dozen rounds.

#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/compiler.hpp"

namespace tenon {

namespace detail {
void spin_lock_wait(detail::atomic<std::uint32_t>& word) noexcept;
}

/// Operations on a bare word, for locks that are members of public types.
inline void spin_acquire(detail::atomic<std::uint32_t>& word) noexcept {
  // Pairs with the release in spin_release.
  if (TENON_UNLIKELY(word.exchange(1, std::memory_order_acquire) != 0)) detail::spin_lock_wait(word);
}
inline void spin_release(detail::atomic<std::uint32_t>& word) noexcept { word.store(0, std::memory_order_release); }

class spin_lock {
 public:
  void lock() noexcept { spin_acquire(word_); }
  void unlock() noexcept { spin_release(word_); }
  bool try_lock() noexcept {
    return word_.load(std::memory_order_relaxed) == 0 && word_.exchange(1, std::memory_order_acquire) == 0;
  }

  /// For code that handles locks of both kinds.
  detail::atomic<std::uint32_t>& word() noexcept { return word_; }

 private:
  detail::atomic<std::uint32_t> word_{0};  // see spin_acquire, spin_release
};

/// A spin lock that tells readers that only peek whether it has been held meanwhile: a sequence lock for its readers.
///
/// What is peeked at is atomic, *written with release* while the lock is held and read with acquire between two looks at `turns` (but for values
/// that keep the reader from concluding anything). These three edges make two equal answers mean that the reader saw the state after that turn and
/// nothing else:
///  - a turn's count is stored with release after its data: who sees the count sees no older data;
///  - the data is stored with release after the lock was taken: who sees data of a later turn sees, when it looks again, the lock held or
///    (unlock is a release, too) the later count. The exchange that takes the lock does not do it: as an acquire it keeps nothing that
///    follows from being seen before its own store (on ARM it is). Boehm, "Can seqlocks get along with programming language memory
///    models?" (2012) has a fence there, or this; ThreadSanitizer does not know fences, and a release store is cheaper where it is one;
///  - the reader's second look comes after its data, which it reads with acquire.
class counting_lock {
 public:
  void lock() noexcept { spin_acquire(word_); }
  /// The same in two steps, for who has the second done elsewhere: try_lock, and if that fails lock_waiting.
  [[nodiscard]] bool try_lock() noexcept { return TENON_LIKELY(word_.exchange(1, std::memory_order_acquire) == 0); }
  void lock_waiting() noexcept { detail::spin_lock_wait(word_); }
  void unlock() noexcept {
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    spin_release(word_);
  }

  /// How often it has been held; `held` while it is.
  static constexpr std::uint64_t held = ~std::uint64_t{0};
  [[nodiscard]] std::uint64_t turns() const noexcept {
    if (word_.load(std::memory_order_acquire) != 0) return held;
    return turns_.load(std::memory_order_acquire);
  }

 private:
  detail::atomic<std::uint32_t> word_{0};   // see spin_acquire, spin_release, and above
  detail::atomic<std::uint32_t> turns_{0};  // released and acquired as said above
};

/// Scope guard for a bare word.
class spin_guard {
 public:
  explicit spin_guard(detail::atomic<std::uint32_t>& word) noexcept : word_(word) { spin_acquire(word_); }
  ~spin_guard() { spin_release(word_); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  detail::atomic<std::uint32_t>& word_;
};

}  // namespace tenon
