#pragma once

/// `cond`: lets goroutines, and OS threads, wait until something about a locked state has changed.
///
/// Go counterpart: `sync.Cond`. Prefer a channel where one will do: closing it is a broadcast, and it can stand in a `select`. A `cond` is for
/// states with many different changes.
///
///     std::unique_lock hold(mu);
///     not_empty.wait(hold, [&] { return !queue.empty(); });
///
/// `wait` is called with the lock held, releases it, blocks until it is signaled, and holds it again when it returns; the forms with
/// a condition repeat that until it is true. There are no spurious wake-ups, but another goroutine may have changed the state in between. The
/// `ctx` forms also end, with the lock held, when `ctx` is canceled. Any lock with `lock` and `unlock` will do: `tenon::mutex`,
/// `std::unique_lock`, `std::shared_lock`, `shared_mutex`'s `shared_locker()`; its `unlock` must not block.
///
/// `signal` wakes the one that has waited longest, `broadcast` all; neither blocks, with or without the lock held. What happens before a
/// `signal` happens before the wait that it ends returns. Cannot be copied or moved; must outlive its waits.

#include <concepts>
#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/mutex.hpp>

namespace tenon {

namespace detail {

/// Where one caller waits: in the list before the lock is released, asleep after.
class cond_wait {
 public:
  explicit cond_wait(detail::atomic<std::uint32_t>& list_lock, wait_list& waiters) noexcept;
  cond_wait(const cond_wait&) = delete;
  cond_wait& operator=(const cond_wait&) = delete;
  ~cond_wait();
  /// False if `done` (may be null) was closed first.
  bool sleep(chan_core* done) noexcept;

 private:
  detail::atomic<std::uint32_t>& list_lock_;
  wait_list& waiters_;
  bool slept_ = false;
  alignas(8) unsigned char waiter_[64];
};

}  // namespace detail

class cond {
 public:
  cond() noexcept = default;
  cond(const cond&) = delete;
  cond& operator=(const cond&) = delete;

  template <class Lock>
  void wait(Lock& lock) {
    (void)wait_or_done(lock, nullptr);
  }
  template <class Lock, std::predicate Condition>
  void wait(Lock& lock, Condition condition) {
    while (!condition()) wait(lock);
  }

  /// False if `ctx` was canceled first.
  template <class Lock>
  [[nodiscard]] bool wait(Lock& lock, const context& ctx) {
    return wait_or_done(lock, detail::done_core(ctx));
  }
  /// Whether the condition holds: false only if `ctx` was canceled before it did.
  template <class Lock, std::predicate Condition>
  [[nodiscard]] bool wait(Lock& lock, const context& ctx, Condition condition) {
    while (!condition()) {
      if (!wait(lock, ctx)) return condition();
    }
    return true;
  }

  void signal() noexcept;
  void broadcast() noexcept;

 private:
  template <class Lock>
  bool wait_or_done(Lock& lock, detail::chan_core* done) {
    detail::cond_wait w(list_lock_, waiters_);
    lock.unlock();
    const bool signaled = w.sleep(done);
    lock.lock();
    return signaled;
  }

  // By spin_acquire and spin_release. Whom a signal lets go has this lock after it, or is woken when it has been released.
  detail::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list waiters_;
};

}  // namespace tenon
