#pragma once

// Workers and how work finds them.
//
// A worker is an OS thread with a last-woken slot, a queue of woken goroutines (first in, first out), a queue of fresh ones
// (last in, first out: a tree of spawns runs depth first, in bounded memory), a timer heap and a pool of stacks. At most `active_limit` workers are
// active at a time, which is `procs` of them or, where they switch so often that fewer do more, fewer (sched/active_limit.hpp); further threads
// exist only to stand in for workers that are stuck in a blocking call or held by one goroutine.
//
//   next goroutine of a worker:  slot (for 256 switches or 1 ms in a row) → woken → fresh → (on the worker's own stack) timers, injection, poller, stealing, sleep
//   every 64th time:             poller, if neglected → timers → injection → slot → woken or fresh, in turn
//
// A queue that is full gives the half whose turn is last to the injection queue; while that holds any, what timers and descriptors make ready follows it there. So
// those who wait longest come first, also where more are ready than fit.
//
// Last in, first out starves the oldest while new ones keep coming: when the front of `fresh` has not moved for 10 ms the monitor has
// it run next. (Taking the oldest at every 64th switch turns a depth-first tree into a breadth-first one: a million stacks
// instead of sixty.)
//
// Invariants
//  1. `active_` counts the workers that run or look for goroutines, minus those that the monitor has `retaken` because they
//     are stuck. A status and its count change together as far as others can tell: the owner waits while the monitor is `retaking`.
//     The one that raises `active_` from zero wakes the monitor, which sleeps while nothing runs.
//     Only an idle worker that is woken, or a new one, raises it, and only below `active_limit_`; a worker that comes back from
//     being retaken, or wakes for a timer, may exceed it for a moment and retires at its next look around, as does one too many
//     when the limit is lowered. What it has, it gives away first.
//  2. No lost wake-up: a thread that makes work visible does barrier::light and then looks for idle workers; a worker that goes idle
//     lists itself, does barrier::heavy and then looks for work once more.
//  3. A goroutine put into a *running* worker's slot wakes no worker: its own reaches it at its next switch. If it does not within
//     tens of microseconds, the monitor opens the slot to thieves and wakes one.
//     Likewise the only fresh goroutine, for which its spawner often waits at once, and the only woken one: a thief is woken for it
//     only as often as thieves have lately come in time for one (the wake throttle). Nor for one that a worker's own timers or descriptors have made
//     ready, and which it runs next, where what it woke up for the last time did not keep it. And a thief that finds only a few in a queue leaves them
//     to their worker, unless the queue stands still: taking them would cost both more than it brings.
//  4. Workers are woken one at a time: while one is searching (`searching_` > 0) no other is woken; a searcher that
//     finds work and was the last one wakes the next, unless it is the only one that is active, and sees no more.
//  5. The last idle worker sleeps in the poller until the earliest timer of all heaps, and one too many outside it until its own. While none does, descriptors are looked at by
//     workers that search, at first and every few microseconds; and where nobody has for 100 µs, by those that have work all the time, when they look
//     around, and by the monitor. The one that sleeps there counts itself in before it tells anybody of what became ready.
//  6. Workers and the scheduler are immortal: threads end with a run, the structures are reused by the next. So the monitor thread
//     and signal handlers may look at them at any time.
//
// Glossary, with Go's word for each
//  goroutine_core       a goroutine's descriptor, parked with its stack (g)
//  worker               an OS thread and what it owns (an M with its P: here they never part)
//  slot, woken, fresh   a worker's own queues (runnext, and runq, which is one queue in Go)
//  injection queue      what threads without a queue of their own make ready (sched.runq)
//  waiter               one goroutine's or thread's place in a wait list (sudog)
//  park, unpark         stop until made ready; make ready (gopark, goready)
//  monitor              the thread that looks after stuck workers (sysmon)
//  retake               count a stuck worker out, so that another may be active in its stead (retake, handoffp)
//  no local queue       pinned or in a blocking call: what it makes ready is injected (an M without a P; LockOSThread)
//  searching            looks for work in others' queues (a spinning M)
//  adaptive spin        how long it does: only where that pays, sched/adaptive_spin.hpp (always, but by half of the busy Ms at most)
//  active-worker limit  how many may run goroutines now (GOMAXPROCS, which is only its maximum here)
//  wake throttle        how many wake-ups for a single goroutine are left out (none)
//  resched              asks a worker to look around at its next switch (preempt, which need not wait for one)
//
// Lock order: a worker's queue_lock, then injection_lock_. idle_lock_ and injection_lock_ are leaves, never held together.

