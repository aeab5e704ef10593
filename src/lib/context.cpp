#include "lib/context.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <source_location>
#include <thread>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/go.hpp>
#include <tenon/panic.hpp>
#include <tenon/timer.hpp>

#include "core/chan.hpp"
#include "lib/spawn_or_thread.hpp"
#include "platform/fork.hpp"
#include "sched/explorer.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"
#include "sched/timer_heap.hpp"

// What is built on the tree (cancel_node.cpp): values, deadlines, contexts of the user's own making; the contexts of goroutines; the public side.
//
// Invariants
//  1. A foreign (custom) context cancels its tenon children through a waiter of kind callback in its done channel: no goroutine waits
//     there. One is started when the channel closes (outside of a runtime, a thread), because err() may need a lock that the closer holds.
//  2. What calls back (a stop callback, a deadline's timer, a foreign link) has a reference to the node while it runs, so that functions of
//     the user that run in there may drop the scope. The timer's is taken when it starts; the others are taken by try_retain, and fail
//     where the node is being destroyed: its destructor waits for them, or tells them that it is gone.
//  3. The last reference may go anywhere: on the monitor's thread too, and where a worker runs its timers. What is the user's is destroyed where it
//     may wait.

namespace tenon {

struct context_access {
  static detail::ctx_node* node(const context& c) noexcept { return c.node_; }
  static context adopt(detail::ctx_node* n) noexcept { return context(n); }
  static context share(detail::ctx_node* n) noexcept {
    if (n != nullptr) detail::retain(n);
    return context(n);
  }
  template <class Scope>
  static Scope scope(detail::ctx_node* adopted) noexcept {
    return Scope(adopt(adopted));
  }
};

namespace detail {

namespace {

/// On the monitor's thread and on a worker's own stack nobody may wait: all timers, or all that this worker has to run, would wait with him.
bool nobody_may_wait_here() noexcept {
  return this_worker() != nullptr ? running_goroutine() == nullptr : monitor::is_this_thread();
}

/// A reference to what is the user's, whose destructor may wait, goes.
template <class T>
void drop(std::shared_ptr<T> what) noexcept {
  if (what == nullptr || !nobody_may_wait_here()) return;
  // By a pointer: a copy of the function that is left here may be the last to go, and would hold it still.
  if (auto* last = new (std::nothrow) std::shared_ptr<T>(std::move(what))) {
    spawn_or_thread(std::source_location::current(), [last] { delete last; });
  }
}

struct root_node final : ctx_node {
  const char* name;
  explicit root_node(const char* n) noexcept : ctx_node(nullptr), name(n) {
    refs.store(immortal, std::memory_order_relaxed);
  }
  void append_name(std::string& out) const override { out += name; }
};

struct value_node final : ctx_node {
  ctx_node* const above;  // the anchor: an ancestor
  const void* key;
  const char* name;
  std::shared_ptr<const void> held;
  value_node(ctx_node* p, const void* k, const char* n, std::shared_ptr<const void> v)
      : ctx_node(p), above(p->anchor()), key(k), name(n), held(std::move(v)) {}
  ~value_node() override { drop(std::move(held)); }
  [[nodiscard]] ctx_node* anchor() noexcept override { return above; }
  [[nodiscard]] const recv_chan<void>& done() override { return above->done(); }
  [[nodiscard]] error err() const override { return above->err(); }
  [[nodiscard]] bool is_canceled() const noexcept override { return above->is_canceled(); }
  [[nodiscard]] cancel_node* canceler() override { return above->canceler(); }
  [[nodiscard]] ctx_node* foreign() override { return above->foreign(); }
  [[nodiscard]] error cause() const override { return above->cause(); }
  [[nodiscard]] std::optional<time_point> deadline() const override { return above->deadline(); }
  [[nodiscard]] const ctx_node* deadline_source() const noexcept override { return above->deadline_source(); }
  [[nodiscard]] bool find_value(const void* k, const void*& out) const override {
    if (k != key) return false;
    out = held.get();
    return true;
  }
  void append_name(std::string& out) const override { ((out += ".WithValue(") += name) += ")"; }
};

/// Answers as a root does, except for the values above it.
struct detached_node final : ctx_node {
  using ctx_node::ctx_node;
  [[nodiscard]] bool find_value(const void* key, const void*& /*none*/) const override { return key == &canceler_key; }
  void append_name(std::string& out) const override { out += ".WithoutCancel"; }
};

struct custom_node final : ctx_node {
  std::shared_ptr<const custom_context> custom;
  recv_chan<void> channel;
  cancel_node* handed_on = nullptr;  // counted; the canceler whose channel this is, if it is one of a context of ours

