#include <algorithm>

#include <tenon/detail/atomic.hpp>

#include "core/chan.hpp"
#include "lib/context.hpp"
#include "platform/compiler.hpp"
#include "platform/futex.hpp"

// The context tree and its cancellation.
//
// Invariants
//  1. A child holds its parent (counted); a parent knows its children without holding them. A child leaves its parent's list when it is
//     canceled or destroyed, whichever comes first: a released child leaves nothing behind.
//  2. cancel() sets err and cause once, under the node's lock, then closes `done`. The close is the moment at which the node becomes
//     canceled: err() is empty before, so no caller sees an error while the channel is open, and none waits for the canceler, who has
//     all waiters to wake. Then the same for all below, breadth first, without recursion: linear in their number, and no stack is too
//     small. Only when all have been notified do functions of the user run (stop callbacks; after_func outside of a runtime), so that a
//     second canceler never waits for those.
//  3. Cancellation never parks and takes only spin locks, so it may come from a timer's callback or a signal's watcher. The one wait is a
//     second canceler's for the first, who is notifying the descendants: it sleeps in the kernel.
//  4. What runs functions of the user, or wakes a waiter, holds a reference to the node meanwhile: they may drop all others. A caller that
//     reaches the node without a reference of its own (a stop callback, a foreign channel) begins with try_retain.
//
// Lock order: a node's lock is a leaf; channel locks are taken after it was released.