#include <cstdint>

#include <tenon/detail/atomic.hpp>
#include <tenon/run.hpp>

#include "base/chooser.hpp"
#include "platform/barrier.hpp"
#include "platform/biased_lock.hpp"
#include "platform/current.hpp"
#include "platform/os_thread.hpp"
#include "platform/poller.hpp"
#include "sched/adaptive_spin.hpp"
#include "sched/explorer.hpp"
#include "sched/goroutine.hpp"
#include "sched/permits.hpp"
#include "sched/timer_heap.hpp"
#include "sched/work_queue.hpp"

namespace tenon::detail {

constexpr unsigned most_threads = 4096;
constexpr unsigned most_max_threads = 3072;  // as run_options::max_threads may say: the rest is for pinned goroutines

/// Who drives a worker's `worker_status`: the owner writes `running`, `blocking` and `idle`, the monitor turns the first two into their retaken
/// forms. It passes through `retaking`, in which its counts are not complete yet: the owner waits for the end of that.
enum class worker_status : std::uint8_t {
  offline,
  idle,
  running,
  blocking,
  retaking,
  retaken_running,
  retaken_blocking
};

/// Whether goroutines can be created: see "The end of a run" in sched/run.cpp.
enum class intake : std::uint8_t { closed, open, closing };

struct eh_globals {  // what __cxa_get_globals points to (Itanium C++ ABI)
  void* caught = nullptr;
  std::uintptr_t uncaught = 0;
};

struct alignas(cache_line) worker {
  // ---- The owner's: no other thread touches these.
  goroutine_core* current = nullptr;
  machine_context idle;          // the worker's own stack, where it looks for work and sleeps
  eh_globals* eh = nullptr;      // this thread's
  std::int64_t slice_began = 0;  // coarse clock: since when the slot goes first
  std::uint32_t slice_switches = 0;
  bool searching = false;
  bool no_local_queue = false;        // pinned, or in a blocking call: what is woken here goes elsewhere
  bool came_from_injection = false;   // what it ran at its last look around
  bool has_permit = false;            // its blocking call is counted in `blocking_permits_`
  std::uint32_t wakes_to_skip = 0;    // see throttles_wake
  std::uint32_t failed_searches = 0;  // searches in a row that found nothing although something seemed to be there
  adaptive_spin spin;                 // before it sleeps
  clock::nanos woke_at = 0;           // when it last came out of its sleep
  bool wakes_briefly = true;          // it was back soon after it last woke: invariant 3
  goroutine_core* dead_goroutine =
      nullptr;                     // ended without a handle; its stack is free once it has been switched away from
  goroutine_core* pool = nullptr;  // stacks of the default size
  unsigned pooled = 0;
  std::uint64_t next_id = 0;
  std::uint64_t last_id = 0;
  random_source random{1};
  goroutine_core* waits_for_all = nullptr;  // in await_end_of_others
  std::uint32_t picked = explorer::stays;   // of those in `woken`, by a goroutine at a point: see preempt
  goroutine_core* in_blocking = nullptr;    // whose blocking call this thread is in
  goroutine_core* locked = nullptr;         // on_this_thread: the only goroutine this thread may run
  os_thread thread;
  unsigned number = 0;

