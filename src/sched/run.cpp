#include <cxxabi.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>
#include <source_location>
#include <string>

#include <tenon/panic.hpp>

#include "base/fatal.hpp"
#include "platform/annotate.hpp"
#include "platform/cpu.hpp"
#include "platform/futex.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"
#include "sched/slow_join.hpp"

// Starting and stopping a run: threads come and go, the structures stay.
//
// The end of a run is one point in time: the store of `closed` in close_intake. A goroutine whose creation was admitted before it is run to its end,
// and the run waits for that; a creation after it is refused (`go`), or goes apart from the run (a timer's function, an after_func).
// A goroutine that runs keeps the run alive, so what it creates needs no look. Plain threads, and timers on a worker's own stack, count first
// and then look at `intake_`; the end is announced (`closing`), then the counts are looked at, then it is decided. One of the two sees the
// other. While it is being decided creators wait.

namespace tenon::detail {

namespace {

void (*thread_started)() noexcept = nullptr;
void (*thread_stops)() noexcept = nullptr;

os_mutex growth;          // who adds a thread holds it
sigset_t signals_of_run;  // the mask of the thread that called run; constant while it runs

}  // namespace

void set_thread_hooks(void (*start)() noexcept, void (*stop)() noexcept) noexcept {
  thread_started = start;
  thread_stops = stop;
}

/// A further thread, counted as active from the start and, if a waker has counted it so, as searching.
worker* scheduler::new_worker(bool searching) noexcept {
  const std::lock_guard hold(growth);
  const unsigned i = threads_.load(std::memory_order_relaxed);
  const unsigned most = most_workers_ == 0 ? 0 : most_workers_ + pinned_.load(std::memory_order_relaxed);
  if (i >= std::min(most, most_threads)) return nullptr;
  worker* w = workers_[i].load(std::memory_order_relaxed);
  try {
    if (w == nullptr) {
      w = new worker;
      w->number = i;
      w->random = random_source(static_cast<std::uint64_t>(clock::now()) + i);
      annotate::happens_before(w);
      workers_[i].store(w, std::memory_order_release);
      workers_made_.store(i + 1, std::memory_order_release);
    }
    w->searching = searching;
    w->status.store(worker_status::running, std::memory_order_relaxed);
    activate();
    threads_.store(i + 1, std::memory_order_relaxed);
    w->thread = os_thread([this, w] {
      ::pthread_sigmask(SIG_SETMASK, &signals_of_run,
                        nullptr);  // not those of the monitor thread, if that starts us: it has none
      set_current(w);
      w->tid.store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_release);
      w->eh = reinterpret_cast<eh_globals*>(abi::__cxa_get_globals());
      adopt_thread_stack(w->idle);
      annotate::own_thread_locals();
      name_this_thread("tenon-worker");
      never_cancel_this_thread();
      if (thread_started != nullptr) thread_started();
      worker_main(*w);
      annotate::happens_after(&w->thread);
      if (thread_stops != nullptr) thread_stops();
      w->tid.store(0, std::memory_order_release);
      w->status.store(worker_status::offline, std::memory_order_release);
      set_current(nullptr);
    });
  } catch (...) {  // no memory or no threads: those that there are go on
    if (w != nullptr && !w->thread.joinable() && threads_.load(std::memory_order_relaxed) == i + 1) {
      w->searching = false;
      w->status.store(worker_status::offline, std::memory_order_relaxed);
      active_.fetch_sub(1, std::memory_order_seq_cst);
      threads_.store(i, std::memory_order_relaxed);
    }
    lacks_thread_.store(true, std::memory_order_seq_cst);
    monitor::wake();
    return nullptr;
  }
  return w;
}

void scheduler::try_lacking_thread() noexcept {
  lacks_thread_.store(false, std::memory_order_relaxed);
  wake_for_stuck_work();
}

bool scheduler::out_of_threads() const noexcept {
  return threads_.load(std::memory_order_relaxed) >=
         std::min(options_.max_threads + pinned_.load(std::memory_order_relaxed), most_threads);
}

void scheduler::maybe_finished() noexcept {
  barrier::light();  // our end is counted before we look; pairs with the heavy one of the main goroutine
  if (TENON_LIKELY(!main_ended_.load(std::memory_order_relaxed))) return;
  // Two of the last may end at once, and light orders neither's count before its look at the other's: both would see one that lives.
  barrier::full();
  if (live() == 0) {
    finished_.store(1, std::memory_order_release);
    futex::wake_all(finished_);
  }
}

/// No goroutine was left a moment ago. True if that is the end of the run, false if one has been admitted meanwhile.
bool scheduler::close_intake() noexcept {
  // The last one to leave from here on says so again. Acquire: what it had counted.
  finished_.exchange(0, std::memory_order_acq_rel);
  intake_.store(intake::closing, std::memory_order_seq_cst);
  const bool end = live() == 0;
  intake_.store(end ? intake::closed : intake::open, std::memory_order_seq_cst);
  return end;
}

