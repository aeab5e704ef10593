#pragma once

/// `shared_mutex`: many readers or one writer.
///
/// Go counterpart: `sync.RWMutex`. A writer that waits keeps new readers out, so that it is not starved; when it unlocks, the readers that
/// waited go before the next writer. So a goroutine that holds a shared lock must not take it a second time: with a writer
/// waiting in between that is a deadlock. There is no upgrade from shared to exclusive. Where locks are checked
/// (`run_options::check_locks`), a goroutine that waits for itself in one of these ways is reported when the wait begins, as with `mutex`.
///
/// Meets the standard's *SharedLockable*: `std::shared_lock`, `std::unique_lock`, `std::scoped_lock` work. `lock` and `lock_shared` block the
/// goroutine, or OS thread; their `ctx` forms give up when `ctx` is canceled. `unlock` and `unlock_shared` never block and may come from
/// another goroutine than the lock did. `shared_locker()` is a view whose `lock` is `lock_shared` (Go: `RLocker`).
/// Cannot be copied or moved.
///
/// Fatal, with Go's texts: `sync: Unlock of unlocked RWMutex`, `sync: RUnlock of unlocked RWMutex`. An `unlock` happens before any later
/// lock of either kind returns, an `unlock_shared` before any later `lock` does.

#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/mutex.hpp>

namespace tenon {

namespace detail {
enum class wait_reason : std::uint8_t;
}

class TENON_TSA(capability("shared_mutex")) shared_mutex {
 public:
  shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;
  ~shared_mutex() { detail::spin_lock_await(list_lock_); }  // as mutex's

  void lock() TENON_TSA(acquire_capability()) TENON_TSA_UNCHECKED {
    if (!try_to_lock()) (void)lock_slow(nullptr);
  }
  /// False if `ctx` was canceled first (also when it was canceled already): the mutex is then not held.
  [[nodiscard]] bool lock(const context& ctx) TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    return lock_or_done(detail::done_core(ctx));
  }
  [[nodiscard]] bool try_lock() noexcept TENON_TSA(try_acquire_capability(true)) TENON_TSA_UNCHECKED {
    std::uint32_t free = 0;
    return state_.compare_exchange_strong(free, writer_bit, std::memory_order_acquire, std::memory_order_relaxed) ||
           ((free & (undecided_bit | checked_bit)) != 0 && try_lock_slow());
  }
  void unlock() TENON_TSA(release_capability()) TENON_TSA_UNCHECKED {
    std::uint32_t held = writer_bit;
    if (!state_.compare_exchange_strong(held, 0, std::memory_order_release, std::memory_order_relaxed)) unlock_slow();
  }

  void lock_shared() TENON_TSA(acquire_shared_capability()) TENON_TSA_UNCHECKED {
    if (!try_to_lock_shared()) (void)lock_shared_slow(nullptr);
  }
  /// False if `ctx` was canceled first (also when it was canceled already): the mutex is then not held.
  [[nodiscard]] bool lock_shared(const context& ctx)
      TENON_TSA(try_acquire_shared_capability(true)) TENON_TSA_UNCHECKED {
    return lock_shared_or_done(detail::done_core(ctx));
  }
  /// False also while a writer waits.
  [[nodiscard]] bool try_lock_shared() noexcept TENON_TSA(try_acquire_shared_capability(true)) TENON_TSA_UNCHECKED {
    return try_to_lock_shared() ||
           ((state_.load(std::memory_order_relaxed) & (undecided_bit | checked_bit)) != 0 && try_lock_shared_slow());
  }
  void unlock_shared() TENON_TSA(release_shared_capability()) TENON_TSA_UNCHECKED {
    std::uint32_t s = reader;  // a guess, as in try_to_lock_shared
    while ((s & not_plain) == 0 && s >= reader) {
      if (state_.compare_exchange_weak(s, s - reader, std::memory_order_release, std::memory_order_relaxed)) return;
    }
    unlock_shared_slow();
  }

  /// Locks the shared way under the names of an exclusive lock: for code that is a template over *Lockable*.
  class shared_view {
   public:
    explicit shared_view(shared_mutex& m) noexcept : m_(m) {}
    void lock() TENON_TSA_UNCHECKED { m_.lock_shared(); }
    [[nodiscard]] bool lock(const context& ctx) TENON_TSA_UNCHECKED { return m_.lock_shared(ctx); }
    [[nodiscard]] bool try_lock() noexcept TENON_TSA_UNCHECKED { return m_.try_lock_shared(); }
    void unlock() TENON_TSA_UNCHECKED { m_.unlock_shared(); }

   private:
    shared_mutex& m_;
  };
  /// Valid as long as the mutex is.
  [[nodiscard]] shared_view shared_locker() noexcept { return shared_view(*this); }

 private:
  // See src/core/shared_mutex.cpp for what each bit means and who may set it.
  static constexpr std::uint32_t writer_bit = 1;
  static constexpr std::uint32_t queued_bit = 2;
  static constexpr std::uint32_t undecided_bit = 4;
  static constexpr std::uint32_t checked_bit = 8;
  static constexpr std::uint32_t reader = 16;
  /// Not for the fast paths of readers.
  static constexpr std::uint32_t not_plain = queued_bit | undecided_bit | checked_bit;
  bool try_to_lock() noexcept TENON_TSA_UNCHECKED {
    std::uint32_t free = 0;
    return state_.compare_exchange_strong(free, writer_bit, std::memory_order_acquire, std::memory_order_relaxed);
  }
  bool try_to_lock_shared() noexcept TENON_TSA_UNCHECKED {
    // A guess, right where there is no other reader: a load here would wait for the locked instruction before it.
    std::uint32_t s = 0;
    while ((s & (writer_bit | not_plain)) == 0) {
      if (state_.compare_exchange_weak(s, s + reader, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  bool lock_or_done(detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool lock_slow(detail::chan_core* done);
  bool try_lock_slow() noexcept;
  bool lock_from(caller_frame caller, detail::chan_core* done);
  bool lock_shared_or_done(detail::chan_core* done) TENON_TSA_UNCHECKED;
  bool lock_shared_slow(detail::chan_core* done);
  bool try_lock_shared_slow() noexcept;
  bool lock_shared_from(caller_frame caller, detail::chan_core* done);
  void unlock_slow();
  void unlock_shared_slow();
  bool acquire_if(std::uint32_t closed, std::uint32_t mine) noexcept;
  bool acquire_or_queue(std::uint32_t closed, std::uint32_t mine) noexcept;
  bool wait_or_leave(detail::wait_list& list, detail::chan_core* done, detail::wait_reason reason);
  detail::waiter* admit(bool readers_first) noexcept;
  [[nodiscard]] bool checked() const noexcept { return (state_.load(std::memory_order_relaxed) & checked_bit) != 0; }

  // An unlock releases, a reader's for the next writer; a lock acquires.
  detail::atomic<std::uint32_t> state_{undecided_bit};
  // By spin_acquire and spin_release; a destructor acquires the last release, of the one who has let its owner go.
  detail::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list readers_;
  detail::wait_list writers_;
  detail::lock_holder holder_;
};

}  // namespace tenon