  // ---- Written by the owner, read by others.
  alignas(cache_line) detail::atomic<std::uint32_t> tick{0};  // switches so far
  detail::atomic<std::uint32_t> operations{0};                // see made_progress
  detail::atomic<goroutine_core*> running{nullptr};           // = current, for dumps
  // Released and acquired so that the sums tell: who sees an end counted sees its goroutine's creation counted, and those that it has made (live).
  detail::atomic<std::uint64_t> created{0};
  detail::atomic<std::uint64_t> ended{0};
  detail::atomic<std::uint64_t> steals{0};
  detail::atomic<clock::nanos> slept{
      0};                        // in all; less the time at which it began to, while it does, and so below zero
  detail::atomic<pid_t> tid{0};  // released when the thread can be frozen, acquired by who does it

  // ---- The owner's under queue_lock, thieves' under its other side. All three may be peeked at without.
  alignas(cache_line) biased_lock queue_lock;
  // Only the owner fills it, without the lock if it is empty: released with its goroutine, acquired by take_slot.
  detail::atomic<goroutine_core*> slot{nullptr};
  work_queue woken;
  work_queue fresh;

  // ---- Shared.
  alignas(cache_line) detail::atomic<std::uint32_t> wake_throttle{
      0};                                   // how many wakes for a single fresh goroutine to skip; thieves reset it
  detail::atomic<std::uint32_t> seen{0};    // the mark of the queues when a thief looked, see steal
  detail::atomic<clock::nanos> seen_at{0};  // and when it was first seen like that
  detail::atomic<bool> slot_open{false};    // the monitor lets thieves have the slot
  detail::atomic<bool> take_oldest{false};  // the monitor: the front of `fresh` has waited long enough
  // Look around at the next switch. Stays so where every switch has to: in a simulated run, and on the thread of a pinned goroutine.
  detail::atomic<bool> resched{false};
  // Mostly with sequential consistency (worker_status.cpp): it is weighed against the counts below. Acquired by its owner while the monitor changes
  // it; released at the end of the thread.
  detail::atomic<worker_status> status{worker_status::offline};
  // Idle: 0 asleep, 1 woken; locked: likewise. The waker releases, the worker acquires.
  detail::atomic<std::uint32_t> sleep_word{0};
  detail::atomic<bool> in_poller{false};
  detail::atomic<bool> locked_ready{false};  // released with the goroutine that is ready, acquired by its thread
  timer_heap timers;

  // ---- The idle list's (idle_lock_).
  worker* idle_next = nullptr;
  bool listed = false;
};

/// The calling thread's worker, or null. Never keep it across anything that can switch: a goroutine that parks may go on elsewhere.
TENON_INLINE worker* this_worker() noexcept { return static_cast<worker*>(current()); }

/// The running goroutine, or null on a plain thread or a worker's own stack.
goroutine_core* running_goroutine() noexcept;

/// One run at a time: a panic while there is another.
class only_run {
 public:
  explicit only_run(std::source_location where);
  only_run(const only_run&) = delete;
  only_run& operator=(const only_run&) = delete;
  ~only_run();
};

class scheduler {
 public:
  /// By who holds an only_run.
  void run(const run_options& options, void (*entry)(void*) noexcept, void* arg, std::source_location where);

  // Making work visible.
  void ready(goroutine_core* g) noexcept {
    g->state.store(goroutine_state::runnable, std::memory_order_relaxed);
    worker* w = this_worker();
    if (TENON_LIKELY(w != nullptr && w->current != nullptr && !w->no_local_queue &&
                     g->pinned.load(std::memory_order_relaxed) == nullptr &&
                     w->slot.load(std::memory_order_relaxed) == nullptr)) {
      // Invariant 3. Release: publishes g to thieves. Only this worker fills its slot, so an empty one stays empty.
      w->slot.store(g, std::memory_order_release);
      return;
    }
    ready_slow(w, g);
  }
  void ready_slow(worker* w, goroutine_core* g) noexcept;
  void enqueue_fresh(goroutine_core* g) noexcept;
  void inject(goroutine_core* g) noexcept;
  void wake_one() noexcept;
  void timer_started(clock::nanos when) noexcept;

