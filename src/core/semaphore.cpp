#include <tenon/semaphore.hpp>

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/waiter.hpp"
#include "sched/explorer.hpp"

// Invariants
//  1. Everything happens under list_lock_. A waiter that fires holds its units already.
//  2. The first waiter in the list wants more than is free: whenever units become free, or the first gives up, admit looks again.
//  3. A request for more than there is never enters the list: it would hold up all others.

namespace tenon {

using detail::waiter;

namespace {
std::int64_t wanted(const waiter* w) noexcept { return *static_cast<const std::int64_t*>(w->elem); }

void check(std::int64_t n) {
  if (n < 0) throw_panic("semaphore: negative weight");
}
}  // namespace

semaphore::semaphore(std::int64_t size) : size_(size) { check(size); }

/// Takes out of the list whom the free units suffice for, in order.
waiter* semaphore::admit() noexcept {
  waiter* chain = nullptr;
  waiter** last = &chain;
  while (waiter* first = waiters_.head.load(std::memory_order_relaxed)) {
    const std::int64_t n = wanted(first);
    if (n > size_ - held_) break;
    detail::unlink(waiters_, first);
    if (!detail::claim(first)) continue;
    held_ += n;
    *last = first;
    last = &first->next;
  }
  *last = nullptr;
  return chain;
}

TENON_INLINE bool semaphore::acquire_now(detail::chan_core* done, std::int64_t n) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  if (n > size_) {
    detail::atomic<std::uint32_t> lock{1};
    detail::wait_list nobody_looks_here;
    waiter w;
    return detail::wait_in_list(nobody_looks_here, lock, w, done, detail::wait_reason::semaphore_acquire);
  }
  spin_acquire(list_lock_);
  if (n <= size_ - held_ && detail::empty(waiters_)) {
    held_ += n;
    spin_release(list_lock_);
    return true;
  }
  waiter w;
  w.elem = &n;
  if (detail::wait_in_list(waiters_, list_lock_, w, done, detail::wait_reason::semaphore_acquire)) return true;
  spin_acquire(list_lock_);
  waiter* admitted = admit();  // if we were the first, those behind us may want less
  spin_release(list_lock_);
  detail::unpark_all(admitted);
  return false;
}

// In an explored run each has a function of its own, so that no other saves registers for the call.

TENON_NOINLINE bool semaphore::acquire_explored(detail::chan_core* done, std::int64_t n) {
  detail::at_point(detail::operation::acquire, this);
  return acquire_now(done, n);
}

bool semaphore::acquire_or_done(detail::chan_core* done, std::int64_t n) {
  check(n);
  if (TENON_UNLIKELY(detail::exploring())) return acquire_explored(done, n);
  return acquire_now(done, n);
}

bool semaphore::try_acquire(std::int64_t n) {
  check(n);
  detail::point(detail::operation::try_acquire, this);
  const spin_guard hold(list_lock_);
  if (n > size_ - held_ || !detail::empty(waiters_)) return false;
  held_ += n;
  return true;
}

TENON_INLINE void semaphore::release_now(std::int64_t n) {
  waiter* admitted = nullptr;
  {
    const spin_guard hold(list_lock_);
    if (n > held_) throw_panic("semaphore: released more than held");
    held_ -= n;
    if (!detail::empty(waiters_)) admitted = admit();
  }
  detail::unpark_all(admitted);
}

TENON_NOINLINE void semaphore::release_explored(std::int64_t n) {
  detail::at_point(detail::operation::release, this);
  release_now(n);
}

void semaphore::release(std::int64_t n) {
  check(n);
  if (TENON_UNLIKELY(detail::exploring())) return release_explored(n);
  release_now(n);
}

}  // namespace tenon
