#pragma once

// One blocked operation: an intrusive node in some primitive's list, embedded in the frame of the caller that waits.
//
// Invariants
//  1. A waiter is in at most one list, and `queued` says so; both change under the list's lock only.
//  2. A waiter without a group fires when it is taken out of its list. The waiters of one group (a select; an operation and its
//     context) compete: the first to set group->winner fires, the others are dropped by the thread that meets them and unlinked by their
//     owner. Claiming happens under the lock of the list that the waiter is in, so an owner that has unlinked
//     a waiter under that lock knows that no other thread looks at it any more.
//  3. After unpark(w->who) the waiter is gone.

#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/chan_core.hpp>
#include <tenon/mutex.hpp>

#include "platform/spin_lock.hpp"
#include "sched/parker.hpp"

namespace tenon::detail {

struct claim_group {
  detail::atomic<waiter*> winner{nullptr};
};

struct waiter {
  waiter* next = nullptr;
  waiter* prev = nullptr;
  parker* who = nullptr;
  claim_group* group = nullptr;
  void* elem = nullptr;     // a sender's value, a receiver's target (null: to be discarded)
  std::uint32_t index = 0;  // the case's number in a select
  bool ok = false;          // the operation took place; false: the channel was closed, or try again
  bool queued = false;
};

/// The right to fire w. Relaxed: what the waiter is to see comes with the unpark that follows.
inline bool claim(waiter* w) noexcept {
  if (w->group == nullptr) return true;
  waiter* none = nullptr;
  return w->group->winner.compare_exchange_strong(none, w, std::memory_order_relaxed, std::memory_order_relaxed);
}

// ---- Lists. The caller holds the list's lock. A head that may say that nobody waits is stored with release: a select peeks at channels'
// (counting_lock).

inline void push_back(wait_list& l, waiter* w) noexcept {
  w->next = nullptr;
  w->prev = l.tail;
  if (l.tail != nullptr) {
    l.tail->next = w;
  } else {
    l.head.store(w, std::memory_order_relaxed);
  }
  l.tail = w;
  w->queued = true;
}

inline void push_front(wait_list& l, waiter* w) noexcept {
  waiter* first = l.head.load(std::memory_order_relaxed);
  w->prev = nullptr;
  w->next = first;
  if (first != nullptr) {
    first->prev = w;
  } else {
    l.tail = w;
  }
  l.head.store(w, std::memory_order_relaxed);
  w->queued = true;
}

inline void unlink(wait_list& l, waiter* w) noexcept {
  if (w->prev != nullptr) {
    w->prev->next = w->next;
  } else {
    l.head.store(w->next, std::memory_order_release);
  }
  if (w->next != nullptr) {
    w->next->prev = w->prev;
  } else {
    l.tail = w->prev;
  }
  w->queued = false;
}

/// The first, which is known: it has none before it.
inline void unlink_first(wait_list& l, waiter* w) noexcept {
  waiter* second = w->next;
  l.head.store(second, std::memory_order_release);
  if (second != nullptr) {
    second->prev = nullptr;
  } else {
    l.tail = nullptr;
  }
  w->queued = false;
}

inline bool empty(const wait_list& l) noexcept { return l.head.load(std::memory_order_relaxed) == nullptr; }

/// The first waiter that can still fire, taken out and claimed; those that cannot any more are dropped on the way.
inline waiter* take(wait_list& l) noexcept {
  while (waiter* w = l.head.load(std::memory_order_relaxed)) {
    unlink_first(l, w);
    if (claim(w)) return w;
  }
  return nullptr;
}

/// Fires a chain linked by `next`.
inline void unpark_all(waiter* chain) noexcept {
  while (chain != nullptr) {
    waiter* w = chain;
    chain = w->next;
    unpark(w->who);
  }
}

enum class list_place : std::uint8_t { back, front, already_in };

/// Waits in `l`, the list of a primitive that is no channel, until another takes w out, or until `done` (may be null) is closed.
/// Called with the list's lock held, returns with it released. True if w fired, false if canceled (w is then in no list). `object` is what
/// a dump looks at, for this reason (diag/dump.cpp).
bool wait_in_list(wait_list& l, detail::atomic<std::uint32_t>& list_lock, waiter& w, chan_core* done,
                  wait_reason reason, list_place place = list_place::back, const void* object = nullptr) noexcept;

}  // namespace tenon::detail
