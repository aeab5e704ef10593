#include "lib/context.hpp"

#include <algorithm>
#include <functional>
#include <thread>

#include <tenon/go.hpp>
#include <tenon/panic.hpp>
#include <tenon/timer.hpp>

#include "core/chan.hpp"
#include "lib/apart.hpp"
#include "sched/scheduler.hpp"
#include "sched/timer_heap.hpp"

// The context tree.
//
// Invariants
//  1. A child holds its parent (counted); a parent knows its children without holding them. A child leaves its parent's list when it is
//     canceled or destroyed, whichever comes first: a released child leaves nothing behind.
//  2. cancel() sets err and cause once, under the node's lock, then closes `done`: whoever sees the one sees the other. Then the same for
//     all below, breadth first, without recursion: linear in their number, and no stack is too small. Only when all have been told do
//     functions of the user run (stop callbacks; after_func outside of a runtime), so that a second canceler never waits for those.
//  3. Cancellation never blocks and takes only spin locks, so it may come from a timer's callback or a signal's watcher.
//  4. A foreign (custom) context cancels its tenon children through a waiter of kind callback in its done channel: no goroutine waits
//     there. One is started when the channel closes (outside of a runtime, a thread), because err() may need a lock that the closer holds.
//
// Lock order: a node's lock is a leaf; channel locks are taken after it was released.

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

// The key under which a node's nearest cancel_node is found through contexts of the user's own making, which pass `value` on.
constexpr context_key<cancel_node> canceler_key{"canceler"};

struct root_node final : ctx_node {
  const char* name;
  explicit root_node(const char* n) noexcept : ctx_node(nullptr), name(n) {
    refs.store(immortal, std::memory_order_relaxed);
  }
  [[nodiscard]] std::string text() const override { return name; }
};

struct value_node final : ctx_node {
  const void* key;
  const char* name;
  std::shared_ptr<const void> held;
  value_node(ctx_node* p, const void* k, const char* n, std::shared_ptr<const void> v)
      : ctx_node(p), key(k), name(n), held(std::move(v)) {}
  [[nodiscard]] const void* value(const void* k) const override { return k == key ? held.get() : parent->value(k); }
  [[nodiscard]] std::string text() const override { return parent->text() + ".WithValue(" + name + ")"; }
};

struct detached_node final : ctx_node {
  using ctx_node::ctx_node;
  [[nodiscard]] std::optional<time_point> deadline() const override { return std::nullopt; }
  [[nodiscard]] const recv_chan<void>& done() override { return never_closed; }
  [[nodiscard]] error err() const override { return {}; }
  [[nodiscard]] bool is_canceled() const noexcept override { return false; }
  [[nodiscard]] cancel_node* canceler() override { return nullptr; }
  [[nodiscard]] ctx_node* foreign() override { return nullptr; }
  [[nodiscard]] const void* value(const void* key) const override {
    return key == &canceler_key ? nullptr : parent->value(key);
  }
  [[nodiscard]] error cause() const override { return {}; }
  [[nodiscard]] std::string text() const override { return parent->text() + ".WithoutCancel"; }
};

struct custom_node final : ctx_node {
  std::shared_ptr<const custom_context> custom;
  recv_chan<void> channel;
  explicit custom_node(std::shared_ptr<const custom_context> c)
      : ctx_node(nullptr), custom(std::move(c)), channel(custom->done()) {}
  [[nodiscard]] std::optional<time_point> deadline() const override { return custom->deadline(); }
  [[nodiscard]] const recv_chan<void>& done() override { return channel; }
  [[nodiscard]] error err() const override { return custom->err(); }
  [[nodiscard]] bool is_canceled() const noexcept override {
    const chan_core* c = chan_access::core(channel);
    return c != nullptr && c->closed.load(std::memory_order_acquire);
  }
  [[nodiscard]] const void* value(const void* key) const override { return custom->value(key); }
  [[nodiscard]] ctx_node* foreign() override { return this; }
  [[nodiscard]] cancel_node* canceler() override;
  [[nodiscard]] error cause() const override;
  [[nodiscard]] std::string text() const override { return "custom context"; }
};

/// Invariant 4: waits in a foreign done channel on behalf of a child.
struct foreign_link final : callback_parker {
  waiter self;
  std::atomic<bool> left{false};  // the callback has run and does not look at the link any more
  cancel_node* child = nullptr;
  ctx_node* parent = nullptr;

