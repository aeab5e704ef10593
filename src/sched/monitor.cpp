#include "sched/monitor.hpp"
#include "platform/fork.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "platform/annotate.hpp"
#include "platform/compiler.hpp"
#include "platform/cpu.hpp"
#include "platform/futex.hpp"
#include "sched/active_limit.hpp"
#include "sched/scheduler.hpp"
#include "sched/thread_exhaustion.hpp"

namespace tenon::detail::monitor {

namespace {

constexpr clock::nanos shortest = 50'000;
constexpr clock::nanos longest = 1'000'000;
constexpr clock::nanos holds_up = 200'000;          // a slice this long holds up those behind it
constexpr clock::nanos held_too_long = 10'000'000;  // a goroutine that keeps its worker this long is worked around
constexpr clock::nanos linger = 20'000'000;         // stay awake this long after no worker has run anything
constexpr clock::nanos trim_every = 1'000'000'000;

struct state {
  timer_heap watches;  // see watch()
  // Futex: changes after what is to be done has been written; acquired before that is looked for.
  detail::atomic<std::uint32_t> word{0};
  detail::atomic<bool> firing{false};  // a timer may be out of the heap, and what it does not done yet
  detail::atomic<bool> asleep{false};  // in a sleep that only a wake-up or its timeout ends; see loop for its orders
  // Twice as many as there are kinds of jobs: one may run as it is asked for again.
  detail::atomic<void (*)() noexcept> jobs[12] = {};
  detail::atomic<int> tid{0};  // released once the thread has begun, acquired by who waits for that
  sigset_t blocked{};          // in the thread that has started it; constant once tid is set
  std::once_flag once;
  state* of_parent = nullptr;  // in a child of fork: kept, as its memory is
  std::mutex looking;          // held while the monitor looks at a run
};

/// Immortal: the thread is never joined. A child process has no such thread, whatever its parent had, and gets a state of its own.
/// Released with it, acquired by everybody.
detail::atomic<state*> current_state{nullptr};

state& self() noexcept {
  state* s = current_state.load(std::memory_order_acquire);
  if (TENON_LIKELY(s != nullptr)) return *s;
  auto* fresh = new state;
  annotate::happens_before(fresh);
  if (current_state.compare_exchange_strong(s, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;
  return *s;
}

/// Immortal, and the same in a child of fork, where it is empty.
timer_heap& started_outside() noexcept {
  static auto* const heap = new timer_heap;
  return *heap;
}

/// What the monitor knows of one worker.
struct watched {
  std::uint32_t tick = 0;
  std::uint32_t operations = 0;
  worker_status status = worker_status::offline;
  clock::nanos since = 0;
  clock::nanos held = 0;  // for how long it has been stuck, in one call or without one
  clock::nanos switched = 0;
  clock::nanos kept = 0;    // for how long one goroutine has had it, be it in many short calls
  clock::nanos slept = 0;   // so far
  clock::nanos cpu = 0;     // it has had of processors, as of when that was last asked
  bool has_run = false;     // since
  std::uint32_t front = 0;  // of its fresh goroutines
  clock::nanos front_since = 0;
};
watched seen[most_threads];

/// What it knows of all of them.
struct measured {
  active_limit best;
  thread_exhaustion exhausted;
  std::uint32_t run = 0;
  clock::nanos looked = 0;
};
measured whole;

bool pending(const worker& w) noexcept {
  return w.slot.load(std::memory_order_relaxed) != nullptr || w.woken.size() != 0 || w.fresh.size() != 0;
}

/// Whether a goroutine holds a worker that does not count as active any more. It goes on, and what it wakes lies in its slot until we look.
bool any_held(const scheduler& s) noexcept {
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    if (s.worker_at(i)->status.load(std::memory_order_relaxed) == worker_status::retaken_running) return true;
  }
  return false;
}

/// What one round finds out about all workers together.
struct findings {
  std::uint64_t switches = 0;
  clock::nanos busy = 0;         // of all workers
  bool due = false;              // a timer, or a goroutine that a stuck worker keeps in its queues, is to run
  bool orphaned_timers = false;  // a timer of a worker that will not come to it by itself
  bool held_up = false;
};

/// Looks at one worker. Returns for how long it has been stuck, 0 if it is not.
clock::nanos observe(worker& w, watched& k, clock::nanos now, clock::nanos passed, findings& all) noexcept {
  const std::uint32_t tick = w.tick.load(std::memory_order_relaxed);
  const std::uint32_t operations = w.operations.load(std::memory_order_relaxed);
  all.switches += operations - k.operations;
  k.operations = operations;
  const worker_status status = w.status.load(std::memory_order_relaxed);
  const clock::nanos sum = w.slept.load(std::memory_order_relaxed);
  const clock::nanos slept = sum < 0 ? sum + now : sum;
  const bool blocks = status == worker_status::blocking || status == worker_status::retaken_blocking;
  // What is in a blocking call is not kept from running by others.
  if (status != worker_status::offline && !blocks) {
    all.busy += passed - std::clamp<clock::nanos>(slept - k.slept, 0, passed);
  }
  k.slept = slept;
  const bool moved = tick != k.tick || status != k.status;
  k.has_run |= moved || status == worker_status::running || status == worker_status::retaken_running;
  if (w.timers.next() <= now) {
    all.due = true;
    all.orphaned_timers |= status != worker_status::running || !moved;
  }
  if (const std::uint32_t front = w.fresh.front_index(); front != k.front || w.fresh.size() == 0) {
    k.front = front;
    k.front_since = now;
  } else if (now - k.front_since >= held_too_long) {
    k.front_since = now;
    w.take_oldest.store(true, std::memory_order_relaxed);
    w.resched.store(true, std::memory_order_relaxed);
  }
  if (tick != k.tick) k.switched = now;
  if (moved) {
    all.switches += tick - k.tick;
    k.tick = tick;
    k.status = status;
    k.since = now;
  }
  k.kept = 0;
  const clock::nanos held = now - k.since;
  const bool runs = (status == worker_status::running || status == worker_status::retaken_running) &&
                    w.running.load(std::memory_order_relaxed) != nullptr;
  if (!runs && !blocks) return 0;
  k.kept = now - k.switched;
  if (held == 0 && k.kept < held_too_long) return 0;
  if (pending(w)) {
    w.slot_open.store(true, std::memory_order_relaxed);
    all.due = true;
    all.held_up |= held >= holds_up;
  }
  return held;
}

/// Whether a worker that has been stuck for so long is to be taken out of the count, so that another takes its place. A goroutine may well keep
/// its worker for a while; a blocking call is stepped around in any case once it lasts, then this thread can rest while nothing else happens.
bool should_retake(const scheduler& s, const watched& k, bool work_waits) noexcept {
  if (k.status == worker_status::running) return !s.simulated() && k.kept >= held_too_long && work_waits;
  if (k.status != worker_status::blocking) return false;
  return k.held >= held_too_long || (work_waits && (k.held != 0 || k.kept >= held_too_long));
}

/// Whether what a worker has in its queues is to go where all look: it will not run it soon, and those that always have work of their own do not
/// come for it.
bool should_hand_over(const scheduler& s, const worker& w, const watched& k) noexcept {
  if (s.simulated() || !pending(w)) return false;
  const bool blocks = k.status == worker_status::blocking || k.status == worker_status::retaken_blocking;
  return k.kept >= held_too_long || (blocks && k.held != 0);
}

/// A system call for each that has run: not for thousands that sit in blocking calls.
clock::nanos cpu_time() noexcept {
  const scheduler& s = the_scheduler();
  clock::nanos sum = 0;
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    if (std::exchange(seen[i].has_run, false)) {
      seen[i].cpu = thread_cpu_time(s.worker_at(i)->tid.load(std::memory_order_relaxed));
    }
    sum += seen[i].cpu;
  }
  return sum;
}

/// One round over the workers. Returns whether anything was done.
bool scan_workers(scheduler& s, clock::nanos now) noexcept {
  findings all;
  const clock::nanos passed = now - std::exchange(whole.looked, now);
  const unsigned n = s.worker_slots();
  for (unsigned i = 0; i < n; ++i) seen[i].held = observe(*s.worker_at(i), seen[i], now, passed, all);
  const bool work_waits = all.due || s.has_work(true);
  bool acted = false;
  for (unsigned i = 0; i < n; ++i) {
    worker& w = *s.worker_at(i);
    if (should_retake(s, seen[i], work_waits) && s.retake(w, seen[i].status)) {
      s.wake_for_stuck_work();
      acted = true;
    }
    if (should_hand_over(s, w, seen[i]) && s.hand_over_for(w)) acted = true;
  }
  // Nothing that it would be back the sooner for: descriptors are always ready where workers have much to do, and they come to them, too.
  if (!s.simulated()) (void)s.poll_neglected_descriptors();
  if (s.run_number() != whole.run) {
    whole.run = s.run_number();
    whole.best.start(s.procs(), now);
    whole.exhausted = {};
  }
  const unsigned limit = whole.best.observe(now, {all.switches, s.active(), all.busy, all.held_up, &cpu_time});
  if (limit != s.active_limit() && !s.active_limit_is_held()) s.set_active_limit(limit);
  // The others have no time to look, and a worker that was in the poller may have found other work.
  if (all.orphaned_timers && s.active() >= s.active_limit()) s.run_orphaned_timers();
  if (all.due && s.active() < s.active_limit()) {
    s.wake_for_stuck_work();
    acted = true;
  }
  if (s.lacks_thread()) s.try_lacking_thread();
  whole.exhausted.observe(s, now, work_waits && all.switches == 0);
  return acted;
}

void carry_out_jobs(state& me) noexcept {
  for (auto& waiting : me.jobs) {
    if (auto* job = waiting.exchange(nullptr, std::memory_order_acq_rel)) job();
  }
}

[[noreturn]] void loop() noexcept {
  state& me = self();
  sigset_t all;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS}) ::sigdelset(&all, fault);  // blocked, they would end the process unheard
  ::pthread_sigmask(SIG_SETMASK, &all, &me.blocked);
  name_this_thread("tenon-monitor");
  never_cancel_this_thread();
  nobody_may_wait_here();
  me.tid.store(static_cast<int>(::syscall(SYS_gettid)), std::memory_order_release);
  scheduler& s = the_scheduler();
  clock::nanos period = shortest;
  clock::nanos last_active = 0;
  clock::nanos last_trim = 0;
  for (;;) {
    const std::uint32_t word = me.word.load(std::memory_order_acquire);
    carry_out_jobs(me);
    const clock::nanos now = clock::real();
    s.set_coarse_now(now);
    if (timers().next() <= now) {
      me.firing.store(true, std::memory_order_relaxed);  // released with the heap's next()
      timers().run_due(now);
      me.firing.store(false, std::memory_order_seq_cst);
      s.look_again();
    }
    if (me.watches.next() <= now) me.watches.run_due(now);
    bool running = false;
    {
      const std::lock_guard hold(me.looking);  // see await_pause
      running = s.started();
      if (running && (s.active() != 0 || any_held(s) || s.lacks_thread())) last_active = now;
      if (running && now - last_active < linger) {
        period = scan_workers(s, now) ? shortest : std::min(period * 2, longest);
        if (whole.best.wants_to_look()) period = std::min(period, active_limit::look);
      } else {
        period = -1;
      }
    }
    if (stacks::trim_pending()) {
      if (now - last_trim >= trim_every) {
        last_trim = now;
        stacks::trim(s.options().idle_stack_bytes);
      }
      if (period < 0) period = trim_every;
    }
    const bool resting = !(running && now - last_active < linger);
    // Who wakes it has written what is to be seen, and reads `asleep` after that; we write `asleep` and look after that. Acquire: what `watch` has
    // written before it exchanged.
    me.asleep.exchange(resting, std::memory_order_seq_cst);
    const bool woke_up = resting && (s.active() != 0 || s.lacks_thread()) &&
                         s.started();  // the run that `running` speaks of may be over, and the next one there
    const clock::nanos next = std::min(timers().next(), me.watches.next());
    clock::nanos timeout = period;
    if (next != clock::never) {
      const clock::nanos left = std::max<clock::nanos>(next - clock::real(), 0);
      timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    if (!woke_up && timeout != 0) futex::wait(me.word, word, timeout);
    me.asleep.exchange(
        false, std::memory_order_acq_rel);  // no plain store: what `watch` has written goes on to the next exchange
    if (resting) period = shortest;
  }
}

const at_load anew_in_children([] {
  (void)self();  // a signal handler must not be the first to ask for it
  (void)started_outside();
  const auto before = [] { started_outside().lock_for_fork(); };
  const auto in_parent = [] { started_outside().unlock_after_fork(); };
  ::pthread_atfork(before, in_parent, [] {
    started_outside().abandon_after_fork();
    auto* fresh = new state;
    fresh->of_parent = current_state.load(std::memory_order_relaxed);
    current_state.store(fresh, std::memory_order_release);
    the_scheduler().threads_are_gone();
  });
});

}  // namespace