  explicit custom_node(std::shared_ptr<const custom_context> c)
      : ctx_node(nullptr), custom(std::move(c)), channel(custom->done()) {
    // Asked once: of a chain of wrappers each would ask the one below it, and so on.
    cancel_node* n = inner_canceler();
    if (n == nullptr || n->done() != channel) return;
    retain(n);
    handed_on = n;
  }
  ~custom_node() override {
    release(handed_on);
    drop(std::move(custom));
  }

  [[nodiscard]] cancel_node* inner_canceler() const {
    return static_cast<cancel_node*>(const_cast<void*>(custom->value(&canceler_key)));
  }
  [[nodiscard]] const recv_chan<void>& done() override { return channel; }
  [[nodiscard]] error err() const override { return custom->err(); }
  [[nodiscard]] bool is_canceled() const noexcept override {
    const chan_core* c = chan_access::core(channel);
    return c != nullptr && c->closed.load(std::memory_order_acquire);
  }
  /// Children of a wrapper that hands on the channel of the context below it follow that one directly.
  [[nodiscard]] cancel_node* canceler() override { return handed_on; }
  [[nodiscard]] ctx_node* foreign() override { return this; }
  [[nodiscard]] error cause() const override {
    if (const cancel_node* n = handed_on != nullptr ? handed_on : inner_canceler()) {
      if (error why = n->cause()) return why;
    }
    return custom->err();
  }
  [[nodiscard]] std::optional<time_point> deadline() const override { return custom->deadline(); }
  [[nodiscard]] bool find_value(const void* key, const void*& out) const override {
    out = key == &canceler_key && handed_on != nullptr ? handed_on : custom->value(key);
    return true;
  }
  void append_name(std::string& out) const override { out += "custom context"; }
};

/// Invariant 1: waits in a foreign done channel on behalf of a child. Owned by the child and by the channel's side (the list, then the closer
/// that has taken it out), so that neither waits for the other: the closer may have a long way to go until it comes to this waiter.
struct foreign_link final : callback_parker {
  waiter self;
  detail::atomic<std::uint32_t> owners{1};  // each drop releases, the last one acquires
  spin_lock lock;
  cancel_node* child;      // guarded by lock; null: it is going away
  ctx_node* const parent;  // alive while its child is

  foreign_link(cancel_node* c, ctx_node* p) noexcept : callback_parker(&canceled), child(c), parent(p) {
    self.who = this;
  }

  /// By the child, once. False if the channel is closed already.
  bool enter() noexcept {
    chan_core* c = chan_access::core(parent->done());
    const std::lock_guard hold(c->lock);
    if (c->closed.load(std::memory_order_relaxed)) return false;
    owners.store(2, std::memory_order_relaxed);
    push_back(c->receivers, &self);
    return true;
  }

  /// By the child, as it goes.
  void leave() noexcept {
    chan_core* c = chan_access::core(parent->done());
    c->lock.lock();
    const bool waiting = self.queued;
    if (waiting) unlink(c->receivers, &self);
    c->lock.unlock();
    {
      const std::lock_guard hold(lock);
      child = nullptr;
    }
    if (waiting) drop();  // for the channel, whose list it has left
    drop();
  }