  foreign_link() noexcept
      : callback_parker([](callback_parker* p) noexcept {
          auto* link = static_cast<foreign_link*>(p);
          cancel_node* node = link->child;
          ctx_node* parent = link->parent;  // alive while its child is
          const bool alive = try_retain(node->refs);
          link->left.store(true, std::memory_order_release);  // our last look at it: the child may go now
          if (!alive) return;
          const auto follow = [node, parent] {
            error why = parent->err();
            if (!why) why = tenon::canceled();
            node->cancel(why, parent->cause(), false);
            release(node);
          };
          // Not here: whoever closed the channel may hold a lock that err() takes, as Go's own contexts do.
          run_apart(std::source_location::current(), follow);
        }) {}
};

using stop_function = std::function<void()>;

/// With_cancel and everything built on it.
struct derived_node final : cancel_node {
  std::optional<time_point> until;
  std::unique_ptr<foreign_link> link;
  std::optional<std::stop_callback<stop_function>> on_stop;
  error timeout_cause;
  struct deadline_timer : timer_node {
    derived_node* node = nullptr;
  } timer;

  using cancel_node::cancel_node;

  ~derived_node() override {
    on_stop.reset();  // waits for a callback that is running
    if (link != nullptr) leave_foreign();
  }

  [[nodiscard]] std::optional<time_point> deadline() const override { return until ? until : parent->deadline(); }
  [[nodiscard]] std::string text() const override {
    if (!until) return cancel_node::text() + ".WithCancel";
    const double left = std::chrono::duration<double>(*until - tenon::now()).count();
    return cancel_node::text() + ".WithDeadline([" + std::to_string(left) + "s])";
  }

  void follow_foreign(ctx_node* foreign) {
    chan_core* c = chan_access::core(foreign->done());
    if (c == nullptr) return;
    link = std::make_unique<foreign_link>();
    link->child = this;
    link->parent = foreign;
    link->self.who = link.get();
    c->lock.lock();
    const bool closed = c->closed.load(std::memory_order_relaxed);
    if (!closed) push_back(c->receivers, &link->self);
    c->lock.unlock();
    if (closed) {
      link.reset();
      cancel(foreign->err() ? foreign->err() : tenon::canceled(), foreign->cause(), false);
    }
  }

  void leave_foreign() noexcept {
    chan_core* c = chan_access::core(link->parent->done());
    c->lock.lock();
    const bool waiting = link->self.queued;
    if (waiting) unlink(c->receivers, &link->self);
    c->lock.unlock();
    if (!waiting) {
      while (!link->left.load(std::memory_order_acquire)) std::this_thread::yield();
    }
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
    start_timer(&timer, when);
  }

  void canceled() noexcept override {
    if (stop_timer(&timer)) release(this);
  }
};

}  // namespace

/// A wrapper that hands on the channel of the context below it: children may follow that one directly.
cancel_node* custom_node::canceler() {
  auto* n = static_cast<cancel_node*>(const_cast<void*>(custom->value(&canceler_key)));
  return n != nullptr && n->done() == done() ? n : nullptr;
}

error custom_node::cause() const {
  if (const auto* n = static_cast<const cancel_node*>(custom->value(&canceler_key))) {
    if (error why = n->cause()) return why;
  }
  return custom->err();
}

bool try_retain(std::atomic<std::uint32_t>& refs) noexcept {
  std::uint32_t n = refs.load(std::memory_order_relaxed);
  while (n != 0) {
    if (refs.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel, std::memory_order_relaxed)) return true;
  }
  return false;
}

// ---------------------------------------------------------------- cancel_node

cancel_node::~cancel_node() {
  if (under != nullptr) under->disown(this);
}

const recv_chan<void>& cancel_node::done() {
  if (has_done_.load(std::memory_order_acquire)) return done_;
  auto fresh = make_chan<void>();
  const std::lock_guard hold(lock_);
  if (!has_done_.load(std::memory_order_relaxed)) {
    if (phase_.load(std::memory_order_relaxed) != phase::live) {
      chan_access::core(fresh)->closed.store(true, std::memory_order_relaxed);  // nobody else has seen it yet
    }
    done_ = std::move(fresh);
    has_done_.store(true, std::memory_order_release);
  }
  return done_;
}

