#include <utility>

#include "platform/annotate.hpp"
#include "sched/explorer.hpp"
#include "sched/scheduler.hpp"

// A run under a virtual clock (src/sim): one worker, always one goroutine at a time, and every choice of the next one is the chooser's.
//
// Invariants
//  1. Time moves only when no goroutine can run and nothing outside may still wake one: not while a blocking call goes on, and not before
//     the descriptors have been looked at. (It does not wait for them: what comes from outside may be late.)
//     So a move of the clock is an order: each thing done before it happens before each thing done after it.
//     An exploration may let it move while goroutines can run, as if what they do took time.
//  2. The order depends on nothing but the choices: no slice, no monitor (sched/monitor.cpp leaves a running worker alone), no theft.

namespace tenon::detail {

/// All that can run, in one queue. (More than a queue holds wait in the injection queue, and come in turn.)
void scheduler::gather_runnable(worker& w) noexcept {
  if (w.woken.size() < work_queue::capacity / 2) {
    if (goroutine_core* g = take_injected(w)) push_woken(w, g);
  }
  const owner_guard hold(w.queue_lock);
  if (goroutine_core* g = w.slot.exchange(nullptr, std::memory_order_relaxed)) push_locked(w, w.woken, g);
  while (goroutine_core* g = w.fresh.pop_front()) push_locked(w, w.woken, g);
}

/// Any of those that can run, as the chooser decides, or the explorer.
goroutine_core* scheduler::pick_simulated(worker& w) noexcept {
  stop_searching(w);
  if (w.tick.load(std::memory_order_relaxed) % 64 == 0) poll_descriptors();  // also while goroutines only yield
  for (;;) {
    if (w.timers.next() != clock::never) run_timers(w, clock::now());
    gather_runnable(w);
    if (w.woken.size() == 0)
      return w.waits_for_all != nullptr && live() == 1 ? std::exchange(w.waits_for_all, nullptr) : nullptr;
    std::uint32_t i = std::exchange(w.picked, explorer::stays);
    if (i == explorer::stays) i = pick_of(w);
    if (i != explorer::time_passes) {
      const owner_guard hold(w.queue_lock);
      return w.woken.take_at(i);
    }
    pass_time(next_timer());
  }
}

std::uint32_t scheduler::pick_of(worker& w) noexcept {
  if (explorer* e = the_explorer.load(std::memory_order_relaxed); TENON_UNLIKELY(e != nullptr)) {
    goroutine_core* ready[work_queue::capacity];
    return e->pick(ready, w.woken.copy_to(ready), nullptr, time_may_pass());
  }
  const std::uint32_t n = w.woken.size();
  return n == 1 ? 0 : choose(n);
}

/// g, which runs, is at a point: another may go first, or the clock go on.
void scheduler::preempt(goroutine_core* g) noexcept {
  worker& w = *this_worker();
  gather_runnable(w);
  if (w.woken.size() == work_queue::capacity) return;  // no room for g
  goroutine_core* ready[work_queue::capacity];
  const std::uint32_t n = w.woken.copy_to(ready);
  const std::uint32_t i = the_explorer.load(std::memory_order_relaxed)->pick(ready, n, g, time_may_pass());
  if (i == explorer::stays) return;
  w.picked = i;
  yield();
}

void scheduler::begin_again() noexcept {
  worker& w = *this_worker();
  w.current->system.store(true, std::memory_order_relaxed);
  w.current->id.store(0, std::memory_order_relaxed);
  w.next_id = w.last_id = 0;
  ids_.store(0, std::memory_order_relaxed);
}

void scheduler::await_end_of_others() noexcept {
  worker& w = *this_worker();
  w.waits_for_all = w.current;
  commit_wait(begin_wait(wait_reason::none));
  annotate::happens_after(&w.thread);  // all that they have done, and that those before them have
}

/// Whether the clock could go on while goroutines can run: nothing outside is about to wake one.
bool scheduler::time_may_pass() const noexcept {
  return next_timer() != clock::never && active_.load(std::memory_order_seq_cst) <= 1 &&
         retaken_.load(std::memory_order_seq_cst) == 0 && outside_wakers_.load(std::memory_order_seq_cst) == 0;
}

/// The clock goes to the next timer.
void scheduler::pass_time(clock::nanos next) noexcept {
  // All goroutines have left their stacks for this thread's: what was done at earlier moments happens before what is done from now on.
  annotate::happens_after(&worker_at(0)->thread);
  if (next > clock::now()) clock::virtual_now.store(next, std::memory_order_relaxed);
  run_all_timers(clock::now());
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
  if (explorer* e = the_explorer.load(std::memory_order_relaxed); TENON_UNLIKELY(e != nullptr)) e->waits_for_timer();
  pass_time(next);
  return true;
}

}  // namespace tenon::detail
