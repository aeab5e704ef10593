
#include "platform/compiler.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// A worker's status (`worker_status`) and the two counts that follow it, `active_` and `retaken_`.
//
//   offline ──▶ running ◀──▶ idle            the owner; `active_` counts it where it runs
//               running ◀──▶ blocking        the owner; it goes on being counted
//               running ──▶ retaking ──▶ retaken_running        the monitor: from `active_` to `retaken_`
//              blocking ──▶ retaking ──▶ retaken_blocking       likewise
//       retaken_running ──▶ running, idle    the owner: out of `retaken_`, and into `active_` where it runs
//      retaken_blocking ──▶ running          likewise
//
// Invariants
//  1. Owner and monitor change the status by compare-exchange, so neither overwrites what the other has done.
//  2. The monitor counts while the status is `retaking`, and the owner waits for the end of that. So what the owner finds has been counted, and a
//     count is never below what it counts: `active_` would wrap around, and a worker that goes idle would believe that others are awake.

namespace tenon::detail {

void scheduler::activate() noexcept {
  if (count_in()) monitor::wake();
}

/// The status of one's own worker: waits while the monitor changes it and its counts, a few instructions.
worker_status scheduler::settled(const worker& w) noexcept {
  worker_status now = w.status.load(std::memory_order_acquire);
  while (now == worker_status::retaking) {
    let_others_run();
    now = w.status.load(std::memory_order_acquire);
  }
  return now;
}

/// The owner's change of its status. Returns what it was: where the monitor has retaken the worker, the counts are the caller's to set right.
worker_status scheduler::change(worker& w, worker_status to) noexcept {
  worker_status was = settled(w);
  while (!w.status.compare_exchange_weak(was, to, std::memory_order_seq_cst, std::memory_order_relaxed))
    was = settled(w);
  return was;
}

/// Back from being retaken by the monitor: this worker counts again.
void scheduler::rejoin(worker& w) noexcept {
  if (TENON_LIKELY(w.status.load(std::memory_order_relaxed) == worker_status::running)) return;
  if (change(w, worker_status::running) == worker_status::retaken_running) {
    activate();
    retaken_.fetch_sub(1, std::memory_order_seq_cst);
  }
}

bool scheduler::retake(worker& w, worker_status seen) noexcept {
  // By way of `retaking`, so that the owner cannot undo what has not been counted yet.
  const worker_status retaken =
      seen == worker_status::blocking ? worker_status::retaken_blocking : worker_status::retaken_running;
  if (!w.status.compare_exchange_strong(seen, worker_status::retaking, std::memory_order_seq_cst)) return false;
  retaken_.fetch_add(1, std::memory_order_seq_cst);
  active_.fetch_sub(1, std::memory_order_seq_cst);
  w.status.store(retaken, std::memory_order_seq_cst);
  w.resched.store(true, std::memory_order_relaxed);
  return true;
}

}  // namespace tenon::detail