  // Giving the worker up. On a goroutine's stack.
  void switch_away(goroutine_core* g, bool is_end) noexcept;
  void yield() noexcept;
  [[noreturn]] void end_goroutine(goroutine_core* g) noexcept;

  // Stacks and descriptors.
  /// Counts in a goroutine that is about to be created. False, and nothing is counted: there is no run, or it has ended.
  bool admit() noexcept {
    worker* w = this_worker();
    if (TENON_UNLIKELY(w == nullptr || w->current == nullptr)) return admit_from_outside();
    w->created.store(w->created.load(std::memory_order_relaxed) + 1,
                     std::memory_order_release);  // the caller keeps the run alive
    return true;
  }
  /// Undoes it.
  void dismiss() noexcept;
  /// The goroutine that the caller has been admitted for is in a queue.
  void created() noexcept {
    if (const worker* w = this_worker(); TENON_LIKELY(w != nullptr && w->current != nullptr)) return;
    being_created_.fetch_sub(1, std::memory_order_seq_cst);
    look_again();
  }
  goroutine_core* create(const spawn_options& options);
  void recycle(goroutine_core* g) noexcept;
  void discard(goroutine_core* g) noexcept;
  [[nodiscard]] std::size_t default_stack_size() const noexcept { return stack_size_; }
  static auto entry_point() noexcept { return &goroutine_main; }

