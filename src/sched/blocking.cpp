#include <tenon/blocking.hpp>
#include <tenon/on_this_thread.hpp>

#include <utility>

#include "base/fatal.hpp"
#include "platform/futex.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// Two ways in which a goroutine and a thread are tied together for a while: a blocking call, and on_this_thread.

namespace tenon::detail {

// A blocking call only marks the worker. If it lasts, the monitor turns `blocking` into `retaken_blocking`, takes the worker out
// of the active count and wakes another; the return then counts it in again.
//
// A goroutine that waits in tenon within its call would leave the mark to a worker that it may never come back to. So its call ends where its
// worker looks for the next goroutine, which `resched` sees to: `in_blocking` says whose call it is, and its return finds that there is none.
//
// A thread in a blocking call is one less for the goroutines that can run. So there are never more such calls at a time than leave `procs`
// of max_threads free: further ones wait for a permit. A pinned goroutine has its thread for itself, for as long as it likes, and must not
// have to wait for another to let go of one: the limit on threads grows by one for each (up to most_threads, then they wait).

worker* scheduler::blocking_enter() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr || w->in_blocking != nullptr) return nullptr;  // outside, or nested
  if (w->locked == nullptr) {
    blocking_permits_.acquire(wait_reason::thread_permit);
    w = this_worker();
    w->has_permit = true;
  }
  do {
    rejoin(*w);  // the monitor may be retaking this worker, as one that is held too long
    worker_status expected = worker_status::running;
    if (w->status.compare_exchange_strong(expected, worker_status::blocking, std::memory_order_acq_rel)) break;
  } while (true);
  w->in_blocking = w->current;
  w->no_local_queue = true;
  // For a wait within the call; and after it, as there may be one worker too many then.
  w->resched.store(true, std::memory_order_relaxed);
  monitor::wake();
  return w;
}

void scheduler::blocking_leave(const worker* entered) noexcept {
  if (entered == nullptr) return;
  worker& w = *this_worker();  // another than `entered`, where the call has ended with a wait
  if (w.in_blocking != nullptr) end_blocking(w);
}

/// By the goroutine whose call it is, or by its worker once it waits.
void scheduler::end_blocking(worker& w) noexcept {
  w.in_blocking = nullptr;
  w.no_local_queue = w.locked != nullptr;
  if (change(w, worker_status::running) == worker_status::retaken_blocking) {
    activate();
    retaken_.fetch_sub(1, std::memory_order_seq_cst);
  }
  if (std::exchange(w.has_permit, false)) blocking_permits_.release();
}

void scheduler::pin() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) return;
  goroutine_core* g = w->current;
  if (g->pin_depth++ != 0) return;
  pin_permits_.acquire(wait_reason::thread_permit);
  pinned_.fetch_add(1, std::memory_order_relaxed);
  w = this_worker();
  w->locked_ready.store(false, std::memory_order_relaxed);
  w->locked = g;
  w->no_local_queue = true;
  w->resched.store(true, std::memory_order_relaxed);  // from now on, see find_work
  g->pinned.store(w, std::memory_order_relaxed);
  hand_over_queues(*w);
}

void scheduler::unpin() noexcept {
  worker* w = this_worker();
  if (w == nullptr || w->current == nullptr) return;
  goroutine_core* g = w->current;
  if (g->pin_depth == 0 || --g->pin_depth != 0) return;
  release_pin(*w, g);
  w->resched.store(true, std::memory_order_relaxed);
}

void scheduler::release_pin(worker& w, goroutine_core* g) noexcept {
  g->pinned.store(nullptr, std::memory_order_relaxed);
  w.locked = nullptr;
  w.no_local_queue = false;
  pinned_.fetch_sub(1, std::memory_order_relaxed);
  pin_permits_.release();
}

/// The pinned goroutine has parked: this thread waits for it and nothing else, and does not count as active meanwhile.
goroutine_core* scheduler::wait_locked(worker& w) noexcept {
  stop_searching(w);
  hand_over_queues(w);
  if (!w.locked_ready.exchange(false, std::memory_order_acquire)) {
    if (change(w, worker_status::idle) == worker_status::retaken_running) {
      retaken_.fetch_sub(1, std::memory_order_seq_cst);
    } else {
      active_.fetch_sub(1, std::memory_order_seq_cst);
    }
    barrier::heavy();
    // A worker has to be there for timers and descriptors, and to notice a deadlock.
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
    // In this order: a look for a deadlock sees the one or the other.
    activate();
    w.locked_ready.store(false, std::memory_order_seq_cst);
    w.status.store(worker_status::running, std::memory_order_seq_cst);
  }
  return w.locked;
}

worker* blocking_enter() noexcept { return the_scheduler().blocking_enter(); }
void blocking_leave(const worker* entered) noexcept { the_scheduler().blocking_leave(entered); }

}  // namespace tenon::detail

namespace tenon {

on_this_thread::on_this_thread() noexcept { detail::the_scheduler().pin(); }
on_this_thread::~on_this_thread() { detail::the_scheduler().unpin(); }

}  // namespace tenon
