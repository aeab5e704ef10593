#include <tenon/shared_mutex.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/waiter.hpp"

// The state, bit by bit.
//
//   bit      means                    set by                                  cleared by
//   writer   somebody writes          lock (when all is clear), admit         unlock
//   queued   a list has waiters       whoever is about to wait                admit, when both lists have run empty
//   the rest counts the readers
//
// Invariants
//  1. While `queued` is set the state changes under list_lock_ only. So nobody gets past those who wait, and an unlock is over when it
//     releases list_lock_: the next holder may destroy the mutex, if its destructor waits for that release.
//  2. Waiters are admitted, not woken to try: whoever fires holds the lock already.
//  3. By turns: after a writer all readers that wait go first, after readers the writer that has waited longest.

namespace tenon {

using detail::waiter;

/// Lets in whoever may be, after the state has been changed under list_lock_. Returns them as a chain to unpark after its release.
waiter* shared_mutex::admit(bool readers_first) noexcept {
  std::uint32_t s = state_.load(std::memory_order_relaxed) & ~queued_bit;
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
  state_.store(s, std::memory_order_release);
  return chain;
}

bool shared_mutex::lock_or_done(detail::chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  return try_to_lock() || lock_slow(done);
}

bool shared_mutex::lock_watched(detail::chan_core* done) {
  if (done == nullptr && state_.load(std::memory_order_acquire) != 0) tenure_.may_wait("lock");
  if (!lock_or_done(done)) return false;
  tenure_.took();
  return true;
}

bool shared_mutex::lock_shared_watched(detail::chan_core* done) {
  if (done == nullptr && (state_.load(std::memory_order_acquire) & (writer_bit | queued_bit)) != 0)
    tenure_.may_wait("lock_shared");
  if (!lock_shared_or_done(done)) return false;
  tenure_.took_shared();
  return true;
}

bool shared_mutex::lock_slow(detail::chan_core* done) {
  return acquire_or_queue(~0U, writer_bit) || wait_or_leave(writers_, done, detail::wait_reason::shared_mutex_lock);
}

/// Adds `mine` to a state of which none of `closed`'s bits may be set; else returns false, with `queued` set and list_lock_ held.
bool shared_mutex::acquire_or_queue(std::uint32_t closed, std::uint32_t mine) noexcept {
  spin_acquire(list_lock_);
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool open = (s & closed) == 0;
    if (!open && (s & queued_bit) != 0) return false;
    if (!state_.compare_exchange_weak(s, open ? s + mine : s | queued_bit, std::memory_order_acquire,
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
  if (detail::wait_in_list(list, list_lock_, w, done, reason)) return true;
  // Those behind us may not have to wait any more, and an unlock that met only us has left it to us to open the door.
  spin_acquire(list_lock_);
  waiter* admitted = (state_.load(std::memory_order_relaxed) & queued_bit) != 0 ? admit(false) : nullptr;
  spin_release(list_lock_);
  detail::unpark_all(admitted);
  return false;
}

bool shared_mutex::lock_shared_or_done(detail::chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  return try_to_lock_shared() || lock_shared_slow(done);
}

bool shared_mutex::lock_shared_slow(detail::chan_core* done) {
  return acquire_or_queue(writer_bit | queued_bit, reader) ||
         wait_or_leave(readers_, done, detail::wait_reason::shared_mutex_lock_shared);
}

void shared_mutex::unlock_slow() {
  spin_acquire(list_lock_);
  const std::uint32_t s = state_.load(std::memory_order_relaxed);
  if ((s & writer_bit) == 0) {
    spin_release(list_lock_);
    fatal("sync: Unlock of unlocked RWMutex");
  }
  // Nobody else changes a state that has `writer`, but for `queued`, which is set under our lock.
  state_.store(s & ~writer_bit, std::memory_order_release);
  waiter* admitted = (s & queued_bit) != 0 ? admit(true) : nullptr;
  spin_release(list_lock_);
  detail::unpark_all(admitted);
}

void shared_mutex::unlock_shared_slow() {
  spin_acquire(list_lock_);
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  do {
    if (s < reader) {
      spin_release(list_lock_);
      fatal("sync: RUnlock of unlocked RWMutex");
    }
  } while (!state_.compare_exchange_weak(s, s - reader, std::memory_order_acq_rel, std::memory_order_relaxed));
  waiter* admitted = nullptr;
  if ((s & queued_bit) != 0 && s - reader < reader) admitted = admit(false);
  spin_release(list_lock_);
  detail::unpark_all(admitted);
}

}  // namespace tenon
