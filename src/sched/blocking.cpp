#include <tenon/blocking.hpp>
#include <tenon/on_this_thread.hpp>

#include "base/fatal.hpp"
#include "platform/futex.hpp"
#include "sched/scheduler.hpp"
#include "sched/service.hpp"

// Two ways in which a goroutine and a thread are tied together for a while: a blocking call, and on_this_thread.

namespace tenon::detail {

// A blocking call only marks the worker. If it lasts, the monitor turns `blocking` into `retaken_blocking`, takes the worker out
// of the active count and wakes another; the return then counts it in again.

worker* scheduler::blocking_enter() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) return nullptr;
  standing expected = standing::running;
  if (w->stand.load(std::memory_order_relaxed) != standing::running) {
    if (w->stand.load(std::memory_order_relaxed) != standing::retaken_running) return nullptr;  // nested
    rejoin(*w);
  }
  // A compare-exchange, because the monitor may be retaking the worker as one that is held too long.
  while (!w->stand.compare_exchange_weak(expected, standing::blocking, std::memory_order_acq_rel)) {
    if (expected == standing::retaken_running) rejoin(*w);
    expected = standing::running;
  }
  w->shut = true;
  service::nudge();
  return w;
}

void scheduler::blocking_leave(worker* w) noexcept {
  if (w == nullptr) return;
  w->shut = w->locked != nullptr;
  if (w->stand.exchange(standing::running, std::memory_order_acq_rel) == standing::retaken_blocking) {
    activate();
    retaken_.fetch_sub(1, std::memory_order_seq_cst);
    w->poke.store(true,
                  std::memory_order_relaxed);  // there may be one worker too many now: look around at the next switch
  }
}

void scheduler::pin() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) return;
  goroutine_core* g = w->current;
  if (g->pin_depth++ != 0) return;
  w->locked_ready.store(false, std::memory_order_relaxed);
  w->locked = g;
  w->shut = true;
  g->pinned.store(w, std::memory_order_relaxed);
  hand_over_queues(*w);
}

void scheduler::unpin() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) return;
  goroutine_core* g = w->current;
  if (g->pin_depth == 0 || --g->pin_depth != 0) return;
  g->pinned.store(nullptr, std::memory_order_relaxed);
  w->locked = nullptr;
  w->shut = false;
  w->poke.store(true, std::memory_order_relaxed);
}

/// The pinned goroutine has parked: this thread waits for it and nothing else, and does not count as active meanwhile.
goroutine_core* scheduler::wait_locked(worker& w) noexcept {
  stop_searching(w);
  hand_over_queues(w);
  if (!w.locked_ready.exchange(false, std::memory_order_acquire)) {
    w.stand.store(standing::idle, std::memory_order_seq_cst);
    active_.fetch_sub(1, std::memory_order_seq_cst);
    barrier::heavy();
    // Somebody has to be there for timers and descriptors, and to notice a deadlock.
    if (!poller_taken_.load(std::memory_order_seq_cst)) {
      wake_for_stuck_work();
    } else {
      wake_one();
      poll()->wake();
    }
    for (;;) {
      w.sleep_word.store(0, std::memory_order_seq_cst);
      if (w.locked_ready.load(std::memory_order_seq_cst)) break;
      futex::wait(w.sleep_word, 0);
    }
    // In this order: whoever looks for a deadlock sees the one or the other.
    activate();
    w.locked_ready.store(false, std::memory_order_seq_cst);
    w.stand.store(standing::running, std::memory_order_seq_cst);
  }
  return w.locked;
}

worker* blocking_enter() noexcept { return the_scheduler().blocking_enter(); }
void blocking_leave(worker* w) noexcept { the_scheduler().blocking_leave(w); }

}  // namespace tenon::detail

namespace tenon {

on_this_thread::on_this_thread() noexcept { detail::the_scheduler().pin(); }
on_this_thread::~on_this_thread() { detail::the_scheduler().unpin(); }

}  // namespace tenon
