#include <tenon/sleep_for.hpp>

#include <tenon/detail/atomic.hpp>

#include "core/chan.hpp"
#include "platform/compiler.hpp"
#include "sched/explorer.hpp"
#include "sched/timer_heap.hpp"

namespace tenon {

namespace {

using namespace detail;

/// A sleeper's timer. Without a context `left` is not needed: the unpark is the timer's last act.
struct alarm : timer_node {
  waiter self;
  claim_group group;
  detail::atomic<bool> left{false};  // released when the timer has done with it, acquired before its memory goes
};

void ring_alone(timer_node* t, clock::nanos) noexcept { unpark(static_cast<alarm*>(t)->self.who); }

void ring(timer_node* t, clock::nanos) noexcept {
  auto* a = static_cast<alarm*>(t);
  parker* who = a->self.who;
  const bool mine = claim(&a->self);
  a->left.store(true, std::memory_order_release);
  if (mine) unpark(who);
}

/// After begin_wait. Throws std::bad_alloc; then there is no wait.
void start(alarm& a, clock::nanos when) {
  try {
    start_timer(&a, when);
  } catch (...) {
    end_wait(a.self.who);
    throw;
  }
}

/// `when`: a time that has passed does not wait.
bool sleep_or_done(clock::nanos when, bool passed, chan_core* done) {
  point(operation::sleep, nullptr);
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  if (passed) return true;
  alarm a;
  if (done == nullptr) {
    a.fire = &ring_alone;
    a.self.who = begin_wait(wait_reason::sleep);
    start(a, when);
    commit_wait(a.self.who);
    return true;
  }
  // The timer first: it may throw, and then nothing may be queued.
  a.fire = &ring;
  a.self.group = &a.group;
  waiter cancel;
  cancel.group = &a.group;
  a.self.who = cancel.who = begin_wait(wait_reason::sleep);
  start(a, when);
  done->lock.lock();
  const bool over = done->closed.load(std::memory_order_relaxed);
  if (!over) push_back(done->receivers, &cancel);
  done->lock.unlock();
  if (over && claim(&cancel)) {
    end_wait(a.self.who);
  } else {
    commit_wait(a.self.who);
    done->lock.lock();
    if (cancel.queued) unlink(done->receivers, &cancel);
    done->lock.unlock();
  }
  const bool rang = a.group.winner.load(std::memory_order_relaxed) == &a.self;
  if (!stop_timer(&a)) {
    while (!a.left.load(std::memory_order_acquire)) let_others_run();  // a few instructions of the other side
  }
  return rang;
}

bool sleep_to(std::chrono::steady_clock::time_point when, chan_core* done) {
  const clock::nanos at = std::chrono::nanoseconds(when.time_since_epoch()).count();
  return sleep_or_done(at, at <= clock::now(), done);
}

}  // namespace

void sleep_for(time_span d) { (void)sleep_or_done(clock::after(d.count()), d.count() <= 0, nullptr); }
bool sleep_for(const context& ctx, time_span d) {
  return sleep_or_done(clock::after(d.count()), d.count() <= 0, done_core(ctx));
}

void sleep_until(std::chrono::steady_clock::time_point when) { (void)sleep_to(when, nullptr); }
bool sleep_until(const context& ctx, std::chrono::steady_clock::time_point when) {
  return sleep_to(when, done_core(ctx));
}

}  // namespace tenon
