#include <tenon/timer.hpp>

#include <memory>
#include <mutex>

#include <tenon/detail/atomic.hpp>
#include <tenon/panic.hpp>
#include <tenon/wait_group.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "lib/spawn_or_thread.hpp"
#include "platform/fork.hpp"
#include "sched/explorer.hpp"
#include "sched/own_end.hpp"
#include "sched/scheduler.hpp"
#include "sched/timer_heap.hpp"

// Timers and tickers.
//
// Invariants
//  1. `lock` orders stop, reset and firing. A firing that was overtaken by a stop finds `armed` false, one that was overtaken by
//     a reset finds `when` in its future: both do nothing, so no stale tick is ever delivered.
//  2. A pending node holds a reference; the thread that takes it out of the heap (stop, or the firing) gives it back.
//  3. Destruction waits for the calls of f that have started, each of which says in `running` who makes it: one that destroys its own timer
//     would wait for itself. From its begin on nothing arms the timer, so no call comes after those, and f is destroyed with them: what it
//     captured does not outlive the timer, though a reference to the node may.
//  4. The channel has one slot, so that the timer does not wait when it fires, but shows length and capacity 0; stop and
//     reset empty it.
//
// Lock order: a timer's lock, then its channel's or a heap's.

namespace tenon {

namespace detail {

struct timer_core {
  struct pending : timer_node {
    timer_core* core = nullptr;
  };

  detail::atomic<std::uint32_t> refs{1};  // each drop releases, the last one acquires
  spin_lock lock;
  pending node;  // guarded by lock, as are the next four
  bool armed = false;
  bool ended = false;  // its owner destroys it: a call of f that still runs may want to start it again
  clock::nanos when = 0;
  clock::nanos period = 0;       // 0: fires once
  recv_chan<time_point> c;       // nil for a function timer
  chan_core* channel = nullptr;  // behind c
  std::function<void()> f;
  std::source_location where;
  wait_group calls;  // of f, that have started
  /// One of them, in its own frame.
  struct call {
    const parker* who = nullptr;
    call* next = nullptr;
  };
  call* running = nullptr;  // guarded by lock

  timer_core() {
    node.core = this;
    node.fire = [](timer_node* t, clock::nanos now) noexcept { static_cast<pending*>(t)->core->fire(now); };
  }
  timer_core(const timer_core&) = delete;
  timer_core& operator=(const timer_core&) = delete;
  ~timer_core() = default;

  void make_channel() {
    channel = timer_chan_make(elem_traits<time_point>::ops);
    c = chan_access::adopt<recv_chan<time_point>>(channel);
  }

