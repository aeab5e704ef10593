#pragma once

/// `mutex`: mutual exclusion between goroutines, and OS threads, that share state.
///
/// Go counterpart: `sync.Mutex`. `lock` blocks the goroutine, never the worker; `lock(ctx)` gives up when `ctx` is canceled.
/// Meets the standard's *Lockable* requirements: `std::lock_guard`, `std::unique_lock` and `std::scoped_lock` work, and
/// clang checks `TENON_TSA(guarded_by(mu))` with `-Wthread-safety`. It need not be unlocked by the goroutine that locked it (as in
/// Go). Cannot be copied or moved. A waiter that has waited for more than a millisecond gets the lock handed over, so none starves.
///
/// Not recursive: a goroutine that locks it twice waits until another one unlocks it, and for ever if none does. Where locks are checked
/// (`run_options::check_locks`) such a wait is reported on stderr when it begins, once for each place: who waits, where it locked first and
/// where again. It goes on to wait, as the lock may be meant to be handed on; `run_options::lock_faults_are_fatal` ends the program instead.
/// `lock(ctx)` can give up, and is not reported. A mutex is checked from its first lock within a run that checks locks.
///
/// Fatal, with Go's text: `sync: unlock of unlocked mutex`. An `unlock` happens before any later `lock` returns.

#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/relock_check.hpp>
#include <tenon/detail/thread_safety.hpp>
#include <tenon/detail/wait_list.hpp>

namespace tenon {

class context;
namespace detail {
struct chan_core;
chan_core* done_core(const context& ctx);
/// Until the holder of a lock by spin_acquire has released it for good.
void spin_lock_await(const detail::atomic<std::uint32_t>& word) noexcept;
}  // namespace detail

class TENON_TSA(capability("mutex")) mutex {
 public:
  mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  ~mutex() { detail::spin_lock_await(list_lock_); }  // the unlock that let our owner in may still be releasing the list

  // The bodies are what the analysis is about, not its subject.
  void lock() TENON_TSA(acquire_capability()) TENON_TSA_UNCHECKED {
    std::uint32_t free = 0;
    if (!try_to_lock(free)) (void)lock_slow(free, nullptr);
  }

  /// False if `ctx` was canceled first (also when it was canceled already): the mutex is then not held.
  [[nodiscard]] bool lock(const context& ctx) TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    return lock_or_done(detail::done_core(ctx));
  }

  /// Never blocks. Fails only if the mutex is held, or reserved for a starved waiter.
  [[nodiscard]] bool try_lock() noexcept TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    std::uint32_t free = 0;
    return try_to_lock(free) || (free >= undecided_bit && try_lock_slow());
  }

  void unlock() TENON_TSA(release_capability()) TENON_TSA_UNCHECKED {
    if (state_.fetch_sub(locked_bit, std::memory_order_release) != locked_bit) unlock_slow();
  }

 private:
  // See src/core/mutex.cpp for what each bit means and who may set it.
  static constexpr std::uint32_t locked_bit = 1;
  static constexpr std::uint32_t undecided_bit = 8;
  /// Of a plain mutex only. `free` is 0; if false is returned, what the state was instead.
  bool try_to_lock(std::uint32_t& free) noexcept TENON_TSA_UNCHECKED {
    return state_.compare_exchange_strong(free, locked_bit, std::memory_order_acquire, std::memory_order_relaxed);
  }
  bool lock_or_done(detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool lock_slow(std::uint32_t seen, detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool try_lock_slow() noexcept TENON_TSA_UNCHECKED;
  bool lock_from(caller_frame caller, std::uint32_t seen, detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool take_if_free(caller_frame caller) noexcept;
  void unlock_slow();

  detail::atomic<std::uint32_t> state_{undecided_bit};  // an unlock releases, a lock acquires
  // By spin_acquire and spin_release; a destructor acquires the last release, of the one who has let its owner go.
  detail::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list waiters_;
  bool woken_ = false;
  detail::lock_holder holder_;
};

}  // namespace tenon
