#pragma once

// A number of permits, for goroutines that would each keep a thread; those that find none wait in turn.
//
// Invariants
//  1. `free_` is the number of free permits or, below zero, minus the number of goroutines that have asked and not been served.
//  2. A thread that releases a permit while `free_` is below zero serves exactly one waiter: the first in the list or, if that one is still on
//     its way there, by raising `owed_`.
//
// It stands below core, whose semaphore it cannot use.

#include <tenon/detail/atomic.hpp>

#include "platform/spin_lock.hpp"
#include "sched/parker.hpp"

namespace tenon::detail {

class permits {
 public:
  /// While none is held.
  void reset(int n) noexcept { free_.store(n, std::memory_order_relaxed); }

  /// Parks the calling goroutine until there is one.
  void acquire(wait_reason reason) noexcept {
    if (free_.fetch_sub(1, std::memory_order_acq_rel) <= 0) wait(reason);
  }
  void release() noexcept {
    if (free_.fetch_add(1, std::memory_order_acq_rel) < 0) serve();
  }

 private:
  struct waiting {
    waiting* next = nullptr;
    parker* who = nullptr;
  };
  void wait(wait_reason reason) noexcept;
  void serve() noexcept;

  // Who gives one back releases, who gets it acquires; so does who has to wait, or to serve, for the list's sake.
  detail::atomic<int> free_{0};
  spin_lock lock_;
  waiting* first_ = nullptr;  // guarded by lock_, as the next two
  waiting* last_ = nullptr;
  int owed_ = 0;
};

}  // namespace tenon::detail
