#pragma once

// The lock of everything short: a channel, a wait list, a timer heap. Held for tens of nanoseconds and never across a
// park. Taking it is one atomic exchange, releasing it a plain store, because that is what a channel operation can afford.
//
// The holder can be preempted by the kernel; then spinning is a waste, and on one CPU it would never end. So a spinner
// gives its CPU away after a few dozen rounds.

#include <atomic>
#include <cstdint>

#include "platform/compiler.hpp"

namespace tenon {

namespace detail {
void spin_lock_wait(std::atomic<std::uint32_t>& word) noexcept;
}

/// Operations on a bare word, for locks that are members of public types.
inline void spin_acquire(std::atomic<std::uint32_t>& word) noexcept {
  // Pairs with the release in spin_release.
  if (TENON_UNLIKELY(word.exchange(1, std::memory_order_acquire) != 0)) detail::spin_lock_wait(word);
}
inline void spin_release(std::atomic<std::uint32_t>& word) noexcept { word.store(0, std::memory_order_release); }

class spin_lock {
 public:
  void lock() noexcept { spin_acquire(word_); }
  void unlock() noexcept { spin_release(word_); }
  bool try_lock() noexcept {
    return word_.load(std::memory_order_relaxed) == 0 && word_.exchange(1, std::memory_order_acquire) == 0;
  }

  /// For code that handles locks of both kinds.
  std::atomic<std::uint32_t>& word() noexcept { return word_; }

 private:
  std::atomic<std::uint32_t> word_{0};
};

/// A spin lock that tells those who only peek whether anybody has held it meanwhile.
class counting_lock {
 public:
  void lock() noexcept { spin_acquire(word_); }
  void unlock() noexcept {
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    spin_release(word_);
  }

  /// How often it has been held; `held` while it is. Two equal ones say that nobody has changed in between what it protects. Acquire: what
  /// is read after the first of them is no older; what is read before the second must be read with acquire, too.
  static constexpr std::uint64_t held = ~std::uint64_t{0};
  [[nodiscard]] std::uint64_t turns() const noexcept {
    if (word_.load(std::memory_order_acquire) != 0) return held;
    return turns_.load(std::memory_order_acquire);
  }

 private:
  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> turns_{0};
};

/// Scope guard for a bare word.
class spin_guard {
 public:
  explicit spin_guard(std::atomic<std::uint32_t>& word) noexcept : word_(word) { spin_acquire(word_); }
  ~spin_guard() { spin_release(word_); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  std::atomic<std::uint32_t>& word_;
};

}  // namespace tenon