void start() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return;  // it acts by the time, of which there is none
#endif
  std::call_once(self().once, [] {
    std::thread(loop).detach();
    while (self().tid.load(std::memory_order_acquire) == 0) let_others_run();
  });
}

namespace {
/// One of those who find it asleep wakes it; a wake-up too many costs it one round.
void wake_if_asleep(state& me) noexcept {
  if (!me.asleep.exchange(false, std::memory_order_seq_cst)) return;
  me.word.fetch_add(1, std::memory_order_seq_cst);
  futex::wake_one(me.word);
}
}  // namespace

void wake() noexcept {
  state& me = self();
  if (me.asleep.load(std::memory_order_seq_cst)) wake_if_asleep(me);
}

void await_pause() noexcept { const std::lock_guard monitor_is_not_inside(self().looking); }

void watch(timer_node* t, clock::nanos when) {
  self().watches.start(t, when);
  wake_if_asleep(self());  // an exchange in any case, which the monitor's own comes before, or after and sees the timer
}

bool has_timers() noexcept {
  return started_outside().next() != clock::never || self().firing.load(std::memory_order_seq_cst);
}

timer_heap& timers() noexcept {
  annotate::happens_after(&self());
  return started_outside();
}

bool answers(int signal) noexcept {
  if (thread_id() != 0) return true;
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  return false;
}

