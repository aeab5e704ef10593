#pragma once

/// `semaphore`: at most so much of something at a time.
///
/// Go counterpart: `golang.org/x/sync/semaphore`, `Weighted`.
///
///     tenon::semaphore memory(1 << 30);
///     if (!memory.acquire(ctx, size)) return ctx.err();
///     …
///     memory.release(size);
///
/// or, released at the end of the scope: `if (auto held = memory.hold(ctx, size)) …`.
///
/// `acquire` blocks until `n` units are free; its `ctx` form gives up when `ctx` is canceled and then has taken nothing. First come, first
/// served: a large request is not overtaken by small ones, so it is not starved. A request for more than the semaphore has blocks for ever (with a
/// context: until that is canceled), and holds no other caller up. `try_acquire` never blocks, and fails while others wait. `release` never
/// blocks; it may be called from any goroutine or thread. What happens before a `release` happens before an `acquire` that needed it returns.
/// Cannot be copied or moved.
///
/// Panics with Go's text, `semaphore: released more than held`; and for a negative number.

#include <cstdint>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/mutex.hpp>

namespace tenon {

class semaphore {
 public:
  /// With `size` units, all free.
  explicit semaphore(std::int64_t size);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  void acquire(std::int64_t n = 1) { (void)acquire_or_done(nullptr, n); }
  /// False if `ctx` was canceled first (also when it was canceled already).
  [[nodiscard]] bool acquire(const context& ctx, std::int64_t n = 1) {
    return acquire_or_done(detail::done_core(ctx), n);
  }
  [[nodiscard]] bool try_acquire(std::int64_t n = 1);
  void release(std::int64_t n = 1);

  /// Holds what it was given until the end of its scope. Move-only; false if nothing was acquired.
  class [[nodiscard("dropping the permit releases it at once")]] permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)), n_(other.n_) {}
    permit& operator=(permit&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(n_, other.n_);
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() {
      if (of_ != nullptr) of_->release(n_);
    }
    explicit operator bool() const noexcept { return of_ != nullptr; }

   private:
    friend class semaphore;
    permit(semaphore* of, std::int64_t n) noexcept : of_(of), n_(n) {}
    semaphore* of_ = nullptr;
    std::int64_t n_ = 0;
  };
  permit hold(std::int64_t n = 1) {
    acquire(n);
    return {this, n};
  }
  /// Never blocks.
  permit try_hold(std::int64_t n = 1) { return {try_acquire(n) ? this : nullptr, n}; }
  permit hold(const context& ctx, std::int64_t n = 1) { return {acquire(ctx, n) ? this : nullptr, n}; }

 private:
  bool acquire_or_done(detail::chan_core* done, std::int64_t n);
  bool acquire_now(detail::chan_core* done, std::int64_t n);
  bool acquire_explored(detail::chan_core* done, std::int64_t n);
  void release_now(std::int64_t n);
  void release_explored(std::int64_t n);
  detail::waiter* admit() noexcept;

  const std::int64_t size_;
  std::int64_t held_ = 0;  // guarded by list_lock_, as is waiters_
  // By spin_acquire and spin_release. Whom a release lets in has this lock after it, or is woken when it has been released.
  detail::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list waiters_;
};

}  // namespace tenon
