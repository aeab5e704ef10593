#include "platform/annotate.hpp"
#include "sched/scheduler.hpp"

// A run under a virtual clock (src/sim): one worker, always one goroutine at a time, and every choice of the next one is the chooser's.
//
// Invariants
//  1. Time moves only when no goroutine can run and nothing outside may still wake one: not while a blocking call goes on, and not before
//     the descriptors have been looked at. (It does not wait for them: what comes from outside may be late.)
//     So a move of the clock is an order: each thing done before it happens before each thing done after it.
//  2. The order depends on nothing but the choices: no slice, no monitor (sched/monitor.cpp leaves a running worker alone), no theft.

namespace tenon::detail {

/// Any of those that can run, as the chooser decides. (More than a queue holds wait in the injection queue, and come in turn.)
goroutine_core* scheduler::pick_simulated(worker& w) noexcept {
  stop_searching(w);
  if (w.tick.load(std::memory_order_relaxed) % 64 == 0) poll_descriptors();  // also while goroutines only yield
  if (w.timers.next() != clock::never) run_timers(w, clock::now());
  if (w.woken.size() < work_queue::capacity / 2) {
    if (goroutine_core* g = take_injected(w)) push_woken(w, g);
  }
  const owner_guard hold(w.queue_lock);
  if (goroutine_core* g = w.slot.exchange(nullptr, std::memory_order_relaxed)) push_locked(w.woken, g);
  while (goroutine_core* g = w.fresh.pop_front()) push_locked(w.woken, g);
  const std::uint32_t n = w.woken.size();
  return n == 0 ? nullptr : w.woken.take_at(n == 1 ? 0 : choose(n));
}

/// Everybody waits: the virtual clock goes to the next timer, unless a blocking call may still wake a goroutine before, or a descriptor is ready.
bool scheduler::advance_clock() noexcept {
  if (active_.load(std::memory_order_seq_cst) > 1 || retaken_.load(std::memory_order_seq_cst) != 0 ||
      outside_wakers_.load(std::memory_order_seq_cst) != 0 || has_work(true)) {
    return false;
  }
  if (poll_descriptors()) return true;
  const clock::nanos next = next_timer();
  if (next == clock::never) return false;
  // Everybody waits, and has left its stack for this thread's: what was done at earlier moments happens before what is done from now on.
  annotate::happens_after(&worker_at(0)->thread);
  if (next > clock::now()) clock::virtual_now.store(next, std::memory_order_relaxed);
  run_all_timers(clock::now());
  return true;
}

}  // namespace tenon::detail
