#include <tenon/shared_mutex.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/relock_check.hpp"
#include "core/waiter.hpp"
#include "platform/call_site.hpp"
#include "sched/explorer.hpp"

// The state, bit by bit.
//
//   bit        means                           set by                                  cleared by
//   writer     a writer holds it               lock (when it is free), admit           unlock
//   queued     a list has waiters              the one that is about to wait           admit, when both lists have run empty
//   undecided  not locked within a run yet     the constructor                         the first lock within a run
//   checked    it keeps a lock_holder          the first lock within a run that        never
//              (relock_check.cpp)              checks its locks
//   the rest counts the readers
//
// The fast paths are for a mutex with neither `undecided` nor `checked`: with one of them each operation goes out of line. So checks that are
// off cost a mutex nothing but its first lock.
//
// Invariants
//  1. While `queued` is set the state changes under list_lock_ only. So no goroutine gets past those that wait, and an unlock is over when it
//     releases list_lock_: the next holder may destroy the mutex, if its destructor waits for that release.
//  2. Waiters are admitted, not woken to try: a waiter that fires holds the lock already.
//  3. By turns: after a writer all readers that wait go first, after readers the writer that has waited longest.
//  4. `undecided` is cleared by a goroutine that acquires the mutex, in the same step. Readers that hold it since before have no record then,
//     and make those of the others stale when they unlock.

