#include <tenon/cond.hpp>

#include <memory>
#include <new>

#include <tenon/detail/atomic.hpp>

#include "core/chan.hpp"
#include "core/waiter.hpp"
#include "sched/explorer.hpp"

// Invariants
//  1. A caller is in the list before it releases its lock, so a signal that follows the change it waits for finds it there.
//  2. It falls asleep after that. A signal in between finds a waiter without a parker to wake, and marks it: `ok` in a waiter that is in no
//     list means signaled.
//  3. The list is in the order of the calls; signal takes the first. One that gives up is not signaled: its signal goes to the next.

namespace tenon {

namespace detail {

static_assert(sizeof(waiter) <= 64 && alignof(waiter) <= 8);

static waiter& waiter_in(unsigned char* memory) noexcept { return *std::launder(reinterpret_cast<waiter*>(memory)); }

cond_wait::cond_wait(detail::atomic<std::uint32_t>& list_lock, wait_list& waiters) noexcept
    : list_lock_(list_lock), waiters_(waiters) {
  point(operation::cond_wait, &waiters_);
  auto* w = ::new (static_cast<void*>(waiter_)) waiter;
  const spin_guard hold(list_lock_);
  push_back(waiters_, w);
}

bool cond_wait::sleep(chan_core* done) noexcept {
  waiter& w = waiter_in(waiter_);
  slept_ = true;
  spin_acquire(list_lock_);
  if (w.ok) {  // invariant 2
    spin_release(list_lock_);
    return true;
  }
  return wait_in_list(waiters_, list_lock_, w, done, wait_reason::cond_wait, list_place::already_in);
}

cond_wait::~cond_wait() {
  if (slept_) return;  // else `unlock` has thrown
  const spin_guard hold(list_lock_);
  if (waiter& w = waiter_in(waiter_); w.queued) unlink(waiters_, &w);
}

}  // namespace detail

using detail::waiter;

// Each is written once; in an explored run by a function of its own, so that no other saves registers for that.

static TENON_INLINE void wake_first(detail::wait_list& waiters, detail::atomic<std::uint32_t>& list_lock) noexcept {
  if (detail::empty(waiters)) return;
  detail::parker* asleep = nullptr;
  {
    const spin_guard hold(list_lock);
    if (waiter* w = detail::take(waiters)) {
      w->ok = true;
      asleep = w->who;
    }
  }
  if (asleep != nullptr) detail::unpark(asleep);
}

static TENON_NOINLINE void signal_explored(detail::wait_list& waiters,
                                           detail::atomic<std::uint32_t>& list_lock) noexcept {
  detail::at_point(detail::operation::signal, &waiters);
  wake_first(waiters, list_lock);
}

void cond::signal() noexcept {
  if (TENON_UNLIKELY(detail::exploring())) return signal_explored(waiters_, list_lock_);
  wake_first(waiters_, list_lock_);
}

void cond::broadcast() noexcept {
  detail::point(detail::operation::broadcast, &waiters_);
  if (detail::empty(waiters_)) return;
  waiter* chain = nullptr;
  waiter** last = &chain;
  {
    const spin_guard hold(list_lock_);
    while (waiter* w = detail::take(waiters_)) {
      w->ok = true;
      if (w->who == nullptr) continue;  // awake yet, and may be gone once we release the lock
      *last = w;
      last = &w->next;
    }
    *last = nullptr;
  }
  detail::unpark_all(chain);
}

}  // namespace tenon
