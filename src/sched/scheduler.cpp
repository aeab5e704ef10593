#include "sched/scheduler.hpp"

#include <algorithm>
#include <mutex>

#include "platform/annotate.hpp"
#include "platform/futex.hpp"
#include "sched/monitor.hpp"

// Making work visible, switching from one goroutine to the next, and going to sleep without missing any. Looking for work is in search.cpp, starting
// and stopping in run.cpp, goroutines in goroutine.cpp, blocking and pinning in blocking.cpp, a worker's status in worker_status.cpp, the look for a
// deadlock in deadlock.cpp.

namespace tenon::detail {

namespace {
constexpr std::uint32_t max_failed_searches = 3;  // searches
constexpr clock::nanos brief = 50'000;
}  // namespace

constinit immortal_scheduler the_only_scheduler;

// ---------------------------------------------------------------- making work visible

void scheduler::ready_slow(worker* w, goroutine_core* g) noexcept {
  if (worker* home = g->pinned.load(std::memory_order_relaxed); TENON_UNLIKELY(home != nullptr)) {
    home->locked_ready.store(true, std::memory_order_release);
    home->sleep_word.store(1, std::memory_order_release);
    futex::wake_one(home->sleep_word);
    return;
  }
  if (w == nullptr || w->no_local_queue) return inject(g);
  if (w->current == nullptr) {  // a timer or the poller, on the worker's own stack: first come, first served
    if (injected_.load(std::memory_order_relaxed) != 0) return inject(g);
    const bool runs_it_next =
        w->slot.load(std::memory_order_relaxed) == nullptr && w->woken.size() == 0 && w->fresh.size() == 0;
    push_woken(*w, g);
    if (!runs_it_next || !w->wakes_briefly) wake_one();
    return;
  }
  bool alone = false;
  {
    const owner_guard hold(w->queue_lock);
    goroutine_core* before = w->slot.load(std::memory_order_relaxed);
    w->slot.store(g, std::memory_order_relaxed);
    if (before == nullptr) return;
    alone = w->woken.size() == 0;
    push_locked(*w, w->woken, before);
  }
  if (!alone || !throttles_wake(*w)) wake_one();
}

/// Invariant 3: whether to do without a thief for the only one in a queue.
bool scheduler::throttles_wake(worker& w) noexcept {
  const std::uint32_t wake_throttle = w.wake_throttle.load(std::memory_order_relaxed);
  if (wake_throttle != 0 && w.wakes_to_skip != 0) {
    --w.wakes_to_skip;
    return true;
  }
  w.wakes_to_skip = std::min(2 * wake_throttle + 1, 1023U);
  w.wake_throttle.store(w.wakes_to_skip, std::memory_order_relaxed);
  return false;
}

void scheduler::enqueue_fresh(goroutine_core* g) noexcept {
  g->state.store(goroutine_state::runnable, std::memory_order_relaxed);
  worker* w = this_worker();
  if (w == nullptr || w->no_local_queue) return inject(g);
  const bool alone = w->fresh.size() == 0;
  {
    const owner_guard hold(w->queue_lock);
    push_locked(*w, w->fresh, g);
  }
  if (!alone || !throttles_wake(*w)) wake_one();
}

/// Half of a full queue goes to the injection queue, the half whose turn would come last: of woken ones the newest, of fresh ones the oldest.
TENON_NOINLINE void scheduler::spill(worker& w, work_queue& q, goroutine_core* g) noexcept {
  constexpr std::uint32_t half = work_queue::capacity / 2;
  goroutine_core* batch[half + 1];
  if (&q == &w.woken) {
    q.take_back(batch, half);
    batch[half] = g;
    inject_many(batch, half + 1);
  } else {
    (void)q.take_front(batch, half, false);
    inject_many(batch, half);
    (void)q.push_back(g);
  }
}

void scheduler::push_woken(worker& w, goroutine_core* g) noexcept {
  const owner_guard hold(w.queue_lock);
  push_locked(w, w.woken, g);
}

void scheduler::inject(goroutine_core* g) noexcept {
  inject_many(&g, 1);
  wake_one();
}

void scheduler::inject_many(goroutine_core** list, std::uint32_t n) noexcept {
  for (std::uint32_t i = 0; i + 1 < n; ++i) list[i]->next = list[i + 1];
  list[n - 1]->next = nullptr;
  const std::lock_guard hold(injection_lock_);
  (injected_tail_ != nullptr ? injected_tail_->next : injected_head_) = list[0];
  injected_tail_ = list[n - 1];
  injected_.fetch_add(n, std::memory_order_relaxed);
}

/// Whether there was anything.
/// With the queues locked, from either side.
bool scheduler::inject_queues(worker& w, bool and_slot) noexcept {
  goroutine_core* batch[work_queue::capacity + 1];
  bool any = false;
  for (work_queue* q : {&w.woken, &w.fresh}) {
    if (const std::uint32_t n = q->take_front(batch, work_queue::capacity, true)) {
      inject_many(batch, n);
      any = true;
    }
  }
  if (goroutine_core* g = and_slot ? take_slot(w) : nullptr) {
    inject_many(&g, 1);
    any = true;
  }
  return any;
}

bool scheduler::hand_over_queues(worker& w) noexcept {
  bool any = false;
  {
    const owner_guard hold(w.queue_lock);
    any = inject_queues(w, true);
  }
  if (any) wake_one();
  return any;
}

bool scheduler::hand_over_for(worker& w) noexcept {
  if (!w.queue_lock.try_lock_other()) return false;
  const bool any = inject_queues(w, w.slot_open.load(std::memory_order_relaxed) ||
                                        w.status.load(std::memory_order_relaxed) != worker_status::running);
  w.queue_lock.unlock_other();
  if (any) {
    wake_one();
    request_resched_everywhere();
  }
  return any;
}

void scheduler::request_resched_everywhere() noexcept {
  for (unsigned i = 0; i < worker_slots(); ++i) worker_at(i)->resched.store(true, std::memory_order_relaxed);
}

void scheduler::set_active_limit(unsigned n) noexcept {
  if (active_limit_.exchange(n, std::memory_order_relaxed) < n) {
    // Or nobody may be in the poller, and those who are active busy.
    if (has_work(false) || !poller_taken_.load(std::memory_order_relaxed)) wake_one();
  } else {
    request_resched_everywhere();  // one too many retires
  }
}

void scheduler::run_orphaned_timers() noexcept {
  orphaned_timers_.store(true, std::memory_order_relaxed);
  request_resched_everywhere();
}

void scheduler::hold_active_limit(unsigned n) noexcept {
  active_limit_held_.store(n != 0, std::memory_order_relaxed);
  if (n != 0) set_active_limit(n);
}

void scheduler::wake_one() noexcept {
  barrier::light();  // invariant 2: the work is visible before we look for sleepers
  if (active_.load(std::memory_order_relaxed) >= active_limit()) return;
  if (searching_.load(std::memory_order_relaxed) != 0) return;
  wake_for_stuck_work();
}

void scheduler::wake_for_stuck_work() noexcept {
  unsigned none = 0;
  if (!searching_.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) return;  // invariant 4
  worker* w = nullptr;
  bool first = false;
  {
    const std::lock_guard hold(idle_lock_);
    w = stopping_.load(std::memory_order_relaxed) ? nullptr : idle_list_;
    if (w != nullptr) {
      idle_list_ = w->idle_next;
      w->listed = false;
      idle_.fetch_sub(1, std::memory_order_relaxed);
      // Under the lock: it may be waking of itself at this very moment, and takes it from here that it has been counted.
      w->searching = true;
      first = count_in();
    }
  }
  if (w != nullptr) {
    wake_worker(*w);
    if (first) monitor::wake();
  } else if (stopping_.load(std::memory_order_relaxed) || new_worker(true) == nullptr) {
    searching_.fetch_sub(1, std::memory_order_seq_cst);
    // A worker that went to sleep meanwhile has taken us for one that may find work: it looks for a deadlock again.
    look_again();
  }
}

/// Ends the sleep of a worker that has been taken off the idle list.
void scheduler::wake_worker(worker& w) noexcept {
  wakes_.fetch_add(1, std::memory_order_relaxed);
  w.sleep_word.store(1, std::memory_order_seq_cst);
  if (w.in_poller.load(std::memory_order_seq_cst)) {
    poll()->wake();
  } else {
    futex::wake_one(w.sleep_word);
  }
}

void scheduler::timer_started(clock::nanos when) noexcept {
  barrier::light();
  const clock::nanos until = poll_until_.load(std::memory_order_relaxed);
  if (until != 0 && when < until) poll()->wake();
}

// ---------------------------------------------------------------- the fast path

TENON_INLINE goroutine_core* scheduler::pick_locked(worker& w) noexcept {
  if (w.woken.size() == 0 || slot_goes_first(w)) {
    if (goroutine_core* g = take_slot(w)) {
      ++w.slice_switches;
      return g;
    }
  }
  begin_slice(w);
  if (goroutine_core* g = w.woken.pop_front()) return g;
  return w.fresh.pop_back();
}

/// Counts the switch. False when it is time to look around.
TENON_INLINE bool scheduler::may_pick(worker& w) noexcept {
  const std::uint32_t tick = w.tick.load(std::memory_order_relaxed) + 1;
  w.tick.store(tick, std::memory_order_relaxed);
  return TENON_LIKELY(tick % 64 != 0 && !w.resched.load(std::memory_order_relaxed));
}

void scheduler::switch_away(goroutine_core* g, bool is_end) noexcept {
  worker& w = *this_worker();
  goroutine_core* next = nullptr;
  if (may_pick(w)) {
    const owner_guard hold(w.queue_lock);
    next = pick_locked(w);
  }
  if (next == g) {  // woken before it had left
    g->state.store(goroutine_state::running, std::memory_order_relaxed);
    return;
  }
  switch_to(w, g, next, is_end);
}

/// To `next`, or, if there is none, to the worker's own stack to look for one.
TENON_INLINE void scheduler::switch_to(worker& w, goroutine_core* g, goroutine_core* next, bool is_end) noexcept {
  g->caught_exceptions = w.eh->caught;
  g->uncaught_exceptions = w.eh->uncaught;
  machine_context* to = &w.idle;
  if (next != nullptr) {
    await_off_cpu(next->ctx);
    next->ctx.busy.store(1, std::memory_order_relaxed);
    next->state.store(goroutine_state::running, std::memory_order_relaxed);
    w.eh->caught = next->caught_exceptions;
    w.eh->uncaught = next->uncaught_exceptions;
    to = &next->ctx;
  } else {
    w.eh->caught = nullptr;
    w.eh->uncaught = 0;
  }
  w.current = next;
  w.running.store(next, std::memory_order_relaxed);
  annotate::happens_before(&w.thread);      // what it left in thread-specific data, which the thread frees at its end
  if (is_end) annotate::happens_before(g);  // what we have left on its stack since end_goroutine's
  switch_context(&g->ctx, to, is_end);
  // From here on another worker may be under us.
}

void scheduler::yield() noexcept {
  worker& w = *this_worker();
  goroutine_core* g = w.current;
  if (w.locked != nullptr) {
    let_others_run();
    return;
  }
  g->state.store(goroutine_state::runnable, std::memory_order_relaxed);
  goroutine_core* next = nullptr;
  {
    const owner_guard hold(w.queue_lock);
    // The others go first: also those that have not run yet, in the order in which they were made.
    while (goroutine_core* fresh = w.fresh.pop_front()) push_locked(w, w.woken, fresh);
    push_locked(w, w.woken, g);
    if (may_pick(w)) next = pick_locked(w);
  }
  if (next == g) {
    g->state.store(goroutine_state::running, std::memory_order_relaxed);
    return;
  }
  switch_to(w, g, next, false);
}

void scheduler::worker_main(worker& w) noexcept {
  while (goroutine_core* g = find_work(w)) {
    await_off_cpu(g->ctx);
    g->ctx.busy.store(1, std::memory_order_relaxed);
    g->state.store(goroutine_state::running, std::memory_order_relaxed);
    w.eh->caught = g->caught_exceptions;
    w.eh->uncaught = g->uncaught_exceptions;
    w.current = g;
    w.running.store(g, std::memory_order_relaxed);
    switch_context(&w.idle, &g->ctx);
  }
}

// ---------------------------------------------------------------- going idle

/// Whether this worker is one too many. If so it has given its work away and must go idle.
bool scheduler::retire(worker& w) noexcept {
  if (TENON_LIKELY(active_.load(std::memory_order_relaxed) <= active_limit())) return false;
  stop_searching(w);
  const clock::nanos now = clock::now();
  if (next_timer() <= now) run_all_timers(now);  // it may be why we woke
  // Those that go on would come to the injection queue within 64 steps; one that has waited for a timer shall not wait for that.
  if (hand_over_queues(w)) request_resched_everywhere();
  return true;
}

void scheduler::go_idle(worker& w) noexcept {
  stop_searching(w);
  const clock::nanos began = clock::real();
  w.wakes_briefly = began - w.woke_at < brief;
  w.slept.store(w.slept.load(std::memory_order_relaxed) - began, std::memory_order_relaxed);
  w.sleep_word.store(0, std::memory_order_relaxed);
  const bool retaken = change(w, worker_status::idle) == worker_status::retaken_running;
  {
    const std::lock_guard hold(idle_lock_);
    w.idle_next = idle_list_;
    idle_list_ = &w;
    w.listed = true;
    idle_.fetch_add(1, std::memory_order_relaxed);
  }
  if (retaken) retaken_.fetch_sub(1, std::memory_order_seq_cst);
  const unsigned others = retaken ? active() : active_.fetch_sub(1, std::memory_order_seq_cst) - 1;
  barrier::heavy();  // invariant 2: we are listed before we look once more
  const bool enough = others >= active_limit();
  // What a worker that makes progress has had in its queue for several searches, and no thief could catch, it will run itself; should it
  // get stuck after all, the monitor wakes a worker. Only the last one has no other to leave anything to.
  const bool more = !enough && has_work(false) && (others == 0 || ++w.failed_searches <= max_failed_searches);
  if (stopping_.load(std::memory_order_seq_cst) || more) {
    w.sleep_word.store(1, std::memory_order_relaxed);
  } else {
    w.failed_searches = 0;
  }
  poller::events come;
  sleep(w, come, enough);
  {
    const std::lock_guard hold(idle_lock_);
    if (w.listed) {  // not woken by another: a timer, a descriptor, work that we saw ourselves, the end
      worker** link = &idle_list_;
      while (*link != &w) link = &(*link)->idle_next;
      *link = w.idle_next;
      w.listed = false;
      idle_.fetch_sub(1, std::memory_order_relaxed);
      (void)count_in();
    }
  }
  w.status.store(worker_status::running, std::memory_order_seq_cst);
  w.woke_at = clock::real();
  w.slept.store(w.slept.load(std::memory_order_relaxed) + w.woke_at, std::memory_order_relaxed);
  set_coarse_now(w.woke_at);
  monitor::wake();
  poller::tell(come);  // not before this worker counts: it would wake another for what it does itself, or even itself
}

/// Until it is woken, or until descriptors have become ready, which `come` says then. `enough`: as many as may be are active.
void scheduler::sleep(worker& w, poller::events& come, bool enough) noexcept {
  if (w.sleep_word.load(std::memory_order_seq_cst) != 0) return;
  if (enough &&
      !simulated()) {  // the descriptors are theirs: in the poller each event would wake this one, for nothing
    const clock::nanos until = w.timers.next();
    while (w.sleep_word.load(std::memory_order_acquire) == 0) {
      const clock::nanos left = until == clock::never ? -1 : until - clock::now();
      if (until != clock::never && left <= 0) return;
      futex::wait(w.sleep_word, 0, left);
    }
    return;
  }
  if (poller_taken_.exchange(true, std::memory_order_seq_cst)) {
    // The sleeper in the poller looked while we were still active: we may be the last.
    look_for_deadlock();
    if (deadlock_recheck_.load(std::memory_order_relaxed))
      poll()->wake();  // it repeats the look, and sleeps with a timeout
    while (w.sleep_word.load(std::memory_order_acquire) == 0) futex::wait(w.sleep_word, 0);
    return;
  }
  // Invariant 5. `wake_worker` reads in_poller after it has written sleep_word; we write and read in the opposite order.
  w.in_poller.store(true, std::memory_order_seq_cst);
  clock::nanos until = clock::never;
  do {
    until = next_timer();
    poll_until_.store(until, std::memory_order_seq_cst);
    barrier::heavy();  // pairs with timer_started
  } while (next_timer() < until);
  if (w.sleep_word.load(std::memory_order_seq_cst) == 0) {
    std::int64_t timeout = until == clock::never ? -1 : std::max<clock::nanos>(until - clock::now(), 0);
    deadlock_recheck_.store(false, std::memory_order_relaxed);
    look_for_deadlock();
    if (timeout < 0 && deadlock_recheck_.load(std::memory_order_relaxed)) timeout = 1'000'000'000;
    poll()->wait(timeout, come);
    polled_at_.store(clock::real(), std::memory_order_relaxed);
  }
  poll_until_.store(0, std::memory_order_relaxed);
  w.in_poller.store(false, std::memory_order_seq_cst);
  poller_taken_.store(false, std::memory_order_seq_cst);
}

}  // namespace tenon::detail