namespace tenon::detail {

// ---------------------------------------------------------------- ctx_node

bool try_retain(detail::atomic<std::uint32_t>& refs) noexcept {
  std::uint32_t n = refs.load(std::memory_order_relaxed);
  while (n != 0) {
    if (refs.compare_exchange_weak(n, n + 1, std::memory_order_relaxed, std::memory_order_relaxed)) return true;
  }
  return false;
}

const void* ctx_node::value(const void* key) const {
  const void* out = nullptr;
  const ctx_node* n = key == &canceler_key ? anchor() : this;  // no user's value has that key
  while (!n->find_value(key, out) && n->parent != nullptr) n = n->parent;
  return out;
}

std::string ctx_node::text() const {
  std::vector<const ctx_node*> path;
  for (const ctx_node* n = this; n != nullptr; n = n->parent) path.push_back(n);
  std::string out;
  std::for_each(path.rbegin(), path.rend(), [&out](const ctx_node* n) { n->append_name(out); });
  return out;
}

// ---------------------------------------------------------------- cancel_node

cancel_node::~cancel_node() {
  if (under != nullptr) under->disown(this);
}

const recv_chan<void>& cancel_node::done() {
  return TENON_LIKELY(has_done_.load(std::memory_order_acquire)) ? done_ : make_done();
}

TENON_NOINLINE const recv_chan<void>& cancel_node::make_done() {
  auto fresh = make_chan<void>();
  const std::lock_guard hold(lock_);
  if (!has_done_.load(std::memory_order_relaxed)) {
    if (ended_.load(std::memory_order_relaxed)) {
      chan_access::core(fresh)->closed.store(true, std::memory_order_relaxed);  // no other thread has seen it yet
    }
    done_ = std::move(fresh);
    has_done_.store(true, std::memory_order_release);
  }
  return done_;
}

/// Once ended_ has been seen: without a channel there is none to close, and one made from now on is closed from the start.
bool cancel_node::is_done_closed() const noexcept {
  return !has_done_.load(std::memory_order_acquire) || chan_access::core(done_)->closed.load(std::memory_order_relaxed);
}

std::stop_token cancel_node::stop_token() {
  std::stop_source fresh;
  const std::lock_guard hold(lock_);
  if (!stop_) {
    stop_ = std::move(fresh);
    has_stop_.store(true, std::memory_order_relaxed);
    if (ended_.load(std::memory_order_relaxed)) stop_->request_stop();  // no callback can be registered yet
  }
  return stop_->get_token();
}

bool cancel_node::adopt(ctx_child* c) noexcept {
  c->under = this;
  {
    const std::lock_guard hold(lock_);
    if (!ended_.load(std::memory_order_relaxed)) {
      children_.push_back(c);
      c->listed.store(true, std::memory_order_relaxed);
      return true;
    }
  }
  // The child of a canceled parent is canceled, and never before its parent. The canceler has left lock_ and is about to take the lock of
  // the channel, which it closes before it wakes anything: as short as a spin lock.
  while (!has_ended()) let_others_run();
  return false;
}

bool cancel_node::disown(ctx_child* c) noexcept {
  // Acquire pairs with the release in detach_children, whose last look at the child that was.
  if (!c->listed.load(std::memory_order_acquire)) return false;
  const std::lock_guard hold(lock_);
  if (!c->listed.load(std::memory_order_relaxed)) return false;
  children_.remove(c);
  c->listed.store(false, std::memory_order_relaxed);
  return true;
}

/// Sets the error, once, and closes `done`. False if another canceler has.
bool cancel_node::end(const error& err, const error& cause) noexcept {
  chan_core* done = nullptr;
  {
    const std::lock_guard hold(lock_);
    if (ended_.load(std::memory_order_relaxed)) return false;
    err_ = err;
    cause_ = cause ? cause : err;
    done = chan_access::core(done_);
    ended_.store(true, std::memory_order_release);  // pairs with the acquire in has_ended
  }
  if (done != nullptr) chan_end(done);
  return true;
}

/// Moves the children to `pending`, each with a reference.
void cancel_node::detach_children(list<ctx_child>& pending) noexcept {
  const std::lock_guard hold(lock_);
  while (ctx_child* c = children_.pop_front()) {
    const bool alive = try_retain(c->references);
    c->listed.store(false, std::memory_order_release);
    if (alive) pending.push_back(c);
  }
}

void cancel_node::propagate(const error& err, const error& cause, list<ctx_child>& pending) noexcept {
  if (!end(err, cause)) return;
  propagating_ = true;
  detach_children(pending);
}

void cancel_node::propagated() noexcept {
  if (propagating_) {
    descendants_are_notified();
  } else {
    await_descendants_notified();  // another canceler was first here
  }
}

/// `reached` takes all that hang below this node, each with a reference.
void cancel_node::notify_descendants(list<ctx_child>& reached) noexcept {
  list<ctx_child> pending;
  detach_children(pending);
  while (ctx_child* c = pending.pop_front()) {
    c->propagate(err_, cause_, pending);
    reached.push_back(c);
  }
  // From below, so that each is notified after those under it; where another canceler is at them, this one waits for it.
  for (ctx_child* c = reached.back(); c != nullptr; c = c->prev) c->propagated();
  descendants_are_notified();
}

namespace {
// The values of descendants_notified_.
constexpr std::uint32_t not_yet = 0;
constexpr std::uint32_t awaited = 1;
constexpr std::uint32_t notified = 2;
}  // namespace

void cancel_node::descendants_are_notified() noexcept {
  // Release: the descendants' states, to those who see `notified`.
  if (descendants_notified_.exchange(notified, std::memory_order_acq_rel) == awaited) {
    futex::wake_all(descendants_notified_);
  }
}

/// A second canceler waits here until the first has notified all descendants. That one waits at most for cancelers of those, so this ends, but
/// there may be a million of them: after a short spin the thread sleeps.
void cancel_node::await_descendants_notified() noexcept {
  for (int spins = 0; spins < looks(64); ++spins) {
    if (descendants_notified_.load(std::memory_order_acquire) == notified) return;
    let_others_run();
  }
  for (;;) {
    std::uint32_t seen = not_yet;
    // Acquire pairs with the exchange in descendants_are_notified.
    if (!descendants_notified_.compare_exchange_strong(seen, awaited, std::memory_order_acquire) && seen == notified)
      return;
    futex::wait(descendants_notified_, awaited);
  }
}

void cancel_node::finish() noexcept {
  // One that is made from now on finds this node canceled, and requests the stop itself.
  if (has_stop_.load(std::memory_order_relaxed)) {
    std::optional<std::stop_source> stop;
    {
      const std::lock_guard hold(lock_);
      stop = stop_;
    }
    stop->request_stop();
  }
  canceled();
  finished_.store(true, std::memory_order_release);
}

void cancel_node::parent_canceled() noexcept {
  if (propagating_) finish();
  release(this);
}

void cancel_node::cancel(const error& err, const error& cause, bool leave_parent) noexcept {
  if (is_finished()) return;
  retain(this);  // invariant 4; before end(), which wakes waiters
  if (end(err, cause)) {
    list<ctx_child> reached;
    notify_descendants(reached);
    while (ctx_child* c = reached.pop_front()) c->parent_canceled();
    if (leave_parent && under != nullptr) under->disown(this);
  } else {
    await_descendants_notified();
  }
  finish();  // by a second canceler, too: at least this node's stop token says so when it returns
  release(this);
}

bool cancel_node::has_listeners(std::vector<cancel_node*>& further) {
  const std::lock_guard hold(lock_);
  if (ended_.load(std::memory_order_relaxed)) return false;
  if (stop_) return true;  // it may have callbacks
  if (const chan_core* c = chan_access::core(done_); c != nullptr && !empty(c->receivers)) return true;
  for (ctx_child* c = children_.front(); c != nullptr; c = c->next) {
    if (c->listens(further)) return true;
  }
  return false;
}

}  // namespace tenon::detail