/// Nobody sees an error before `done` is closed: waits for the closer, who is a few instructions from there.
void cancel_node::await_closed() const noexcept {
  while (phase_.load(std::memory_order_acquire) != phase::canceled) std::this_thread::yield();
}

std::stop_token cancel_node::stop_token() {
  std::stop_source fresh;
  const std::lock_guard hold(lock_);
  if (!stop_) {
    stop_ = std::move(fresh);
    has_stop_.store(true, std::memory_order_relaxed);
    if (phase_.load(std::memory_order_relaxed) != phase::live)
      stop_->request_stop();  // nobody has registered a callback yet
  }
  return stop_->get_token();
}

const void* cancel_node::value(const void* key) const { return key == &canceler_key ? this : parent->value(key); }

std::string cancel_node::text() const { return parent->text(); }

bool cancel_node::adopt(ctx_child* c) noexcept {
  c->under = this;
  const std::lock_guard hold(lock_);
  if (phase_.load(std::memory_order_relaxed) != phase::live) return false;
  children_.push_back(c);
  c->listed.store(true, std::memory_order_relaxed);
  return true;
}

bool cancel_node::disown(ctx_child* c) noexcept {
  // Acquire pairs with the release in collect, whose last look at the child that was.
  if (!c->listed.load(std::memory_order_acquire)) return false;
  const std::lock_guard hold(lock_);
  if (!c->listed.load(std::memory_order_relaxed)) return false;
  children_.remove(c);
  c->listed.store(false, std::memory_order_relaxed);
  return true;
}

/// Sets the error, once, and closes `done`.
bool cancel_node::mark(const error& err, const error& cause) noexcept {
  chan_core* done = nullptr;
  {
    const std::lock_guard hold(lock_);
    if (phase_.load(std::memory_order_relaxed) != phase::live) return false;
    err_ = err;
    cause_ = cause ? cause : err;
    phase_.store(phase::closing, std::memory_order_relaxed);
    done = chan_access::core(done_);
  }
  if (done != nullptr) chan_close(done);
  phase_.store(phase::canceled, std::memory_order_release);
  return true;
}

/// Moves the children to `pending`, each with a reference.
void cancel_node::collect(list<ctx_child>& pending) noexcept {
  const std::lock_guard hold(lock_);
  while (ctx_child* c = children_.pop_front()) {
    const bool alive = try_retain(c->references);
    c->listed.store(false, std::memory_order_release);
    if (alive) pending.push_back(c);
  }
}

void cancel_node::spread(const error& err, const error& cause, list<ctx_child>& pending) noexcept {
  if (!mark(err, cause)) return;
  spreading_ = true;
  collect(pending);
}

