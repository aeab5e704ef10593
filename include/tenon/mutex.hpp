#pragma once

/// `mutex`: mutual exclusion between goroutines, and OS threads, that share state.
///
/// Go counterpart: `sync.Mutex`. `lock` blocks the goroutine, never the worker; `lock(ctx)` gives up when `ctx` is canceled.
/// Meets the standard's *Lockable* requirements: `std::lock_guard`, `std::unique_lock` and `std::scoped_lock` work, and
/// clang checks `TENON_TSA(guarded_by(mu))` with `-Wthread-safety`. It need not be unlocked by the goroutine that locked it (as in
/// Go). Cannot be copied or moved. A waiter that has waited for more than a millisecond gets the lock handed over, so nobody starves.
///
/// Not recursive: a goroutine that locks it twice waits for itself. Where the run checks its locks (`run_options::check_locks`) that is fatal at once,
/// and the message says who, where it locked first and where again; `lock(ctx)` can give up, and waits.
///
/// Fatal, with Go's text: `sync: unlock of unlocked mutex`. An `unlock` happens before any later `lock` returns.

#include <atomic>
#include <cstdint>

#include <tenon/detail/lock_tenure.hpp>
#include <tenon/detail/thread_safety.hpp>
#include <tenon/detail/wait_list.hpp>

namespace tenon {

class context;
namespace detail {
struct chan_core;
chan_core* done_core(const context& ctx);
}  // namespace detail

class TENON_TSA(capability("mutex")) mutex {
 public:
  mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  ~mutex() {
    // The unlock that let our owner in may still be releasing the list.
    while (list_lock_.load(std::memory_order_acquire) != 0) {
    }
  }

  // The bodies are what the analysis is about, not its subject.
  void lock() TENON_TSA(acquire_capability()) TENON_TSA_UNCHECKED {
    if (detail::lock_tenure::watched()) [[unlikely]]
      return (void)lock_watched(nullptr);
    if (!try_to_lock()) (void)lock_slow(nullptr);
  }

  /// False if `ctx` was canceled first (also when it was canceled already): the mutex is then not held.
  [[nodiscard]] bool lock(const context& ctx) TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    if (detail::lock_tenure::watched()) [[unlikely]]
      return lock_watched(detail::done_core(ctx));
    return lock_or_done(detail::done_core(ctx));
  }

  /// Never blocks. Fails only if the mutex is held, or reserved for a starved waiter.
  [[nodiscard]] bool try_lock() noexcept TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    const bool got = try_to_lock();
    if (got && detail::lock_tenure::watched()) [[unlikely]]
      tenure_.took();
    return got;
  }

  void unlock() TENON_TSA(release_capability()) TENON_TSA_UNCHECKED {
    if (detail::lock_tenure::watched()) [[unlikely]]
      tenure_.lets_go();
    if (state_.fetch_sub(locked_bit, std::memory_order_release) != locked_bit) unlock_slow();
  }

 private:
  // See src/core/mutex.cpp for what each bit means and who may set it.
  static constexpr std::uint32_t locked_bit = 1;
  bool try_to_lock() noexcept TENON_TSA_UNCHECKED {
    std::uint32_t free = 0;
    return state_.compare_exchange_strong(free, locked_bit, std::memory_order_acquire, std::memory_order_relaxed);
  }
  bool lock_watched(detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool lock_or_done(detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool lock_slow(detail::chan_core* done) TENON_TSA_UNCHECKED;
  void unlock_slow();

  std::atomic<std::uint32_t> state_{0};
  std::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list waiters_;
  bool woken_ = false;
  detail::lock_tenure tenure_;
};

}  // namespace tenon
