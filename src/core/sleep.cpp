#include <tenon/sleep.hpp>

#include <thread>

#include <tenon/select.hpp>

#include "core/chan.hpp"
#include "sched/timer_heap.hpp"

namespace tenon {

namespace {

using namespace detail;

/// A sleeper's timer. Without a context `left` is not needed: the unpark is the timer's last act.
struct alarm : timer_node {
  waiter self;
  claim_group group;
  std::atomic<bool> left{false};
};

void ring_alone(timer_node* t, clock::nanos) noexcept { unpark(static_cast<alarm*>(t)->self.who); }

void ring(timer_node* t, clock::nanos) noexcept {
  auto* a = static_cast<alarm*>(t);
  parker* who = a->self.who;
  const bool mine = claim(&a->self);
  a->left.store(true, std::memory_order_release);
  if (mine) unpark(who);
}

bool sleep_or_done(std::chrono::nanoseconds d, chan_core* done) {
  if (done != nullptr && done->closed.load(std::memory_order_acquire)) return false;
  if (d.count() <= 0) return true;
  const clock::nanos when = clock::after(d.count());
  alarm a;
  if (done == nullptr) {
    a.fire = &ring_alone;
    a.self.who = begin_wait(wait_reason::sleep);
    start_timer(&a, when);
    commit_wait(a.self.who);
    return true;
  }
  a.fire = &ring;
  a.self.group = &a.group;
  waiter cancel;
  cancel.group = &a.group;
  cancel.accept = &accept_nothing;
  done->lock.lock();
  if (done->closed.load(std::memory_order_relaxed)) {
    done->lock.unlock();
    return false;
  }
  a.self.who = cancel.who = begin_wait(wait_reason::sleep);
  push_back(done->receivers, &cancel);
  done->lock.unlock();
  start_timer(&a, when);
  commit_wait(a.self.who);
  done->lock.lock();
  if (cancel.queued) unlink(done->receivers, &cancel);
  done->lock.unlock();
  const bool rang = a.group.winner.load(std::memory_order_acquire) == &a.self;
  if (!stop_timer(&a)) {
    while (!a.left.load(std::memory_order_acquire)) std::this_thread::yield();  // a few instructions of the other side
  }
  return rang;
}

}  // namespace

void sleep(std::chrono::nanoseconds d) { (void)sleep_or_done(d, nullptr); }
bool sleep(const context& ctx, std::chrono::nanoseconds d) { return sleep_or_done(d, done_core(ctx)); }

}  // namespace tenon