  void drop() noexcept {
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Under the lock.
  void arm(clock::nanos at) {
    if (ended) return;
    armed = true;
    when = at;
    if (node.heap.load(std::memory_order_acquire) != nullptr) return;
    refs.fetch_add(1, std::memory_order_relaxed);
    try {
      start_timer(&node, at);
    } catch (...) {
      armed = false;
      refs.fetch_sub(1, std::memory_order_relaxed);  // not the last one: the caller has one
      throw;
    }
  }

  /// Under the lock, where no caller can be told.
  void rearm(clock::nanos at) noexcept {
    try {
      arm(at);
    } catch (...) {
      fatal("tenon: no memory to start a ticker's next period");
    }
  }

  /// Under the lock. True if it was active: not fired yet, or its tick not received.
  bool disarm() noexcept {
    const bool was = armed;
    armed = false;
    if (stop_timer(&node)) refs.fetch_sub(1, std::memory_order_relaxed);  // not the last one: the caller has one
    const bool unread = channel != nullptr && timer_chan_drain(*channel);
    return was || unread;
  }

  /// Of a ticker, under the lock: ticks that were missed are dropped.
  [[nodiscard]] clock::nanos next_tick(clock::nanos now) const noexcept {
    const clock::nanos steps = 1 + (now - when) / period;
    return period > (clock::never - when) / steps ? clock::never : when + period * steps;
  }

  void fire(clock::nanos now) noexcept {
    aftermath after;
    bool call = false;
    {
      const std::lock_guard hold(lock);
      if (armed && when <= now) {
        armed = period > 0;
        if (channel != nullptr) {
          time_point tick{std::chrono::nanoseconds(now)};
          const std::lock_guard hold_channel(channel->lock);
          (void)try_send_locked<elements::any>(*channel, &tick, after);  // g++ 14 takes the other for one of any size
        } else {
          call = true;
          calls.add(1);
        }
        if (armed) rearm(next_tick(now));
      }
    }
    finish(after);
    if (call) start_call();
    drop();
  }

  void start_call() noexcept {
    const auto body = [this] {
      struct in_progress {
        timer_core& self;
        call me;
        explicit in_progress(timer_core& t) : self(t) {
          me.who = this_parker();
          const std::lock_guard hold(self.lock);
          me.next = std::exchange(self.running, &me);
        }
        in_progress(const in_progress&) = delete;
        in_progress& operator=(const in_progress&) = delete;
        ~in_progress() {
          {
            const std::lock_guard hold(self.lock);
            call** link = &self.running;
            while (*link != &me) link = &(*link)->next;
            *link = me.next;
          }
          self.calls.done();
          self.drop();
        }
      };
      [[maybe_unused]] in_progress call_of_f(*this);
      f();
    };
    refs.fetch_add(1, std::memory_order_relaxed);
    spawn_or_thread(where, body);
  }

  [[nodiscard]] bool is_called_by(const parker* p) noexcept {
    const std::lock_guard hold(lock);
    const call* c = running;
    while (c != nullptr && c->who != p) c = c->next;
    return c != nullptr;
  }
};

namespace {

struct dropper {
  void operator()(timer_core* t) const noexcept { t->drop(); }
};
/// Until it has an owner: starting it may throw.
using held_core = std::unique_ptr<timer_core, dropper>;

// What is done to a timer in an explored run has functions of its own, so that no other saves registers for the call.

TENON_NOINLINE void destroy_explored(timer_core* t) noexcept;
TENON_NOINLINE bool restart_explored(timer_core* t, clock::nanos d, clock::nanos period);
TENON_NOINLINE bool stop_explored(timer_core* t);
TENON_NOINLINE timer_core* make_channel_timer_explored(clock::nanos d, clock::nanos period);

TENON_INLINE timer_core* make_channel_timer_now(clock::nanos d, clock::nanos period) {
  held_core t(new timer_core);
  t->make_channel();
  t->period = period;
  const std::lock_guard hold(t->lock);
  t->arm(clock::after(d));
  return t.release();
}

timer_core* make_channel_timer(clock::nanos d, clock::nanos period) {
  if (TENON_UNLIKELY(exploring())) return make_channel_timer_explored(d, period);
  return make_channel_timer_now(d, period);
}

const recv_chan<time_point>& channel_of(const timer_core* t) noexcept {
  static const recv_chan<time_point> nil;
  return t == nullptr ? nil : t->c;
}
static const at_load nil_made([] { (void)channel_of(nullptr); });

TENON_INLINE void destroy_now(timer_core* t) noexcept {
  {
    const std::lock_guard hold(t->lock);
    t->ended = true;
    (void)t->disarm();
  }
  if (t->is_called_by(this_parker())) fatal_own_end("the function of the timer that it destroys");
  t->calls.wait();
  t->f = nullptr;
  t->drop();
}

void destroy(timer_core* t) noexcept {
  if (t == nullptr) return;
  if (TENON_UNLIKELY(exploring())) return destroy_explored(t);
  destroy_now(t);
}

TENON_INLINE bool restart_now(timer_core* t, clock::nanos d, clock::nanos period) {
  const std::lock_guard hold(t->lock);
  const bool was = t->disarm();
  t->period = period;
  t->arm(clock::after(d));
  return was;
}

bool restart(timer_core* t, clock::nanos d, clock::nanos period) {
  if (TENON_UNLIKELY(exploring())) return restart_explored(t, d, period);
  return restart_now(t, d, period);
}

TENON_INLINE bool stop_now(timer_core* t) {
  const std::lock_guard hold(t->lock);
  return t->disarm();
}

bool stop(timer_core* t) {
  if (TENON_UNLIKELY(exploring())) return stop_explored(t);
  return stop_now(t);
}

void destroy_explored(timer_core* t) noexcept {
  at_point(operation::stop, t);
  destroy_now(t);
}

bool restart_explored(timer_core* t, clock::nanos d, clock::nanos period) {
  at_point(operation::start, t);
  return restart_now(t, d, period);
}

bool stop_explored(timer_core* t) {
  at_point(operation::stop, t);
  return stop_now(t);
}

timer_core* make_channel_timer_explored(clock::nanos d, clock::nanos period) {
  at_point(operation::start, nullptr);
  return make_channel_timer_now(d, period);
}

}  // namespace

}  // namespace detail

time_point now() noexcept { return time_point(std::chrono::nanoseconds(clock::now())); }

recv_chan<time_point> after(time_span d) {
  detail::point(detail::operation::start, nullptr);
  detail::held_core unowned(new detail::timer_core);
  unowned->make_channel();
  detail::timer_core* const t = unowned.release();
  t->channel->owner = t;
  t->channel->abandoned = [](void* owner) noexcept { detail::destroy(static_cast<detail::timer_core*>(owner)); };
  recv_chan<time_point> c = t->c;
  const std::lock_guard hold(t->lock);
  t->arm(clock::after(d.count()));
  return c;
}

timer::timer(time_span d) : core_(detail::make_channel_timer(d.count(), 0)) {}

timer::timer(time_span d, std::function<void()> f, std::source_location where) {
  if (!f) detail::go_of_nil();
  detail::held_core t(new detail::timer_core);
  t->f = std::move(f);
  t->where = where;
  const std::lock_guard hold(t->lock);
  t->arm(clock::after(d.count()));
  core_ = t.release();
}

timer::~timer() { detail::destroy(core_); }
const recv_chan<time_point>& timer::c() const& noexcept { return detail::channel_of(core_); }

bool timer::stop() const {
  if (core_ == nullptr) throw panic("time: Stop called on uninitialized Timer");
  return detail::stop(core_);
}

bool timer::reset(time_span d) const {
  if (core_ == nullptr) throw panic("time: Reset called on uninitialized Timer");
  return detail::restart(core_, d.count(), 0);
}

ticker::ticker(time_span period) {
  if (period.count() <= 0) throw panic("non-positive interval for NewTicker");
  core_ = detail::make_channel_timer(period.count(), period.count());
}

ticker::~ticker() { detail::destroy(core_); }
const recv_chan<time_point>& ticker::c() const& noexcept { return detail::channel_of(core_); }

void ticker::stop() const {
  if (core_ == nullptr) return;  // Go keeps this misuse silent, too
  (void)detail::stop(core_);
}

void ticker::reset(time_span period) const {
  if (period.count() <= 0) throw panic("non-positive interval for Ticker.Reset");
  if (core_ == nullptr) throw panic("time: Reset called on uninitialized Ticker");
  (void)detail::restart(core_, period.count(), period.count());
}

}  // namespace tenon