/// Everything that a run finds as if there had been none before.
void scheduler::begin(const run_options& options) {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &signals_of_run);
  barrier::init();
  options_ = options;
  stack_size_ = stacks::round_size(options.stack_size);
  const unsigned wanted = options.workers != 0 ? options.workers : available_cpus();
  procs_.store(simulated_ ? 1 : std::min(wanted, most_max_threads), std::memory_order_relaxed);
  active_limit_.store(procs(), std::memory_order_relaxed);
  run_number_.fetch_add(1, std::memory_order_relaxed);
  options_.max_threads = std::clamp(options_.max_threads, std::min(procs() + 1, most_max_threads), most_max_threads);
  // Enough threads stay free of blocking calls to run goroutines on. Pinned goroutines may have threads beyond max_threads.
  blocking_permits_.reset(
      static_cast<int>(std::max(options_.max_threads - std::min(procs(), options_.max_threads), 1U)));
  pin_permits_.reset(static_cast<int>(most_threads - options_.max_threads));
  // It outlives the run, because a thread that wakes a sleeper may come late.
  if (poller* before = poll(); before == nullptr || !before->is_ours()) {
    poller_.store(new poller, std::memory_order_release);
    delete before;
  }
  ids_.store(0, std::memory_order_relaxed);
  stopping_.store(false, std::memory_order_relaxed);
  main_ended_.store(false, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  set_coarse_now(clock::real());
  monitor::start();
  const std::lock_guard hold(growth);  // a late waker may be looking
  most_workers_ = options_.max_threads;
}

namespace {
constinit os_mutex turns;
std::optional<std::source_location> active;  // guarded by it
}  // namespace

only_run::only_run(std::source_location where) {
  const std::lock_guard hold(turns);
  if (active) {
    throw panic("tenon: run called while another run is active, begun at " + std::string(active->file_name()) + ":" +
                std::to_string(active->line()) + ": nested and concurrent runs are not allowed");
  }
  active = where;
}

only_run::~only_run() {
  const std::lock_guard hold(turns);
  active.reset();
}

void scheduler::run(const run_options& options, void (*entry)(void*) noexcept, void* arg, std::source_location where) {
  begin(options);
  intake_.store(intake::open, std::memory_order_seq_cst);
  struct closing {  // where no stack can be had for the first goroutine
    scheduler& self;
    bool armed = true;
    ~closing() {
      if (armed) self.intake_.store(intake::closed, std::memory_order_seq_cst);
    }
  } on_failure{*this};
  struct main_call {
    scheduler* self;
    void (*entry)(void*) noexcept;
    void* arg;
    slow_join_watch* remaining;
  };
  slow_join_watch remaining({.everything = true}, slow_join_watch::begins::later);
  const main_call call{this, entry, arg, &remaining};
  void* frame = nullptr;
  goroutine_core* g = goroutine_create({.stack_size = options.main_stack_size, .where = where, .by = started_by::run},
                                       sizeof(main_call), alignof(main_call), &frame);
  ::new (frame) main_call(call);
  on_failure.armed = false;
  goroutine_start(
      g,
      [](void* p) noexcept {
        auto& c = *static_cast<main_call*>(p);
        c.entry(c.arg);
        if (c.self->live() > 1) c.remaining->begin();
        c.self->main_ended_.store(true, std::memory_order_relaxed);
        barrier::heavy();
      },
      false);
  // Usually making the goroutine visible has started the first worker. Not before it: a worker that finds nothing would see a deadlock.
  if (threads_.load(std::memory_order_seq_cst) == 0 && new_worker(false) == nullptr &&
      threads_.load(std::memory_order_seq_cst) == 0) {
    fatal("tenon: cannot start a worker thread");
  }
  do {
    while (finished_.load(std::memory_order_acquire) == 0) futex::wait(finished_, 0);
  } while (!close_intake());
  stop_workers();
}

void scheduler::stop_workers() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  {
    const std::lock_guard hold(growth);  // no thread is added from here on
    most_workers_ = 0;
  }
  barrier::heavy();
  const unsigned threads = threads_.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < threads; ++i) {
    worker& w = *worker_at(i);
    w.resched.store(true, std::memory_order_relaxed);
    wake_worker(w);
    poll()->wake();
    futex::wake_all(w.sleep_word);
  }
  for (unsigned i = 0; i < threads; ++i) worker_at(i)->thread.join();
  monitor::await_pause();  // the monitor does not look at, or count, what is reset now
  for (unsigned i = 0; i < threads; ++i) {
    worker& w = *worker_at(i);
    w.timers.move_all_to(monitor::timers());
    if (w.dead_goroutine != nullptr) recycle(std::exchange(w.dead_goroutine, nullptr));
    while (w.pool != nullptr) {
      const stack_slot slot = w.pool->slot;
      w.pool = w.pool->next;
      stacks::deallocate(&slot, 1);
    }
    w.pooled = 0;
    w.current = nullptr;
    w.locked = nullptr;
    w.no_local_queue = false;
    w.searching = false;
    w.listed = false;
    w.next_id = w.last_id = 0;
    w.running.store(nullptr, std::memory_order_relaxed);
  }
  {
    const std::lock_guard hold(
        idle_lock_);  // a late waker takes no worker out of the list any more, and counts none in
    idle_list_ = nullptr;
    idle_.store(0, std::memory_order_relaxed);
    active_.store(0, std::memory_order_relaxed);
  }
  retaken_.store(0, std::memory_order_relaxed);
  // searching_ is left alone: every worker has counted itself out, and a thread outside, or the monitor, may be about to.
  threads_.store(0, std::memory_order_relaxed);
  poller_taken_.store(false, std::memory_order_relaxed);
  poll_until_.store(0, std::memory_order_relaxed);
  monitor::request(nullptr);  // it may have taken over timers
}

}  // namespace tenon::detail
