#include <tenon/mutex.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/relock_check.hpp"
#include "core/waiter.hpp"
#include "platform/call_site.hpp"
#include "platform/clock.hpp"
#include "sched/explorer.hpp"

// The mutex's state, bit by bit.
//
//   bit        means                          set by                                  cleared by
//   locked     a goroutine holds it, or       lock (when all of these three are       unlock, first of all
//              is about to release it         clear), handover
//   busy       so does this; the unlock       the waiter that sets `waiting`; lock,   unlock_slow, when it is done,
//              has more to do                 if `undecided` or `checked` is set      unless it hands over
//   waiting    a waiter is in the list, and   lock_slow, under the list lock          unlock_slow, under the list lock
//              none has been woken for that
//   undecided  it has not been locked within  the constructor                         the first lock within a run
//              a run yet
//   checked    it keeps a lock_holder         the first lock within a run that        never
//              (relock_check.cpp)             checks its locks
//
// Beside it, under the list lock, `woken_`: a waiter was woken to try again, and has not tried yet.
//
// Unlock is one subtraction of `locked`. If nothing else was set, the mutex is free by it and not touched again: another goroutine may
// lock, unlock and destroy it at once. If something was set, `busy` was too, and the mutex stays held until unlock_slow has ended.
//
// With neither `undecided` nor `checked` the mutex is plain: the fast paths, one compare-exchange and one subtraction, are for it alone.
// With one of them it is never 0, so each lock of it goes out of line, and `busy` sends each unlock there, too. So checks that are off
// cost a plain mutex nothing but its first lock.
//
// Invariants
//  1. Without `undecided` and `checked` the state is 0, `locked`, or held with all three; in the middle of an unlock, the latter without
//     `locked`. With one of them it is that bit, held with `locked` and `busy`, or held with all three; in the middle of an unlock, without
//     `locked`. `waiting` changes under list_lock_ only, and `busy` too, unless the mutex is checked or undecided and `waiting` is clear.
//  2. If the list is not empty, `waiting` is set, or `woken_`: then the woken waiter sets it when it tries. So from the moment at which
//     a waiter has been woken until it tries, locking and unlocking are as fast as if none waited.
//  3. Barging: a running goroutine may take a free mutex before a woken waiter does; that is what makes a busy mutex fast. But a
//     waiter that has waited for more than `patience` is handed the mutex: it stays held and changes its holder.
//  4. `undecided` is cleared by a goroutine that takes the free mutex, in the same step. So the unlock of a holder that has locked it while it
//     was undecided finds it as it was left.
//
// Rejected: one bit for held, cleared by a compare-exchange (10 % slower without waiters) or, as in Go, by a subtraction with a look
// at the other bits afterwards (the mutex may be gone by then, which only a garbage collector forgives); `woken` in the state (every
// operation until the waiter comes then takes the slow paths: twice the time for critical sections of 100 ns); handing over always
// (fair, but every contended unlock then costs a switch); Go's semaphore tree (a global table, needed because Go's mutex is 8 bytes;
// ours can have its list); a global flag that each lock and unlock reads (66 % more instructions where it is off).

