#include <algorithm>
#include <mutex>
#include <utility>

#include <tenon/detail/atomic.hpp>

#include "platform/annotate.hpp"
#include "platform/barrier.hpp"
#include "platform/compiler.hpp"
#include "sched/scheduler.hpp"

// Looking for work, on the worker's own stack: its own queues, the timers, the injection queue, the descriptors, the others' queues. See the order in
// scheduler.hpp, and invariants 3 to 5.

namespace tenon::detail {

namespace {
constexpr clock::nanos search_ns = 10'000;  // how long a worker looks before it sleeps
constexpr clock::nanos poll_ns = 3'000;     // and how often at the descriptors meanwhile: each look is a system call
constexpr std::uint32_t steal_min =
    4;  // goroutines in a queue: so many are worth taking some, however busy their worker is
constexpr clock::nanos steal_stale = 3'000;  // fewer are worth it when they have not moved for so long
}  // namespace

goroutine_core* scheduler::find_work(worker& w) noexcept {
  for (;;) {
    w.resched.store(simulated_ || w.locked != nullptr, std::memory_order_relaxed);  // these look around every time
    w.slot_open.store(false, std::memory_order_relaxed);
    w.queue_lock.rebias();
    // Also where the run is over: the goroutine may have ended elsewhere by now.
    if (w.in_blocking != nullptr) end_blocking(w);
    if (stopping_.load(std::memory_order_acquire)) {
      stop_searching(w);
      return nullptr;
    }
    rejoin(w);
    if (w.locked != nullptr) return wait_locked(w);
    if (TENON_UNLIKELY(simulated_)) {
      if (goroutine_core* g = pick_simulated(w)) return g;
      if (advance_clock()) continue;
    } else if (!retire(w)) {
      (void)poll_neglected_descriptors();
      goroutine_core* g = local_work(w, true);
      if (g != nullptr) {
        if (w.searching) {
          stop_searching(w);
          wake_one();
        }
        return g;
      }
      if ((g = search(w)) != nullptr) return g;
    }
    go_idle(w);
  }
}

goroutine_core* scheduler::local_work(worker& w, bool fair) noexcept {
  if (TENON_UNLIKELY(orphaned_timers_.load(std::memory_order_relaxed)) &&
      orphaned_timers_.exchange(false, std::memory_order_relaxed)) {
    run_all_timers(clock::now());
  }
  if (w.timers.next() != clock::never) run_timers(w, clock::now());
  if (TENON_UNLIKELY(w.take_oldest.load(std::memory_order_relaxed))) {
    w.take_oldest.store(false, std::memory_order_relaxed);
    const owner_guard hold(w.queue_lock);
    if (goroutine_core* g = w.fresh.pop_front()) return g;
  }
  // The injection queue goes first, but not every time: where blocking calls keep it filled, fresh ones have a turn between.
  const bool turn_of_fresh = std::exchange(w.came_from_injection, false) && w.fresh.size() != 0;
  if (!turn_of_fresh) {
    if (goroutine_core* g = take_injected(w)) {
      w.came_from_injection = true;
      return g;
    }
  }
  const owner_guard hold(w.queue_lock);
  if (!turn_of_fresh && slot_goes_first(w)) {
    if (goroutine_core* g = take_slot(w)) return g;
  }
  begin_slice(w);
  // Woken and fresh go first in turn, so neither starves behind the other.
  const bool fresh_first = turn_of_fresh || (fair && (w.tick.load(std::memory_order_relaxed) / 64) % 2 == 0);
  goroutine_core* g = fresh_first ? w.fresh.pop_back() : w.woken.pop_front();
  if (g == nullptr) g = fresh_first ? w.woken.pop_front() : w.fresh.pop_back();
  return g != nullptr ? g : take_slot(w);
}

goroutine_core* scheduler::take_injected(worker& w) noexcept {
  if (injected_.load(std::memory_order_relaxed) == 0) return nullptr;
  goroutine_core* first = nullptr;
  goroutine_core* rest = nullptr;
  {
    const std::lock_guard hold(injection_lock_);
    if (injected_head_ == nullptr) return nullptr;
    const std::uint32_t available = injected_.load(std::memory_order_relaxed);
    // For woken ones. Fresh ones that find none only change places with older ones, and must not hold up what comes behind them.
    const std::uint32_t room = work_queue::capacity - w.woken.size();
    std::uint32_t n = std::min({available / active_limit() + 1, available, work_queue::capacity / 2, room + 1});
    injected_.fetch_sub(n, std::memory_order_relaxed);
    first = injected_head_;
    goroutine_core* last = first;
    while (--n > 0) last = last->next;
    injected_head_ = last->next;
    if (injected_head_ == nullptr) injected_tail_ = nullptr;
    last->next = nullptr;
    rest = first->next;
  }
  if (rest == nullptr) return first;
  const owner_guard hold(w.queue_lock);
  while (rest != nullptr) {
    goroutine_core* g = rest;
    rest = rest->next;
    push_locked(w, g->has_run ? w.woken : w.fresh, g);
  }
  return first;
}

goroutine_core* scheduler::steal(worker& w, clock::nanos now) noexcept {
  const unsigned n = worker_slots();
  const unsigned start = w.random.below(n);
  for (unsigned i = 0; i < n; ++i) {
    worker* v = worker_at((start + i) % n);
    if (v == &w) continue;
    const bool slot_is_free = v->slot_open.load(std::memory_order_relaxed) ||
                              v->status.load(std::memory_order_relaxed) != worker_status::running;
    const bool has_slot = slot_is_free && v->slot.load(std::memory_order_relaxed) != nullptr;
    const std::uint32_t queued = v->woken.size() + v->fresh.size();
    if (queued == 0 && !has_slot) continue;
    if (queued < steal_min && !has_slot) {  // invariant 3
      const std::uint32_t mark = v->woken.mark() ^ v->fresh.mark();
      if (v->seen.load(std::memory_order_relaxed) != mark) {
        v->seen.store(mark, std::memory_order_relaxed);
        v->seen_at.store(now, std::memory_order_relaxed);
        continue;
      }
      if (now - v->seen_at.load(std::memory_order_relaxed) < steal_stale) continue;
    }
    if (!v->queue_lock.try_lock_other()) continue;
    goroutine_core* batch[work_queue::capacity / 2];
    std::uint32_t got = v->woken.take_front(batch, work_queue::capacity / 2, false);
    if (got == 0) got = v->fresh.take_front(batch, work_queue::capacity / 2, false);
    if (got != 0) {
      v->wake_throttle.store(0, std::memory_order_relaxed);
    } else if (slot_is_free && (batch[0] = take_slot(*v)) != nullptr) {
      got = 1;
    }
    v->queue_lock.unlock_other();
    if (got == 0) continue;
    w.steals.store(w.steals.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (got > 1) {
      // Fresh ones stay fresh: as woken ones they would all be started before any of them could finish.
      const owner_guard hold(w.queue_lock);
      for (std::uint32_t k = got; k-- > 1;) push_locked(w, batch[k]->has_run ? w.woken : w.fresh, batch[k]);
    }
    return batch[0];
  }
  return nullptr;
}

goroutine_core* scheduler::search(worker& w) noexcept {
  if (!w.searching) {
    searching_.fetch_add(1, std::memory_order_seq_cst);
    w.searching = true;
  }
  // Where no other is active, nothing comes but from outside, for which there is the poller; or by a timer, and none is worth a sleep so short.
  const clock::nanos began = clock::now();
  const bool may_come =
      (active_.load(std::memory_order_relaxed) > 1 && w.spin.worth_it()) || next_timer() - began < search_ns;
  const clock::nanos deadline = began + (may_come ? search_ns : 0);
  clock::nanos polls_at = 0;
  bool spun = false;
  bool by_descriptors = false;
  goroutine_core* found = nullptr;
  for (;;) {
    const clock::nanos now = clock::now();
    if (next_timer() <= now) run_all_timers(now);
    if ((found = local_work(w, false)) != nullptr) break;
    if (now >= polls_at) {
      if (poll_descriptors()) {
        by_descriptors = true;
        continue;
      }
      polls_at = now + poll_ns;
    }
    if ((found = steal(w, now)) != nullptr) break;
    if (stopping_.load(std::memory_order_relaxed)) break;
    // What is there but may not be taken yet (steal_stale) is worth waiting for in any case.
    if (now >= deadline && (now - began >= search_ns || !has_work(false))) break;
    spun = true;
    for (int i = 0; i < 16; ++i) cpu_relax();
  }
  stop_searching(w);
  if (spun) w.spin.spun(found != nullptr && !by_descriptors);
  if (found != nullptr) {
    w.failed_searches = 0;
    // Invariant 4: there may be more. Where no other is active that can be told, for little: the barrier disturbs nobody.
    const bool alone = w.wakes_briefly && active_.load(std::memory_order_relaxed) == 1;
    if (alone) barrier::heavy();
    if (!alone || has_work(false)) wake_one();
  }
  return found;
}

void scheduler::stop_searching(worker& w) noexcept {
  if (!w.searching) return;
  w.searching = false;
  searching_.fetch_sub(1, std::memory_order_seq_cst);
}

void scheduler::run_timers(worker& w, clock::nanos now) noexcept { w.timers.run_due(now); }

void scheduler::run_all_timers(clock::nanos now) noexcept {
  for (unsigned i = 0; i < worker_slots(); ++i) {
    worker* v = worker_at(i);
    annotate::happens_after(v);
    v->timers.run_due(now);
  }
}

clock::nanos scheduler::next_timer() const noexcept {
  clock::nanos next = clock::never;
  for (unsigned i = 0; i < worker_slots(); ++i) next = std::min(next, worker_at(i)->timers.next());
  return next;
}

bool scheduler::has_work(bool and_slots) const noexcept {
  if (injected_.load(std::memory_order_relaxed) != 0) return true;
  for (unsigned i = 0; i < worker_slots(); ++i) {
    const worker* v = worker_at(i);
    if (v->woken.size() != 0 || v->fresh.size() != 0) return true;
    if (and_slots && v->locked_ready.load(std::memory_order_seq_cst)) return true;
    if (v->slot.load(std::memory_order_relaxed) != nullptr &&
        (and_slots || v->slot_open.load(std::memory_order_relaxed) ||
         v->status.load(std::memory_order_relaxed) != worker_status::running)) {
      return true;
    }
  }
  return false;
}

}  // namespace tenon::detail
