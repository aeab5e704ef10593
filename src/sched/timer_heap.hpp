#pragma once

// Timers of one worker (or of the monitor thread, for those started outside of any run): a 4-ary heap under a spin lock.
//
// Invariants
//  1. A node with heap == h is in h at `index`, and both change under h's lock only (moving to another heap: under both).
//  2. The thread that takes a node out of a heap, `stop` or `run_due`, is the only one to do so: `stop` returns true or `fire` is called,
//     never both. `fire` runs without the lock, must not block, and after it was called the heap does not touch the node.
//  3. `next()` is the earliest `when`, or clock::never; it may be read without the lock. A thread that reads `never` sees what was
//     done before the last node was taken out.

#include <cstdint>
#include <vector>

#include <tenon/detail/atomic.hpp>

#include "platform/clock.hpp"
#include "platform/spin_lock.hpp"

namespace tenon::detail {

class timer_heap;

struct timer_node {
  void (*fire)(timer_node* t, clock::nanos now) noexcept = nullptr;
  // Changed under the heap's lock, with release; acquired by who stops it, or starts it anew.
  detail::atomic<timer_heap*> heap{nullptr};
  std::uint32_t index = 0;
};

class timer_heap {
 public:
  void start(timer_node* t, clock::nanos when);
  /// Fires what is due. Returns how many fired.
  unsigned run_due(clock::nanos now) noexcept;
  [[nodiscard]] clock::nanos next() const noexcept { return next_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  void move_all_to(timer_heap& other) noexcept;
  /// Around a fork: the child has no thread that would release its lock.
  void lock_for_fork() noexcept { lock_.lock(); }
  void unlock_after_fork() noexcept { lock_.unlock(); }
  /// In the child, before it starts a thread: its timers never fire. Some lie on the stacks of threads that are gone, which others may get.
  void abandon_after_fork() noexcept;

  /// True if it was pending; then it will not fire.
  static bool stop(timer_node* t) noexcept;

 private:
  struct entry {
    clock::nanos when;
    timer_node* node;
  };
  void place(std::size_t i, entry e) noexcept;
  void sift_up(std::size_t i, entry e) noexcept;
  void sift_down(std::size_t i, entry e) noexcept;
  void remove(std::size_t i) noexcept;
  void update() noexcept;

  spin_lock lock_;
  std::vector<entry> entries_;  // guarded by lock_
  // Released with what the timers have done, acquired by next (invariant 3).
  detail::atomic<clock::nanos> next_{clock::never};
  detail::atomic<std::size_t> size_{0};
};

/// Starts a timer on the current worker's heap, or the monitor's; makes sure that a worker wakes up in time for it.
void start_timer(timer_node* t, clock::nanos when);
inline bool stop_timer(timer_node* t) noexcept {
  return t->heap.load(std::memory_order_acquire) != nullptr && timer_heap::stop(t);
}

}  // namespace tenon::detail