void cancel_node::spread_done() noexcept {
  if (spreading_) told_.store(true, std::memory_order_release);
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
  if (spreading_) {
    finish();
  } else {
    // Somebody else got here first. Nobody waits while he spreads, so this ends.
    while (!told_.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  release(this);
}

void cancel_node::cancel(const error& err, const error& cause, bool leave_parent) noexcept {
  if (finished_.load(std::memory_order_acquire)) return;  // every handle cancels when it goes, usually for nothing
  if (!mark(err, cause)) {
    while (!told_.load(std::memory_order_acquire)) std::this_thread::yield();
    finish();  // at least this node's stop token says so, too, when we return
    return;
  }
  const error& why = cause ? cause : err;
  list<ctx_child> pending;
  list<ctx_child> reached;
  collect(pending);
  while (ctx_child* c = pending.pop_front()) {
    c->spread(err, why, pending);
    reached.push_back(c);
  }
  for (ctx_child* c = reached.front(); c != nullptr; c = c->next) c->spread_done();
  told_.store(true, std::memory_order_release);
  while (ctx_child* c = reached.pop_front()) c->parent_canceled();
  if (leave_parent && under != nullptr) under->disown(this);
  finish();
}

// ---------------------------------------------------------------- deriving

ctx_node* need_parent(const context& parent) {
  ctx_node* p = context_access::node(parent);
  if (p == nullptr) throw panic("cannot create context from nil parent");
  return p;
}

namespace {

derived_node* derive_node(ctx_node* p) {
  retain(p);
  auto* n = new derived_node(p);
  if (cancel_node* c = p->canceler()) {
    if (!c->adopt(n)) n->cancel(c->err(), c->cause(), false);
  } else if (ctx_node* f = p->foreign()) {
    n->follow_foreign(f);
  }
  return n;
}

void cancel_through_handle(ctx_node* n, const error& why) noexcept {
  static_cast<derived_node*>(n)->cancel(tenon::canceled(), why, true);
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

/// The run's own context, which lives longer than any goroutine: that of most goroutines, so that nobody counts references to it.
std::atomic<ctx_node*> run_context{nullptr};

/// The context that goroutine g runs under; null: none. Only g itself calls this.
ctx_node* context_of(goroutine_core& g) {
  if (g.own == nullptr) return g.under;
  ctx_node* n = g.own->load(std::memory_order_acquire);
  if (n != nullptr && n != own_context::canceled_unmade()) return n;
  ctx_node* fresh = derive_node(g.under != nullptr ? g.under : background_node());
  n = nullptr;
  // Release: the node, to the handle's owner.
  if (!g.own->compare_exchange_strong(n, fresh, std::memory_order_acq_rel)) {
    cancel_only(fresh);
    g.own->store(fresh, std::memory_order_release);
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

bool cancel_node::has_listeners(std::vector<cancel_node*>& further) {
  const std::lock_guard hold(lock_);
  if (phase_.load(std::memory_order_relaxed) != phase::live) return false;
  if (stop_) return true;  // somebody may have registered a callback
  if (const chan_core* c = chan_access::core(done_); c != nullptr && !empty(c->receivers)) return true;
  for (ctx_child* c = children_.front(); c != nullptr; c = c->next) {
    if (c->listens(further)) return true;
  }
  return false;
}

bool run_context_is_listened_to() noexcept {
  ctx_node* root = run_context.load(std::memory_order_acquire);  // the node, which another thread has made
  cancel_node* top = root == nullptr ? nullptr : root->canceler();
  if (top == nullptr) return false;
  std::vector<cancel_node*> left{top};
  while (!left.empty()) {
    cancel_node* n = left.back();
    left.pop_back();
    if (n->has_listeners(left)) return true;
  }
  return false;
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
  ctx_node* p = need_parent(parent);
  retain(p);
  return context_access::adopt(new value_node(p, key, name, std::move(value)));
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

error context::err() const { return node_ == nullptr ? error() : node_->err(); }
bool context::is_canceled() const noexcept { return node_ != nullptr && node_->is_canceled(); }
std::optional<time_point> context::deadline() const { return node_ == nullptr ? std::nullopt : node_->deadline(); }
const void* context::find(const void* key) const { return node_ == nullptr ? nullptr : node_->value(key); }
std::stop_token context::stop_token() const {
  detail::cancel_node* c = node_ == nullptr ? nullptr : node_->canceler();
  return c == nullptr ? std::stop_token() : c->stop_token();
}
error cause(const context& ctx) {
  detail::ctx_node* n = context_access::node(ctx);
  return n == nullptr ? error() : n->cause();
}
std::string to_string(const context& ctx) {
  const detail::ctx_node* n = context_access::node(ctx);
  return n == nullptr ? "<nil>" : n->text();
}

context background() noexcept { return context_access::share(detail::background_node()); }
context todo() noexcept {
  static auto* const node = new detail::root_node("context.TODO");
  return context_access::share(node);
}

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
      if (n->is_canceled()) n->canceled();  // canceled between the two
    }
  }
  return context_access::scope<cancel_scope>(n);
}

cancel_scope with_timeout(const context& parent, std::chrono::nanoseconds d, const error& why) {
  const clock::nanos when = d.count() <= 0 ? clock::now() : clock::after(d.count());
  return with_deadline(parent, time_point(std::chrono::nanoseconds(when)), why);
}

cancel_scope with_stop_token(const context& parent, std::stop_token token) {
  detail::derived_node* n = detail::derive_node(detail::need_parent(parent));
  cancel_scope out = context_access::scope<cancel_scope>(n);
  n->on_stop.emplace(std::move(token), detail::stop_function([n] { detail::cancel_only(n); }));
  return out;
}

context this_goroutine::context() {
  detail::goroutine_core* g = detail::running_goroutine();
  detail::ctx_node* n = g == nullptr ? nullptr : detail::context_of(*g);
  return n == nullptr ? background() : context_access::share(n);
}

context without_cancel(const context& parent) {
  detail::ctx_node* p = detail::need_parent(parent);
  detail::retain(p);
  return context_access::adopt(new detail::detached_node(p));
}

}  // namespace tenon
