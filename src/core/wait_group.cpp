#include <tenon/wait_group.hpp>

#include <cstdio>

#include "base/fatal.hpp"
#include "core/waiter.hpp"
#include "sched/explorer.hpp"
#include "sched/own_end.hpp"

// State: the count in the upper 32 bits; below it two bits, `waited_for` and `has_failed`. Only the count says whether there is something to wait
// for: a bit may be set for a moment while a caller looks.
//
// Invariants
//  1. `waited_for` changes only under list_lock_, and is set whenever a waiter is in the list; the count is changed without it. (A number of
//     waiters, as Go keeps it, would be wrong here: one that gives up cannot tell whether a zero has counted it out already.)
//  2. The caller that brings the count to zero while there are waiters takes them all out of the list and fires them.
//  3. The count reaches zero in one step, under list_lock_ if there are waiters, and after that step only the lock's release touches
//     the group: its owner may destroy it, if the destructor waits for that release.
//  4. `has_failed` is set while there is a failure_, and both change under list_lock_. A function fails before its `done`, so a `wait` that
//     this ends sees the bit. The `add` that leaves zero takes the failure away once it has been seen.

namespace tenon {

namespace {
std::int32_t count_of(std::uint64_t s) noexcept { return static_cast<std::int32_t>(s >> 32U); }
constexpr std::uint64_t waited_for = 1;
constexpr std::uint64_t has_failed = 2;
}  // namespace

TENON_INLINE void wait_group::add_now(int delta) {
  const auto step = static_cast<std::uint64_t>(static_cast<std::int64_t>(delta)) << 32U;
  if (delta > 0) {  // cannot reach zero: no waiter to wake, and no need to look first
    const std::uint64_t before = state_.fetch_add(step, std::memory_order_relaxed);
    if (TENON_UNLIKELY(count_of(before + step) < 0)) throw_panic("sync: negative WaitGroup counter");
    if ((before & has_failed) != 0 && count_of(before) == 0) begin_round();
    return;
  }
  std::uint64_t s = state_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t next = s + step;
    if (count_of(next) == 0 && (next & waited_for) != 0) break;
    // Release: what was done before `done`.
    if (state_.compare_exchange_weak(s, next, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      if (count_of(next) < 0) throw_panic("sync: negative WaitGroup counter");
      return;
    }
  }

  detail::waiter* chain = nullptr;
  detail::waiter** last = &chain;
  {
    const spin_guard hold(list_lock_);
    s = state_.load(std::memory_order_relaxed);
    // Invariant 2. The count may have changed since; the waiters cannot any more.
    while (!state_.compare_exchange_weak(s, count_of(s + step) == 0 ? (s + step) & ~waited_for : s + step,
                                         std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    if (count_of(s + step) == 0) {
      while (detail::waiter* w = detail::take(waiters_)) {
        *last = w;
        last = &w->next;
      }
    }
    *last = nullptr;
  }
  if (count_of(s + step) < 0) throw_panic("sync: negative WaitGroup counter");
  detail::unpark_all(chain);
}

void wait_group::add_explored(int delta) {
  detail::at_point(detail::operation::add, this);
  add_now(delta);
}

void wait_group::add(int delta) {
  if (TENON_UNLIKELY(detail::exploring())) return add_explored(delta);  // no other saves registers for the call
  add_now(delta);
}

int detail::still_to_do(const wait_group& wg) noexcept { return wg.count(); }

void wait_group::wait() {
  (void)wait_or_done(nullptr, reuse::panics);
  rethrow();
}

bool wait_group::wait(const context& ctx) {
  if (!wait_or_done(detail::done_core(ctx), reuse::panics)) return false;
  rethrow();
  return true;
}

void wait_group::failed(std::exception_ptr failure) noexcept {
  std::exception_ptr old;  // goes after the lock
  const spin_guard hold(list_lock_);
  if (failure_ && !seen_) return;
  old = std::exchange(failure_, std::move(failure));
  seen_ = false;
  kept_.set(failure_);
  state_.fetch_or(has_failed, std::memory_order_acq_rel);
}

/// The count has left zero, and there is a failure from before.
void wait_group::begin_round() noexcept {
  std::exception_ptr old;
  const spin_guard hold(list_lock_);
  if (!seen_) return;
  old.swap(failure_);
  seen_ = false;
  state_.fetch_and(~has_failed, std::memory_order_acq_rel);
}

/// To each of the waiters.
void wait_group::rethrow() {
  if ((state_.load(std::memory_order_relaxed) & has_failed) == 0) return;
  std::exception_ptr failure;
  {
    const spin_guard hold(list_lock_);
    failure = failure_;
    seen_ = true;
    kept_.seen();
  }
  if (failure) std::rethrow_exception(std::move(failure));
}

bool wait_group::wait_or_done(detail::chan_core* done, reuse meanwhile) {
  detail::point(detail::operation::wait, this);
  if (count_of(state_.load(std::memory_order_acquire)) == 0) return true;
  if (done == nullptr) detail::refuse_to_wait_for_own_end(this, "started by the wait group that it waits for");
  spin_acquire(list_lock_);
  if (count_of(state_.fetch_or(waited_for, std::memory_order_acq_rel)) == 0) {
    forget_waiters_if_none();
    spin_release(list_lock_);
    return true;
  }
  detail::waiter w;
  if (!detail::wait_in_list(waiters_, list_lock_, w, done, detail::wait_reason::wait_group_wait,
                            detail::list_place::back, this)) {
    const spin_guard hold(list_lock_);
    forget_waiters_if_none();
    return false;
  }
  if (meanwhile == reuse::panics && count_of(state_.load(std::memory_order_relaxed)) != 0) {
    throw_panic("sync: WaitGroup is reused before previous Wait has returned");
  }
  return true;
}

/// Under list_lock_.
void wait_group::forget_waiters_if_none() noexcept {
  if (detail::empty(waiters_)) state_.fetch_and(~waited_for, std::memory_order_relaxed);
}

wait_group::~wait_group() {
  if (const int n = count_of(state_.load(std::memory_order_relaxed)); n > 0) {
    char text[128];
    std::snprintf(text, sizeof text,
                  "tenon: WaitGroup destroyed while its counter is %d: wait for its goroutines first", n);
    fatal(text);
  }
  {
    const spin_guard invariant_3(list_lock_);
  }
  if (failure_ && !seen_) kept_.unhandled(std::move(failure_));
}

}  // namespace tenon
