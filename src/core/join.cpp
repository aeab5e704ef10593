#include "base/fatal.hpp"
#include "core/waiter.hpp"
#include "platform/annotate.hpp"
#include "sched/explorer.hpp"
#include "sched/goroutine.hpp"
#include "sched/own_end.hpp"
#include "sched/scheduler.hpp"
#include "sched/slow_join.hpp"

#include <tenon/detail/goroutine_frame.hpp>

// Waiting for the end of a goroutine: goroutine_core::join_state, and the list of those who wait.
//
//   running ──first waiter──▶ awaited ──end──▶ ended          running ──end──▶ ended
//
// Invariants
//  1. The list changes under join_lock only; `awaited` is set and left under it. So an end that is not awaited takes no lock.
//     (lib/remaining.cpp sets it, too, to keep an end back.)
//  2. An end that is awaited says `ended` under the lock and touches nothing after the lock's release: `goroutine_release` waits for that.

namespace tenon::detail {

void announce_end(goroutine_core* g) noexcept {
  auto state = join_state::running;
  // Release: the result. Acquire, on failure: the waiters.
  if (g->join.compare_exchange_strong(state, join_state::ended, std::memory_order_acq_rel, std::memory_order_acquire)) {
    return;
  }
  waiter* chain = nullptr;
  waiter** last = &chain;
  spin_acquire(g->join_lock);
  while (waiter* w = take(g->joiners)) {
    *last = w;
    last = &w->next;
  }
  *last = nullptr;
  g->join.store(join_state::ended, std::memory_order_release);
  spin_release(g->join_lock);
  unpark_all(chain);
}

static TENON_INLINE bool join(goroutine_core* g, chan_core* done) {
  if (g->join.load(std::memory_order_acquire) != join_state::ended) {
    if (g == running_goroutine()) fatal_own_end("the one whose handle it waits for");
    spin_acquire(g->join_lock);
    auto state = join_state::running;
    if (!g->join.compare_exchange_strong(state, join_state::awaited, std::memory_order_acq_rel) &&
        state == join_state::ended) {
      spin_release(g->join_lock);
    } else {
      waiter w;
      if (!wait_in_list(g->joiners, g->join_lock, w, done, wait_reason::join)) return false;
    }
  }
  annotate::happens_after(g);
  return true;
}

// Apart, so that no other join saves registers for the call.
static TENON_NOINLINE bool join_explored(goroutine_core* g, chan_core* done) {
  at_point(operation::join, g);
  return join(g, done);
}

bool goroutine_join(goroutine_core* g, chan_core* done) {
  if (TENON_UNLIKELY(exploring())) return join_explored(g, done);
  return join(g, done);
}

static TENON_NOINLINE void await_end_explored(goroutine_core* g) noexcept { (void)join_explored(g, nullptr); }

void goroutine_await_end(goroutine_core* g) noexcept {
  if (TENON_UNLIKELY(exploring())) return await_end_explored(g);
  if (g->join.load(std::memory_order_acquire) != join_state::ended) {
    const slow_join_watch watch({.goroutine = g});
    (void)join(g, nullptr);
  } else {
    annotate::happens_after(g);
  }
}

void goroutine_release(goroutine_core* g) noexcept {
  spin_lock_await(g->join_lock);  // invariant 2
  the_scheduler().recycle(g);
}

}  // namespace tenon::detail
