#pragma once

// A lock that belongs to one thread, its owner, who takes it all the time; others take it now and then.
//
// While it is *biased* the owner pays two plain stores and a load, no locked instruction. The first other one to come takes the bias
// away, at the price of a barrier on every processor that runs the process (barrier::heavy, some microseconds), and from then on all
// use the spin lock inside. When no other thread has come for a while, the owner takes the bias back.
//
//     owner                                   the one who takes the bias away
//     inside = 1                              bias = leaving
//     barrier::light                          barrier::heavy
//     bias == with_owner?  in, else           inside == 0?  bias = nobody's, else bias = with_owner: gives up
//       inside = 0, spin lock
//
// It is Dekker's algorithm: each writes its own word and then reads the other's, and the pair of barriers forbids that both read the
// old value. The owner waits for the others no longer than they hold the spin lock, a few dozen instructions, and never for the
// barrier. The others do not wait at all: they give up, and look again later.
//
// Invariants
//  1. Inside is who holds the spin lock; or the owner, with `inside`, if the bias was with it after it had set that.
//  2. `bias` becomes `nobodys` only after a barrier::heavy and with `inside` seen 0; `with_owner` only under the spin lock, or by the
//     one who has set `leaving`, who has let no other in.
//
// Rejected: one compare-exchange an operation, as in Go's run queue: two for every switch through a queue, which is then most of its
// cost. Private queues whose owner hands work out on request: an owner that runs one goroutine for long does not answer. Taking the
// bias away each time anew, with the owner waiting meanwhile: 5 µs an operation where a thief keeps looking (ADR 7).

#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/barrier.hpp"
#include "platform/compiler.hpp"
#include "platform/spin_lock.hpp"

namespace tenon {

class biased_lock {
 public:
  // ---- The owner.
  void lock() noexcept {
    inside_.store(1, std::memory_order_relaxed);
    barrier::light();
    if (TENON_UNLIKELY(bias_.load(std::memory_order_relaxed) != bias::with_owner)) lock_slow();
  }
  void unlock() noexcept {
    if (TENON_UNLIKELY(holds_spin_)) return unlock_slow();
    inside_.store(0, std::memory_order_release);  // pairs with the acquire in try_lock_other
  }
  /// Now and then: takes the bias back if no other thread has come lately.
  void rebias() noexcept {
    if (TENON_UNLIKELY(bias_.load(std::memory_order_relaxed) != bias::with_owner)) rebias_slow();
  }

  // ---- Other threads.
  /// False if another thread is inside, or is revoking the bias.
  [[nodiscard]] bool try_lock_other() noexcept;
  void unlock_other() noexcept { spin_.unlock(); }

 private:
  enum class bias : std::uint8_t { with_owner, leaving, nobodys };
  void lock_slow() noexcept;
  void unlock_slow() noexcept;
  void rebias_slow() noexcept;

  detail::atomic<std::uint32_t> inside_{0};  // the owner's visit releases at its end; who takes the bias acquires that
  // Who has taken it releases what it acquired of `inside_`, to the next that finds it nobody's.
  detail::atomic<bias> bias_{bias::with_owner};
  bool holds_spin_ = false;  // the owner's, as are the next two
  std::uint8_t quiet_ = 0;
  std::uint32_t visits_seen_ = 0;
  detail::atomic<std::uint32_t> visits_{0};  // changed under spin_
  spin_lock spin_;
};

/// Scope guard for the owner.
class owner_guard {
 public:
  explicit owner_guard(biased_lock& l) noexcept : lock_(l) { lock_.lock(); }
  ~owner_guard() { lock_.unlock(); }
  owner_guard(const owner_guard&) = delete;
  owner_guard& operator=(const owner_guard&) = delete;

 private:
  biased_lock& lock_;
};

}  // namespace tenon