namespace tenon {

namespace {
constexpr std::uint32_t locked = 1;
constexpr std::uint32_t busy_bit = 2;
constexpr std::uint32_t waiting_bit = 4;
constexpr std::uint32_t undecided = 8;
constexpr std::uint32_t checked_bit = 16;
constexpr std::uint32_t held_bits = locked | busy_bit | waiting_bit;
constexpr std::uint32_t held_with_waiters = held_bits;
constexpr std::uint32_t kind_bits = undecided | checked_bit;
constexpr clock::nanos patience = 1'000'000;

/// What a free mutex of this kind becomes when it is locked.
constexpr std::uint32_t held(std::uint32_t kind) noexcept { return kind == 0 ? locked : kind | locked | busy_bit; }

/// The kind of a free mutex as it is about to be locked.
std::uint32_t kind_of(std::uint32_t free) noexcept { return detail::decided<undecided, checked_bit>(free); }
}  // namespace

using detail::waiter;

bool mutex::lock_or_done(detail::chan_core* done) {
  static_assert(locked == locked_bit && undecided == undecided_bit);
  detail::point(detail::operation::lock, this);
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  std::uint32_t free = 0;
  return try_to_lock(free) || lock_from(frame_of_caller(), free, done);
}

bool mutex::lock_slow(std::uint32_t seen, detail::chan_core* done) {
  if ((seen & kind_bits) != 0 && TENON_UNLIKELY(detail::exploring())) {
    detail::at_point(detail::operation::lock, this);
    seen = 0;  // what it was may no longer be so
  }
  if (seen == checked_bit &&
      state_.compare_exchange_strong(seen, held(checked_bit), std::memory_order_acquire, std::memory_order_relaxed)) {
    holder_.acquired(frame_of_caller());
    return true;
  }
  return lock_from(frame_of_caller(), seen, done);
}

bool mutex::try_lock_slow() noexcept {
  detail::point(detail::operation::try_lock, this);
  return take_if_free(frame_of_caller());
}

/// As try_to_lock, of any mutex.
bool mutex::take_if_free(caller_frame caller) noexcept {
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  std::uint32_t want = 0;
  do {
    if ((s & held_bits) != 0) return false;
    want = held(kind_of(s));
  } while (!state_.compare_exchange_weak(s, want, std::memory_order_acquire, std::memory_order_relaxed));
  if ((want & checked_bit) != 0) holder_.acquired(caller);
  return true;
}

bool mutex::lock_from(caller_frame caller, std::uint32_t seen, detail::chan_core* done) {
  if ((seen & held_bits) == 0 && take_if_free(caller)) return true;
  // The holder is probably on another CPU and about to unlock. Few looks: each takes the cache line away from it.
  for (int i = 0; i < looks(4); ++i) {
    for (int k = 0; k < 16; ++k) cpu_relax();
    if (take_if_free(caller)) return true;
  }
  if (done == nullptr && (state_.load(std::memory_order_relaxed) & checked_bit) != 0)
    holder_.will_wait("lock", "mutex");
  clock::nanos began = 0;
  for (bool again = false;; again = true) {
    spin_acquire(list_lock_);
    if (again) woken_ = false;
    const bool others = !detail::empty(waiters_);
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    std::uint32_t want = 0;
    bool free = false;
    do {
      free = (s & held_bits) == 0;
      if (free) {
        want = held(kind_of(s));
        if (others && !woken_) want |= held_with_waiters;
      } else {
        want = woken_ ? s : s | busy_bit | waiting_bit;
      }
    } while (!state_.compare_exchange_weak(s, want, std::memory_order_acquire, std::memory_order_relaxed));
    if (free) {
      spin_release(list_lock_);
      break;
    }
    if (began == 0) began = clock::now();
    waiter w;
    w.elem = &began;
    const bool fired = detail::wait_in_list(waiters_, list_lock_, w, done, detail::wait_reason::mutex_lock,
                                            again ? detail::list_place::front : detail::list_place::back, &holder_);
    if (!fired) return false;  // `waiting` may stay set with an empty list: the next unlock_slow clears it
    if (w.ok) break;           // handed over
  }
  if ((state_.load(std::memory_order_relaxed) & checked_bit) != 0) holder_.acquired(caller);
  return true;
}

void mutex::unlock_slow() {
  // We have just cleared `locked`, and no caller sets it while `busy` is. If it was clear, subtracting it has set it.
  std::uint32_t s = state_.load(std::memory_order_relaxed);
  if ((s & locked) != 0) fatal("sync: unlock of unlocked mutex");
  if ((s & checked_bit) != 0) {
    if (TENON_UNLIKELY(detail::exploring())) {
      detail::at_point(detail::operation::unlock, this);
      s = state_.load(std::memory_order_relaxed);
    }
    holder_.released();
  }
  const std::uint32_t kind = s & kind_bits;
  if ((s & waiting_bit) == 0 &&
      state_.compare_exchange_strong(s, kind, std::memory_order_release, std::memory_order_relaxed)) {
    return;
  }
  spin_acquire(list_lock_);
  waiter* w = detail::take(waiters_);
  std::uint32_t next = kind;
  if (w != nullptr && clock::now() - *static_cast<const clock::nanos*>(w->elem) > patience) {
    w->ok = true;  // invariant 3
    next = detail::empty(waiters_) ? held(kind) : kind | held_with_waiters;
  } else {
    woken_ = w != nullptr;
  }
  state_.store(next, std::memory_order_release);
  spin_release(list_lock_);
  if (w != nullptr) detail::unpark(w->who);
}

}  // namespace tenon