  // For the monitor thread and diagnostics.
  /// Whether there is a run that has not ended.
  [[nodiscard]] bool started() const noexcept { return intake_.load(std::memory_order_acquire) != intake::closed; }
  [[nodiscard]] unsigned worker_slots() const noexcept { return workers_made_.load(std::memory_order_acquire); }
  [[nodiscard]] worker* worker_at(unsigned i) const noexcept { return workers_[i].load(std::memory_order_acquire); }
  [[nodiscard]] unsigned procs() const noexcept { return procs_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t live() const noexcept;
  /// Changes with every run.
  [[nodiscard]] std::uint32_t run_number() const noexcept { return run_number_.load(std::memory_order_relaxed); }
  [[nodiscard]] unsigned active_limit() const noexcept { return active_limit_.load(std::memory_order_relaxed); }
  void set_active_limit(unsigned n) noexcept;
  /// For tests: fixes the limit; 0 gives it back to the monitor.
  void hold_active_limit(unsigned n) noexcept;
  [[nodiscard]] bool active_limit_is_held() const noexcept {
    return active_limit_held_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] unsigned active() const noexcept { return active_.load(std::memory_order_seq_cst); }
  [[nodiscard]] bool has_work(bool and_slots) const noexcept;
  void wake_for_stuck_work() noexcept;
  /// Has a busy worker run the timers of those that are idle.
  void run_orphaned_timers() noexcept;
  /// The monitor takes a worker that seems stuck out of the count. False if it has moved on meanwhile.
  bool retake(worker& w, worker_status seen) noexcept;
  /// What a worker that is stuck has in its queues goes to where all look. False if there is nothing, or the owner is at them.
  bool hand_over_for(worker& w) noexcept;
  /// Whether no further thread may be started for runnable goroutines.
  [[nodiscard]] bool out_of_threads() const noexcept;
  /// The system has refused a thread: the monitor tries again, until it gets one or nobody needs it.
  [[nodiscard]] bool lacks_thread() const noexcept { return lacks_thread_.load(std::memory_order_seq_cst); }
  void try_lacking_thread() noexcept;
  [[nodiscard]] unsigned threads() const noexcept { return threads_.load(std::memory_order_relaxed); }
  [[nodiscard]] unsigned idle() const noexcept { return idle_.load(std::memory_order_relaxed); }
  /// Counters since the process began.
  [[nodiscard]] std::uint64_t created() const noexcept;
  [[nodiscard]] std::uint64_t wakes() const noexcept { return wakes_.load(std::memory_order_relaxed); }
  void look_for_deadlock() noexcept;
  /// No worker runs a goroutine, or is about to: what parked ones hold stays as it is.
  [[nodiscard]] bool all_parked() const noexcept {
    return active_.load(std::memory_order_seq_cst) == 0 && retaken_.load(std::memory_order_seq_cst) == 0 &&
           searching_.load(std::memory_order_seq_cst) == 0;
  }
  [[nodiscard]] std::int64_t coarse_now() const noexcept { return coarse_now_.load(std::memory_order_relaxed); }
  void set_coarse_now(clock::nanos t) noexcept { coarse_now_.store(t, std::memory_order_relaxed); }
  [[nodiscard]] const run_options& options() const noexcept { return options_; }

  // Something outside may still wake a goroutine: descriptors, and signals that end a context.
  /// Counts the goroutines that wait for a descriptor.
  void descriptor_wait(int delta) noexcept { descriptor_waits_.fetch_add(delta, std::memory_order_seq_cst); }
  /// Wakes those whose descriptor is ready, unless there are none, or a worker sleeps in the poller and will. Whether there was any.
  bool poll_descriptors() noexcept {
    if (descriptor_waits_.load(std::memory_order_relaxed) == 0 || poller_taken_.load(std::memory_order_relaxed)) {
      return false;
    }
    polled_at_.store(clock::real(), std::memory_order_relaxed);
    return poll()->poll();
  }
  /// The same, if nobody has for a while.
  bool poll_neglected_descriptors() noexcept {
    constexpr clock::nanos while_ns = 100'000;
    return descriptor_waits_.load(std::memory_order_relaxed) != 0 &&
           clock::real() - polled_at_.load(std::memory_order_relaxed) >= while_ns && poll_descriptors();
  }
  void set_interrupt_check(bool (*would_wake)() noexcept) noexcept {
    interrupt_would_wake_.store(would_wake, std::memory_order_release);
  }
  void outside_waker(int delta) noexcept {
    outside_wakers_.fetch_add(delta, std::memory_order_seq_cst);
    if (delta < 0) look_again();
  }
  /// By a thread that was a reason not to report a deadlock and is none any more: where all workers have gone to sleep meanwhile, the one in the
  /// poller looks again.
  void look_again() noexcept {
    if (active() == 0 && started() && poll() != nullptr) poll()->wake();
  }
  /// A thread counts itself in when it sleeps; its waker counts it out: it may wake others before it has noticed itself.
  void thread_parked(int delta) noexcept { parked_threads_.fetch_add(delta, std::memory_order_seq_cst); }
  /// In a child of fork, which has none of its parent's threads but the caller.
  void threads_are_gone() noexcept { parked_threads_.store(0, std::memory_order_relaxed); }
  /// Null before the first run.
  [[nodiscard]] poller* poll() const noexcept { return poller_.load(std::memory_order_acquire); }

  /// For src/sim, between runs: one worker, who runs next is the chooser's to say, and the virtual clock moves when everybody waits.
  void simulate(bool on) noexcept { simulated_ = on; }
  [[nodiscard]] bool simulated() const noexcept { return simulated_; }
  void preempt(goroutine_core* g) noexcept;
  /// For lib/run.cpp: the caller, the only goroutine, is about to start one that counts as the first; it becomes invisible.
  void begin_again() noexcept;
  void await_end_of_others() noexcept;

  worker* blocking_enter() noexcept;
  void blocking_leave(const worker* entered) noexcept;
  void pin() noexcept;
  void unpin() noexcept;

 private:
  static bool may_pick(worker& w) noexcept;
  goroutine_core* pick_locked(worker& w) noexcept;
  /// The slot's goroutine, taken out. Under queue_lock. Acquire: for a thief, what its waker did; `ready` fills the slot without the lock.
  static goroutine_core* take_slot(worker& w) noexcept {
    goroutine_core* g = w.slot.load(std::memory_order_acquire);
    if (g != nullptr) w.slot.store(nullptr, std::memory_order_relaxed);
    return g;
  }
  /// Goroutines that wake each other through the slot go first for a while: so long, and so often.
  [[nodiscard]] bool slot_goes_first(const worker& w) const noexcept {
    return w.slice_switches < 256 && coarse_now() - w.slice_began < 1'000'000;
  }
  void begin_slice(worker& w) const noexcept {
    w.slice_began = coarse_now();
    w.slice_switches = 0;
  }
  void switch_to(worker& w, goroutine_core* g, goroutine_core* next, bool is_end) noexcept;
  void worker_main(worker& w) noexcept;
  goroutine_core* find_work(worker& w) noexcept;
  goroutine_core* local_work(worker& w, bool fair) noexcept;
  goroutine_core* take_injected(worker& w) noexcept;
  void gather_runnable(worker& w) noexcept;
  goroutine_core* pick_simulated(worker& w) noexcept;
  std::uint32_t pick_of(worker& w) noexcept;
  [[nodiscard]] bool time_may_pass() const noexcept;
  void pass_time(clock::nanos next) noexcept;
  bool advance_clock() noexcept;
  goroutine_core* steal(worker& w, clock::nanos now) noexcept;
  goroutine_core* search(worker& w) noexcept;
  goroutine_core* wait_locked(worker& w) noexcept;
  void run_timers(worker& w, clock::nanos now) noexcept;
  void run_all_timers(clock::nanos now) noexcept;
  [[nodiscard]] clock::nanos next_timer() const noexcept;
  void go_idle(worker& w) noexcept;
  void sleep(worker& w, poller::events& come, bool enough) noexcept;
  void stop_searching(worker& w) noexcept;
  void rejoin(worker& w) noexcept;
  bool retire(worker& w) noexcept;
  bool inject_queues(worker& w, bool and_slot) noexcept;
  bool hand_over_queues(worker& w) noexcept;
  void request_resched_everywhere() noexcept;
  void push_woken(worker& w, goroutine_core* g) noexcept;
  /// q is one of w's, under its queue_lock.
  void push_locked(worker& w, work_queue& q, goroutine_core* g) noexcept {
    if (TENON_UNLIKELY(!q.push_back(g))) spill(w, q, g);
  }
  static bool throttles_wake(worker& w) noexcept;
  void spill(worker& w, work_queue& q, goroutine_core* g) noexcept;
  void inject_many(goroutine_core** list, std::uint32_t n) noexcept;
  worker* new_worker(bool searching) noexcept;
  void wake_worker(worker& w) noexcept;
  void maybe_finished() noexcept;
  bool admit_from_outside() noexcept;
  void begin(const run_options& options);
  bool close_intake() noexcept;
  void stop_workers() noexcept;
  void end_blocking(worker& w) noexcept;
  void release_pin(worker& w, goroutine_core* g) noexcept;
  static worker_status settled(const worker& w) noexcept;
  static worker_status change(worker& w, worker_status to) noexcept;
  bool nothing_can_wake() noexcept;
  /// Counts a worker in. The epoch tells a look for a deadlock that a worker became active in between. True: it is the only one, and the monitor
  /// may be asleep.
  [[nodiscard]] bool count_in() noexcept {
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    return active_.fetch_add(1, std::memory_order_seq_cst) == 0;
  }
  void activate() noexcept;
  static void goroutine_main(machine_context* c) noexcept;

  bool simulated_ = false;  // constant during a run
  // Changed with sequential consistency; acquired by those who look from outside of the run.
  detail::atomic<intake> intake_{intake::closed};
  detail::atomic<bool> stopping_{false};  // likewise, by workers
  detail::atomic<unsigned> procs_{0};
  detail::atomic<unsigned> active_limit_{0};  // how many of them may be active
  detail::atomic<bool> active_limit_held_{false};
  detail::atomic<bool> orphaned_timers_{false};  // see run_orphaned_timers
  detail::atomic<std::uint32_t> run_number_{0};
  run_options options_;
  std::size_t stack_size_ = 0;
  // Immortal, but for a child process's own; released with it, acquired by everybody.
  detail::atomic<poller*> poller_{nullptr};

  // Both are released with a new worker, and acquired by those who look at all.
  detail::atomic<worker*> workers_[most_threads] = {};
  detail::atomic<unsigned> workers_made_{0};  // entries of workers_ that exist, for ever
  detail::atomic<unsigned> threads_{0};       // threads of this run
  detail::atomic<bool> lacks_thread_{
      false};  // set before the monitor, which may be asleep, is woken; it looks after it has said that it is
  unsigned most_workers_ = 0;           // guarded by `growth` (run.cpp): max_threads; 0: no thread may be added
  detail::atomic<unsigned> pinned_{0};  // goroutines in on_this_thread, each of which may have a thread beyond that
  permits blocking_permits_;            // for blocking calls: some threads stay free of them
  permits pin_permits_;

  alignas(cache_line) detail::atomic<unsigned> active_{0};
  detail::atomic<std::uint64_t> epoch_{0};  // how often a worker became active
  detail::atomic<unsigned> retaken_{0};
  detail::atomic<unsigned> searching_{0};
  detail::atomic<unsigned> idle_{0};
  detail::atomic<clock::nanos> poll_until_{0};  // until when the sleeper in the poller means to sleep; 0: there is none
  detail::atomic<bool> poller_taken_{false};
  detail::atomic<std::uint64_t> wakes_{0};  // of sleeping threads

  alignas(cache_line) spin_lock idle_lock_;
  worker* idle_list_ = nullptr;  // guarded by idle_lock_

  alignas(cache_line) spin_lock injection_lock_;
  goroutine_core* injected_head_ = nullptr;  // guarded by injection_lock_, as is the tail
  goroutine_core* injected_tail_ = nullptr;
  detail::atomic<std::uint32_t> injected_{0};

  detail::atomic<std::int64_t> coarse_now_{0};
  detail::atomic<std::uint64_t> ids_{0};
  detail::atomic<std::uint64_t> created_outside_{0};
  detail::atomic<int> being_created_{0};  // by plain threads and timers: counted as living, and in no queue yet
  detail::atomic<int> outside_wakers_{0};
  detail::atomic<int> descriptor_waits_{0};
  detail::atomic<clock::nanos> polled_at_{0};  // when one last looked at the descriptors, clock::real
  // Null: SIGINT is not being watched; released with the run's context, acquired by the last worker.
  detail::atomic<bool (*)() noexcept> interrupt_would_wake_{nullptr};
  detail::atomic<int> parked_threads_{0};
  detail::atomic<bool> main_ended_{false};
  // Futex word: everything has been joined, which is released, and acquired by the caller of run.
  detail::atomic<std::uint32_t> finished_{0};
  detail::atomic<bool> deadlock_recheck_{false};
};

/// Immortal, see invariant 6, and there before anything runs.
union immortal_scheduler {
  scheduler it;
  constexpr immortal_scheduler() noexcept : it() {}
  ~immortal_scheduler() {}  // NOLINT
};
TENON_HIDDEN extern immortal_scheduler the_only_scheduler;
inline scheduler& the_scheduler() noexcept { return the_only_scheduler.it; }

/// The number of the calling thread's worker, -1 on a thread that is none: for data kept per worker by the layers above,
/// which must not look into a worker themselves (to ThreadSanitizer it belongs to the thread that made it).
int worker_number() noexcept;

/// Hooks that diagnostics install (an alternate signal stack for each worker).
void set_thread_hooks(void (*start)() noexcept, void (*stop)() noexcept) noexcept;

}  // namespace tenon::detail