void request(void (*job)() noexcept) noexcept {
  state& me = self();
  for (auto& waiting : me.jobs) {
    void (*none)() noexcept = nullptr;
    if (job == nullptr || waiting.compare_exchange_strong(none, job, std::memory_order_acq_rel) || none == job) break;
  }
  me.word.fetch_add(1, std::memory_order_seq_cst);
  futex::wake_one(me.word);
}

void serve_requests() noexcept {
  if (!is_this_thread()) return;
  state& me = self();
  for (;;) {
    const std::uint32_t word = me.word.load(std::memory_order_acquire);
    carry_out_jobs(me);
    futex::wait(me.word, word, -1);
  }
}

int thread_id() noexcept { return self().tid.load(std::memory_order_acquire); }
bool is_this_thread() noexcept { return thread_id() == static_cast<int>(::syscall(SYS_gettid)); }
void unblock_signals() noexcept { ::pthread_sigmask(SIG_SETMASK, &self().blocked, nullptr); }

}  // namespace tenon::detail::monitor

namespace tenon::detail {

void start_timer(timer_node* t, clock::nanos when) {
  worker* w = this_worker();
  if (w == nullptr && the_scheduler().simulated() && the_scheduler().started()) w = the_scheduler().worker_at(0);
  if (w != nullptr) {
    annotate::happens_after(w);
    w->timers.start(t, when);
    the_scheduler().timer_started(when);
    return;
  }
  monitor::start();
  monitor::timers().start(t, when);
  monitor::request(nullptr);
}

}  // namespace tenon::detail