namespace tenon {

using detail::waiter;

namespace {
constexpr std::uint32_t undecided_kind = 4;
constexpr std::uint32_t checked_kind = 8;
constexpr std::uint32_t kinds = undecided_kind | checked_kind;

/// The state without `undecided`, and with `checked` if that is decided, for who is about to acquire the mutex.
std::uint32_t decided(std::uint32_t state) noexcept { return detail::decided<undecided_kind, checked_kind>(state); }
}  // namespace

/// Lets in who may be, after the state has been changed under list_lock_. Returns them as a chain to unpark after its release.
waiter* shared_mutex::admit(bool readers_first) noexcept {
  static_assert(undecided_kind == undecided_bit && checked_kind == checked_bit);
  const std::uint32_t before = state_.load(std::memory_order_relaxed);
  const std::uint32_t kind = before & kinds;
  std::uint32_t s = before & ~(queued_bit | kinds);
  waiter* chain = nullptr;
  waiter** last = &chain;
  const auto let_in = [&](waiter* w) {
    *last = w;
    last = &w->next;
  };
  if (s == 0 && !(readers_first && !detail::empty(readers_))) {
    if (waiter* w = detail::take(writers_)) {
      let_in(w);
      s = writer_bit;
    }
  }
  if ((s & writer_bit) == 0 && (detail::empty(writers_) || readers_first)) {
    while (waiter* w = detail::take(readers_)) {
      let_in(w);
      s += reader;
    }
    // All that were there had given up: then it is a writer's turn after all.
    if (s == 0) {
      if (waiter* w = detail::take(writers_)) {
        let_in(w);
        s = writer_bit;
      }
    }
  }
  *last = nullptr;
  if (!detail::empty(readers_) || !detail::empty(writers_)) s |= queued_bit;
  state_.store(s | kind, std::memory_order_release);
  return chain;
}

bool shared_mutex::lock_or_done(detail::chan_core* done) {
  detail::point(detail::operation::lock, this);
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  return try_to_lock() || lock_from(frame_of_caller(), done);
}

bool shared_mutex::lock_slow(detail::chan_core* done) {
  detail::point(detail::operation::lock, this);
  return lock_from(frame_of_caller(), done);
}

bool shared_mutex::try_lock_slow() noexcept {
  detail::point(detail::operation::try_lock, this);
  if (!acquire_if(~kinds, writer_bit)) return false;
  if (checked()) holder_.acquired(frame_of_caller());
  return true;
}

bool shared_mutex::lock_from(caller_frame caller, detail::chan_core* done) {
  if (!acquire_if(~kinds, writer_bit)) {
    if (done == nullptr && checked()) holder_.will_wait("lock", "shared_mutex");
    if (!acquire_or_queue(~kinds, writer_bit) &&
        !wait_or_leave(writers_, done, detail::wait_reason::shared_mutex_lock)) {
      return false;
    }
  }
  if (checked()) holder_.acquired(caller);
  return true;
}

/// Adds `mine` to a state of which none of `closed`'s bits is set; else returns false.
bool shared_mutex::acquire_if(std::uint32_t closed, std::uint32_t mine) noexcept {
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  while ((s & closed) == 0) {
    if (state_.compare_exchange_weak(s, decided(s) + mine, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
  }
  return false;
}

/// As acquire_if; but if it returns false, `queued` is set and list_lock_ held.
bool shared_mutex::acquire_or_queue(std::uint32_t closed, std::uint32_t mine) noexcept {
  spin_acquire(list_lock_);
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool open = (s & closed) == 0;
    if (!open && (s & queued_bit) != 0) return false;
    if (!state_.compare_exchange_weak(s, open ? decided(s) + mine : s | queued_bit, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    if (!open) return false;
    spin_release(list_lock_);
    return true;
  }
}

bool shared_mutex::wait_or_leave(detail::wait_list& list, detail::chan_core* done, detail::wait_reason reason) {
  waiter w;
  if (detail::wait_in_list(list, list_lock_, w, done, reason, detail::list_place::back, &holder_)) return true;
  // Those behind us may not have to wait any more, and an unlock that met only us has left it to us to open the door.
  spin_acquire(list_lock_);
  waiter* admitted = (state_.load(std::memory_order_relaxed) & queued_bit) != 0 ? admit(false) : nullptr;
  spin_release(list_lock_);
  detail::unpark_all(admitted);
  return false;
}

bool shared_mutex::lock_shared_or_done(detail::chan_core* done) {
  detail::point(detail::operation::lock_shared, this);
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  return try_to_lock_shared() || lock_shared_from(frame_of_caller(), done);
}

bool shared_mutex::lock_shared_slow(detail::chan_core* done) {
  detail::point(detail::operation::lock_shared, this);
  return lock_shared_from(frame_of_caller(), done);
}

bool shared_mutex::try_lock_shared_slow() noexcept {
  detail::point(detail::operation::try_lock_shared, this);
  if (!acquire_if(writer_bit | queued_bit, reader)) return false;
  if (checked()) holder_.acquired_shared(frame_of_caller());
  return true;
}

bool shared_mutex::lock_shared_from(caller_frame caller, detail::chan_core* done) {
  constexpr std::uint32_t closed = writer_bit | queued_bit;
  if (!acquire_if(closed, reader)) {
    if (done == nullptr && checked()) holder_.will_wait("lock_shared", "shared_mutex");
    if (!acquire_or_queue(closed, reader) &&
        !wait_or_leave(readers_, done, detail::wait_reason::shared_mutex_lock_shared)) {
      return false;
    }
  }
  if (checked()) holder_.acquired_shared(caller);
  return true;
}

void shared_mutex::unlock_slow() {
  detail::point(detail::operation::unlock, this);
  spin_acquire(list_lock_);
  const std::uint32_t s = state_.load(std::memory_order_relaxed);
  if ((s & writer_bit) == 0) {
    spin_release(list_lock_);
    fatal("sync: Unlock of unlocked RWMutex");
  }
  if ((s & checked_kind) != 0) holder_.released();
  // No other goroutine changes a state that has `writer`, but for `queued`, which is set under our lock.
  state_.store(s & ~writer_bit, std::memory_order_release);
  waiter* admitted = (s & queued_bit) != 0 ? admit(true) : nullptr;
  spin_release(list_lock_);
  detail::unpark_all(admitted);
}

void shared_mutex::unlock_shared_slow() {
  detail::point(detail::operation::unlock_shared, this);
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  if ((s & checked_kind) != 0 && s >= reader) holder_.released_shared();
  // As in the fast path, which is not for this mutex.
  while ((s & queued_bit) == 0 && s >= reader) {
    if (state_.compare_exchange_weak(s, s - reader, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  spin_acquire(list_lock_);
  s = state_.load(std::memory_order_relaxed);
  do {
    if (s < reader) {
      spin_release(list_lock_);
      fatal("sync: RUnlock of unlocked RWMutex");
    }
  } while (!state_.compare_exchange_weak(s, s - reader, std::memory_order_release, std::memory_order_relaxed));
  waiter* admitted = nullptr;
  if ((s & queued_bit) != 0 && s - reader < reader) admitted = admit(false);
  spin_release(list_lock_);
  detail::unpark_all(admitted);
}

}  // namespace tenon
