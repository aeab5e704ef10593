#include "sched/parker.hpp"

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "platform/annotate.hpp"
#include "platform/clock.hpp"
#include "platform/futex.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

namespace {

thread_local thread_parker this_thread_parker;
thread_local random_source thread_random{static_cast<std::uint64_t>(clock::now()) ^
                                         reinterpret_cast<std::uintptr_t>(&this_thread_parker)};

detail::atomic<chooser> installed_chooser{nullptr};

}  // namespace

int worker_number() noexcept {
  const worker* w = this_worker();
  return w == nullptr ? -1 : static_cast<int>(w->number);
}

goroutine_core* running_goroutine() noexcept {
  const worker* w = this_worker();
  return w == nullptr ? nullptr : w->current;
}

thread_parker::~thread_parker() { forget_held_locks(this); }

TENON_NOINLINE static thread_parker* thread_parker_of_this_thread() noexcept { return &this_thread_parker; }

void nobody_may_wait_here() noexcept { thread_parker_of_this_thread()->may_wait = false; }

parker* this_parker() noexcept {
  if (goroutine_core* g = running_goroutine(); TENON_LIKELY(g != nullptr)) return g;
  return thread_parker_of_this_thread();
}

static TENON_INLINE parker* begin_wait_of(goroutine_core* g, wait_reason reason, const void* object) noexcept {
  g->reason.store(reason, std::memory_order_relaxed);
  g->wait_object.store(object, std::memory_order_relaxed);
  g->since.store(the_scheduler().coarse_now(), std::memory_order_relaxed);
  g->state.store(goroutine_state::waiting, std::memory_order_relaxed);
  return g;
}

// Apart, so that a wait without checked locks saves no registers for the calls.
static TENON_NOINLINE parker* begin_wait_with_locks(goroutine_core* g, wait_reason reason,
                                                    const void* object) noexcept {
  before_wait(g);
  return begin_wait_of(g, reason, object);
}

static TENON_NOINLINE void commit_wait_with_locks(goroutine_core* g) noexcept {
  in_wait(g, to_text(g->reason.load(std::memory_order_relaxed)));
  the_scheduler().switch_away(g, false);
  annotate::happens_after(g);
}

parker* begin_wait(wait_reason reason, const void* object) noexcept {
  const worker* w = this_worker();
  if (TENON_LIKELY(w != nullptr && w->current != nullptr)) {
    goroutine_core* g = w->current;
    if (TENON_UNLIKELY(g->held != nullptr)) return begin_wait_with_locks(g, reason, object);
    return begin_wait_of(g, reason, object);
  }
  thread_parker* p = thread_parker_of_this_thread();
  p->word.store(0, std::memory_order_relaxed);
  return p;
}

void end_wait(parker* p) noexcept {
  if (p->what == parker::kind::goroutine) {
    static_cast<goroutine_core*>(p)->state.store(goroutine_state::running, std::memory_order_relaxed);
  }
}

void commit_wait(parker* p) noexcept {
  if (TENON_LIKELY(p->what == parker::kind::goroutine)) {
    if (TENON_UNLIKELY(p->held != nullptr)) return commit_wait_with_locks(static_cast<goroutine_core*>(p));
    the_scheduler().switch_away(static_cast<goroutine_core*>(p), false);
    annotate::happens_after(p);
    return;
  }
  // A worker's own stack, or the monitor: whatever is to wake it may be its own to do.
  auto* const me = static_cast<thread_parker*>(p);
  if (TENON_UNLIKELY(!me->may_wait || this_worker() != nullptr)) {
    fatal("tenon: a stop callback waits in tenon, where a deadline or a signal has called it");
  }
  // Increment last, after the wait is published: until then this thread can still wake others. A waker that has been
  // faster and unparked us has counted us out already; a thread too few in the count only delays the report of a deadlock.
  the_scheduler().thread_parked(+1);
  auto& word = me->word;
  while (word.load(std::memory_order_acquire) == 0) futex::wait(word, 0);
  annotate::happens_after(p);
}

void unpark(parker* p) noexcept {
  annotate::happens_before(p);
  if (TENON_LIKELY(p->what == parker::kind::goroutine)) return the_scheduler().ready(static_cast<goroutine_core*>(p));
  switch (p->what) {
    case parker::kind::goroutine: break;
    case parker::kind::thread: {
      auto& word = static_cast<thread_parker*>(p)->word;
      the_scheduler().thread_parked(-1);
      // After the store the thread may be gone, and its word with it: the wake is then for an address without a waiter.
      word.store(1, std::memory_order_release);
      futex::wake_one(word);
      break;
    }
    case parker::kind::callback: {
      auto* c = static_cast<callback_parker*>(p);
      c->call(c);
      break;
    }
  }
}

void wait_for_ever(wait_reason reason) noexcept {
  for (;;) commit_wait(begin_wait(reason));
}

TENON_NOINLINE std::uint32_t choose(std::uint32_t n) noexcept {
  if (chooser c = installed_chooser.load(std::memory_order_relaxed); TENON_UNLIKELY(c != nullptr)) return c(n);
  worker* w = this_worker();
  return w != nullptr ? w->random.below(n) : thread_random.below(n);
}

const char* const wait_reason_texts[wait_reasons] = {
    "",                         // none
    "chan receive",             // chan_receive
    "chan send",                // chan_send
    "chan receive (nil chan)",  // chan_receive_nil
    "chan send (nil chan)",     // chan_send_nil
    "select",                   // select
    "select (no cases)",        // select_no_cases
    "sleep",                    // sleep
    "sync.Mutex.Lock",          // mutex_lock
    "sync.RWMutex.Lock",        // shared_mutex_lock
    "sync.RWMutex.RLock",       // shared_mutex_lock_shared
    "semacquire",               // semaphore_acquire
    "sync.Cond.Wait",           // cond_wait
    "sync.WaitGroup.Wait",      // wait_group_wait
    "goroutine join",           // join
    "after_func wait",          // after_func_wait
    "IO wait",                  // io_wait
    "waiting for a thread",     // thread_permit
};

const char* to_text(wait_reason reason) noexcept {
  return reason <= wait_reason::thread_permit ? wait_reason_texts[static_cast<std::size_t>(reason)] : "?";
}

void made_progress(std::uint32_t operations) noexcept {
  if (worker* w = this_worker()) {
    w->operations.store(w->operations.load(std::memory_order_relaxed) + operations, std::memory_order_relaxed);
  }
}

}  // namespace tenon::detail

namespace tenon {
void set_chooser(chooser c) noexcept { detail::installed_chooser.store(c, std::memory_order_relaxed); }
}  // namespace tenon