 private:
  ~foreign_link() = default;
  void drop() noexcept {
    if (owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// The child, with a reference, if it is not being destroyed.
  cancel_node* retain_child() noexcept {
    const std::lock_guard hold(lock);
    return child != nullptr && try_retain(child->refs) ? child : nullptr;
  }
  /// By the closer.
  static void canceled(callback_parker* p) noexcept {
    auto* link = static_cast<foreign_link*>(p);
    cancel_node* node = link->retain_child();
    ctx_node* parent = link->parent;
    link->drop();
    if (node == nullptr) return;
    const auto follow = [node, parent] {
      error why = parent->err();
      if (!why) why = tenon::canceled();
      node->cancel(why, parent->cause(), false);
      release(node);
    };
    // Not here: the closer of the channel may hold a lock that err() takes, as Go's own contexts do.
    spawn_or_thread(std::source_location::current(), follow);
  }
};

using stop_function = std::function<void()>;

/// With_cancel and everything built on it.
struct derived_node final : cancel_node {
  std::optional<time_point> until;       // if it is earlier than the parent's; constant once others know the node
  const ctx_node* const parents_source;  // whose deadline the parent's is
  foreign_link* link = nullptr;
  std::optional<std::stop_callback<stop_function>> on_stop;
  error timeout_cause;
  struct deadline_timer : timer_node {
    derived_node* node = nullptr;
  } timer;

  explicit derived_node(ctx_node* p) noexcept : cancel_node(p), parents_source(p->deadline_source()) {}

  ~derived_node() override {
    // Waits for a callback that runs in another thread: it got no reference or has given it back, and so is at its end.
    on_stop.reset();
    if (link != nullptr) link->leave();
  }

  [[nodiscard]] std::optional<time_point> deadline() const override {
    return until ? until : parents_source->deadline();
  }
  [[nodiscard]] const ctx_node* deadline_source() const noexcept override { return until ? this : parents_source; }
  void append_name(std::string& out) const override {
    if (!until) {
      out += ".WithCancel";
    } else {
      using seconds = std::chrono::duration<double>;  // nanoseconds may not hold the difference
      const double left = (seconds(until->time_since_epoch()) - seconds(tenon::now().time_since_epoch())).count();
      ((out += ".WithDeadline([") += std::to_string(left)) += "s])";
    }
  }

  void follow_foreign(ctx_node* foreign) {
    if (!foreign->done()) return;
    link = new foreign_link(this, foreign);
    if (link->enter()) return;
    const error why = foreign->err();
    cancel(why ? why : tenon::canceled(), foreign->cause(), false);
  }

  void follow_stop_token(std::stop_token token) {
    on_stop.emplace(
        std::move(token), stop_function([this] {
          if (!try_retain(refs)) return;  // its last handle, which canceled it, has gone meanwhile
          cancel(tenon::canceled(), {}, true);
          release(this);  // may be the last one, and destroy this callback: the standard allows it in its own thread
        }));
  }

  /// The pending timer holds a reference; canceling, which every handle does, gives it back.
  void start_deadline(clock::nanos when) {
    retain(this);
    timer.node = this;
    timer.fire = [](timer_node* t, clock::nanos) noexcept {
      derived_node* n = static_cast<deadline_timer*>(t)->node;
      n->cancel(deadline_exceeded(), n->timeout_cause, true);
      release(n);
    };
    try {
      start_timer(&timer, when);
    } catch (...) {
      release(this);
      throw;
    }
    if (is_ending()) canceled();  // the canceler may have looked for the timer before there was one
  }

  void canceled() noexcept override {
    if (stop_timer(&timer)) release(this);
  }
};

}  // namespace

// ---------------------------------------------------------------- deriving

ctx_node* need_parent(const context& parent) {
  ctx_node* p = context_access::node(parent);
  if (p == nullptr) throw panic("cannot create context from nil parent");
  return p;
}

namespace {

derived_node* derive_node(ctx_node* p) {
  auto* n = new derived_node(p);
  if (cancel_node* c = p->canceler()) {
    if (!c->adopt(n)) n->cancel(c->err(), c->cause(), false);
  } else if (ctx_node* f = p->foreign()) {
    try {
      n->follow_foreign(f);
    } catch (...) {  // the user's err(), or no memory
      release(n);
      throw;
    }
  }
  return n;
}

void cancel_through_handle(ctx_node* n, const error& why) noexcept {
  auto* node = static_cast<derived_node*>(n);
  point(operation::cancel, &contexts);
  if (node->is_finished()) return;
  node->cancel(tenon::canceled(), why, true);
}

}  // namespace

cancel_node* derive(ctx_node* p) { return derive_node(p); }
ctx_node* child_of(const context& parent) { return derive_node(need_parent(parent)); }
ctx_node* node_of(const context& ctx) noexcept { return context_access::node(ctx); }

namespace {

ctx_node* background_node() noexcept {
  static auto* const node = new root_node("context.Background");
  return node;
}

/// The run's own context, which lives longer than any goroutine: that of most goroutines, so that references to it need not be counted.
// Released with the node, acquired by threads that are not its goroutines'.
detail::atomic<ctx_node*> run_context{nullptr};

/// The context that goroutine g runs under; null: none. Only g itself calls this.
ctx_node* context_of(goroutine_core& g) {
  detail::atomic<ctx_node*>* const own = g.own.load(std::memory_order_relaxed);
  if (own == nullptr) return g.under;
  ctx_node* n = own->load(std::memory_order_relaxed);
  if (n != nullptr && n != own_context::canceled_unmade())
    return n;  // this goroutine has made it, or the one that started it
  ctx_node* fresh = derive_node(g.under != nullptr ? g.under : background_node());
  n = nullptr;
  // Release: the node, to the handle's owner.
  if (!own->compare_exchange_strong(n, fresh, std::memory_order_acq_rel)) {
    cancel_only(fresh);
    own->store(fresh, std::memory_order_release);
  }
  return fresh;
}

}  // namespace

ctx_node* inherit_context(bool* counted) {
  goroutine_core* g = running_goroutine();
  ctx_node* n = g == nullptr ? nullptr : context_of(*g);
  if (n == nullptr || n == run_context.load(std::memory_order_relaxed)) return n;
  retain(n);
  *counted = true;
  return n;
}
void release_context(ctx_node* node) noexcept { release(node); }

ctx_node* child_of_current() {
  goroutine_core* g = running_goroutine();
  ctx_node* n = g == nullptr ? nullptr : context_of(*g);
  return derive_node(n != nullptr ? n : background_node());
}

namespace {
bool release_unless_last(cancel_node* n) noexcept {
  std::uint32_t refs = n->refs.load(std::memory_order_relaxed);
  while (refs > 1) {
    if (n->refs.compare_exchange_weak(refs, refs - 1, std::memory_order_acq_rel, std::memory_order_relaxed))
      return true;
  }
  return false;
}
}  // namespace

bool run_context_is_listened_to() noexcept {
  ctx_node* root = run_context.load(std::memory_order_acquire);  // the node, which another thread has made
  cancel_node* top = root == nullptr ? nullptr : root->canceler();
  if (top == nullptr) return false;
  retain(top);
  std::vector<cancel_node*> left{top};
  bool listened_to = false;
  while (!left.empty()) {
    cancel_node* n = left.back();
    left.pop_back();
    listened_to = listened_to || n->has_listeners(left);
    // Values of the user's go with the last reference, and their destructors may wait: not on this worker's own stack.
    if (!release_unless_last(n)) in_thread(std::source_location::current(), [n] { release(n); });
  }
  return listened_to;
}

void set_run_context(const context& ctx) noexcept {
  run_context.store(context_access::node(ctx), std::memory_order_release);  // for run_context_is_listened_to
}
context share(ctx_node* node) noexcept { return context_access::share(node); }
void cancel_only(ctx_node* node) noexcept { cancel_through_handle(node, {}); }
void cancel_and_drop(ctx_node* node) noexcept {
  cancel_through_handle(node, {});
  release(node);
}

chan_core* done_core(const context& ctx) {
  ctx_node* n = context_access::node(ctx);
  return n == nullptr ? nullptr : chan_access::core(n->done());
}
chan_ref done_ref(const context& ctx) { return chan_ref(chan_access::share(done_core(ctx))); }

context with_value(const context& parent, const void* key, const char* name, std::shared_ptr<const void> value) {
  return context_access::adopt(new value_node(need_parent(parent), key, name, std::move(value)));
}

}  // namespace detail

// ---------------------------------------------------------------- the public side

context::context(std::shared_ptr<const custom_context> custom)
    : node_(custom == nullptr ? nullptr : new detail::custom_node(std::move(custom))) {}

context::context(const context& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) detail::retain(node_);
}

context::~context() {
  if (node_ != nullptr) detail::release(node_);
}

const recv_chan<void>& context::done() const& { return node_ == nullptr ? detail::never_closed : node_->done(); }

// What looks at a context in an explored run has a function of its own, so that others save no registers for the call.
static TENON_NOINLINE error err_explored(const detail::ctx_node* n) {
  detail::at_point(detail::operation::look, &detail::contexts);
  return n == nullptr ? error() : n->err();
}
static TENON_NOINLINE bool is_canceled_explored(const detail::ctx_node* n) noexcept {
  detail::at_point(detail::operation::look, &detail::contexts);
  return n != nullptr && n->is_canceled();
}

error context::err() const {
  if (TENON_UNLIKELY(detail::exploring())) return err_explored(node_);
  return node_ == nullptr ? error() : node_->err();
}
bool context::is_canceled() const noexcept {
  if (TENON_UNLIKELY(detail::exploring())) return is_canceled_explored(node_);
  return node_ != nullptr && node_->is_canceled();
}
std::optional<time_point> context::deadline() const { return node_ == nullptr ? std::nullopt : node_->deadline(); }
const void* context::find(const void* key) const { return node_ == nullptr ? nullptr : node_->value(key); }
std::stop_token context::stop_token() const {
  detail::cancel_node* c = node_ == nullptr ? nullptr : node_->canceler();
  return c == nullptr ? std::stop_token() : c->stop_token();
}
error cause(const context& ctx) {
  detail::point(detail::operation::look, &detail::contexts);
  detail::ctx_node* n = context_access::node(ctx);
  return n == nullptr ? error() : n->cause();
}
std::string to_string(const context& ctx) {
  const detail::ctx_node* n = context_access::node(ctx);
  return n == nullptr ? "<nil>" : n->text();
}

namespace {
detail::ctx_node* todo_node() noexcept {
  static auto* const node = new detail::root_node("context.TODO");
  return node;
}
const at_load roots_made([] {
  (void)detail::background_node();
  (void)todo_node();
});
}  // namespace

context background() noexcept { return context_access::share(detail::background_node()); }
context todo() noexcept { return context_access::share(todo_node()); }

void cancel_scope::cancel() const noexcept {
  if (ctx_) detail::cancel_only(context_access::node(ctx_));
}
void cancel_cause_scope::cancel(const error& why) const noexcept {
  if (ctx_) detail::cancel_through_handle(context_access::node(ctx_), why);
}

cancel_scope with_cancel(const context& parent) {
  return context_access::scope<cancel_scope>(detail::derive_node(detail::need_parent(parent)));
}
cancel_cause_scope with_cancel_cause(const context& parent) {
  return context_access::scope<cancel_cause_scope>(detail::derive_node(detail::need_parent(parent)));
}

cancel_scope with_deadline(const context& parent, time_point when, const error& why) {
  detail::ctx_node* p = detail::need_parent(parent);
  detail::derived_node* n = detail::derive_node(p);
  cancel_scope out = context_access::scope<cancel_scope>(n);
  const auto earlier = p->deadline();
  if (!earlier || when < *earlier) {  // else the parent's deadline comes first, and cancels this node, too
    n->until = when;
    n->timeout_cause = why;
    const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
    if (n->is_canceled()) {
    } else if (at <= clock::now()) {
      n->cancel(deadline_exceeded(), why, true);
    } else {
      n->start_deadline(at);
    }
  }
  return out;
}

cancel_scope with_timeout(const context& parent, time_span d, const error& why) {
  const clock::nanos when = d.count() <= 0 ? clock::now() : clock::after(d.count());
  return with_deadline(parent, time_point(std::chrono::nanoseconds(when)), why);
}

cancel_scope with_stop_token(const context& parent, std::stop_token token) {
  detail::derived_node* n = detail::derive_node(detail::need_parent(parent));
  cancel_scope out = context_access::scope<cancel_scope>(n);
  n->follow_stop_token(std::move(token));
  return out;
}

context this_goroutine::context() {
  detail::goroutine_core* g = detail::running_goroutine();
  detail::ctx_node* n = g == nullptr ? nullptr : detail::context_of(*g);
  return n == nullptr ? background() : context_access::share(n);
}

context without_cancel(const context& parent) {
  return context_access::adopt(new detail::detached_node(detail::need_parent(parent)));
}

}  // namespace tenon
