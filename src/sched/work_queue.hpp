#pragma once

// A worker's bounded queue of runnable goroutines: pushed at the back, popped at either end by the owner, taken from the front by
// thieves. It is guarded by the worker's queue_lock; its size may be peeked at without, and is then a hint.

#include <algorithm>
#include <cstdint>
#include <utility>

#include <tenon/detail/atomic.hpp>

namespace tenon::detail {

struct goroutine_core;

class work_queue {
 public:
  static constexpr std::uint32_t capacity = 256;

  [[nodiscard]] std::uint32_t size() const noexcept {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
  }

  /// Changes whenever something comes, or goes at the front: two equal ones say that what is there has been there. A hint, too.
  [[nodiscard]] std::uint32_t mark() const noexcept {
    return front_index() * 0x9E3779B1U + pushes_.load(std::memory_order_relaxed);
  }

  /// Changes when something is taken from the front. For the monitor.
  [[nodiscard]] std::uint32_t front_index() const noexcept { return head_.load(std::memory_order_relaxed); }

  /// False if full.
  bool push_back(goroutine_core* g) noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_relaxed) == capacity) return false;
    entries_[tail % capacity] = g;
    tail_.store(tail + 1, std::memory_order_relaxed);
    pushes_.store(pushes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return true;
  }

  goroutine_core* pop_back() noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_relaxed)) return nullptr;
    tail_.store(tail - 1, std::memory_order_relaxed);
    return entries_[(tail - 1) % capacity];
  }

  goroutine_core* pop_front() noexcept {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
    head_.store(head + 1, std::memory_order_relaxed);
    return entries_[head % capacity];
  }

  /// All of them, from the front. There is room for `capacity`. Returns how many.
  std::uint32_t copy_to(goroutine_core** out) const noexcept {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    const std::uint32_t n = size();
    for (std::uint32_t i = 0; i < n; ++i) out[i] = entries_[(head + i) % capacity];
    return n;
  }

  /// The i-th from the front.
  goroutine_core* take_at(std::uint32_t i) noexcept {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    std::swap(entries_[head % capacity], entries_[(head + i) % capacity]);
    return pop_front();
  }

  /// So many from the back; there are as many. The oldest of them comes first.
  void take_back(goroutine_core** out, std::uint32_t n) noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed) - n;
    for (std::uint32_t i = 0; i < n; ++i) out[i] = entries_[(tail + i) % capacity];
    tail_.store(tail, std::memory_order_relaxed);
  }

  /// Up to `most` from the front, at most half (rounded up) unless `all`. Returns how many.
  std::uint32_t take_front(goroutine_core** out, std::uint32_t most, bool all) noexcept {
    const std::uint32_t n = size();
    const std::uint32_t take = std::min(all ? n : n - n / 2, most);
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < take; ++i) out[i] = entries_[(head + i) % capacity];
    head_.store(head + take, std::memory_order_relaxed);
    return take;
  }

 private:
  detail::atomic<std::uint32_t> head_{0};  // both count on for ever, modulo 2^32
  detail::atomic<std::uint32_t> tail_{0};
  detail::atomic<std::uint32_t> pushes_{0};
  goroutine_core* entries_[capacity] = {};
};

}  // namespace tenon::detail
