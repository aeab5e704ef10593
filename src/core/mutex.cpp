#include <tenon/mutex.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/waiter.hpp"
#include "platform/clock.hpp"

// The mutex's state, bit by bit.
//
//   bit      means                          set by                                  cleared by
//   locked   somebody holds it, or          lock (when all is clear), handover      unlock, first of all
//            lets go of it
//   busy     so does this; the unlock       whoever sets `waiting`                  unlock_slow, when it is done,
//            has more to do                                                         unless it hands over
//   waiting  somebody waits, and nobody     lock_slow, under the list lock          unlock_slow, under the list lock
//            has been woken for that yet
//
// Beside it, under the list lock, `woken_`: a waiter was woken to try again, and has not tried yet.
//
// Unlock is one subtraction of `locked`. If nothing else was set, the mutex is free by it and not touched again: another goroutine may
// lock, unlock and destroy it at once. If something was set, `busy` was too, and the mutex stays held until unlock_slow has ended.
//
// Invariants
//  1. The state is 0, `locked`, or held with all three; in the middle of an unlock, the latter without `locked`. `busy` and `waiting`
//     change under list_lock_ only.
//  2. If the list is not empty, `waiting` is set, or `woken_`: then the woken waiter sets it when it tries. So from the moment at which
//     somebody has been woken until he comes, locking and unlocking are as fast as if nobody waited.
//  3. Barging: a running goroutine may take a free mutex before a woken waiter does; that is what makes a busy mutex fast. But a
//     waiter that has waited for more than `patience` is handed the mutex: it stays held and changes its holder.
//
// Rejected: one bit for held, cleared by a compare-exchange (10 % slower where nobody waits) or, as in Go, by a subtraction with a look
// at the other bits afterwards (the mutex may be gone by then, which only a garbage collector forgives); `woken` in the state (every
// operation until the waiter comes then takes the slow paths: twice the time for critical sections of 100 ns); handing over always
// (fair, but every contended unlock then costs a switch); Go's semaphore tree (a global table, needed because Go's mutex is 8 bytes;
// ours can have its list).

namespace tenon {

namespace {
constexpr std::uint32_t locked = 1;
constexpr std::uint32_t busy_bit = 2;
constexpr std::uint32_t waiting_bit = 4;
constexpr std::uint32_t held_with_waiters = locked | busy_bit | waiting_bit;
constexpr clock::nanos patience = 1'000'000;
}  // namespace

using detail::waiter;

bool mutex::lock_or_done(detail::chan_core* done) {
  static_assert(locked == locked_bit);
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  return try_to_lock() || lock_slow(done);
}

bool mutex::lock_watched(detail::chan_core* done) {
  if (done == nullptr && (state_.load(std::memory_order_acquire) & locked) != 0) tenure_.may_wait("lock");
  if (!lock_or_done(done)) return false;
  tenure_.took();
  return true;
}

bool mutex::lock_slow(detail::chan_core* done) {
  // The holder is probably on another CPU and about to unlock. Few looks: each takes the cache line away from it.
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 16; ++k) cpu_relax();
    if (state_.load(std::memory_order_relaxed) == 0 && try_to_lock()) return true;
  }
  clock::nanos began = 0;
  for (bool again = false;; again = true) {
    spin_acquire(list_lock_);
    if (again) woken_ = false;
    const bool others = !detail::empty(waiters_);
    std::uint32_t s = state_.load(std::memory_order_relaxed);
    std::uint32_t want = 0;
    do {
      if (s == 0) {
        want = others && !woken_ ? held_with_waiters : locked;
      } else {
        want = woken_ ? s : s | busy_bit | waiting_bit;
      }
    } while (!state_.compare_exchange_weak(s, want, std::memory_order_acquire, std::memory_order_relaxed));
    if (s == 0) {
      spin_release(list_lock_);
      return true;
    }
    if (began == 0) began = clock::now();
    waiter w;
    w.elem = &began;
    const bool fired = detail::wait_in_list(waiters_, list_lock_, w, done, detail::wait_reason::mutex_lock,
                                            again ? detail::list_place::front : detail::list_place::back);
    if (!fired) return false;  // `waiting` may stay set with an empty list: the next unlock_slow clears it
    if (w.ok) return true;     // handed over
  }
}

void mutex::unlock_slow() {
  // We have just cleared `locked`, and nobody sets it while `busy` is. If it was clear, subtracting it has set it.
  if ((state_.load(std::memory_order_relaxed) & locked) != 0) fatal("sync: unlock of unlocked mutex");
  spin_acquire(list_lock_);
  waiter* w = detail::take(waiters_);
  std::uint32_t next = 0;
  if (w != nullptr && clock::now() - *static_cast<const clock::nanos*>(w->elem) > patience) {
    w->ok = true;  // invariant 3
    next = detail::empty(waiters_) ? locked : held_with_waiters;
  } else {
    woken_ = w != nullptr;
  }
  state_.store(next, std::memory_order_release);
  spin_release(list_lock_);
  if (w != nullptr) detail::unpark(w->who);
}

}  // namespace tenon
