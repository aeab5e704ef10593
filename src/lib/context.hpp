#pragma once

// The nodes of the context tree, seen from within lib. The invariants: of the tree and its cancellation in cancel_node.cpp, of what is
// built on it in context.cpp.

#include <mutex>
#include <optional>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>

#include "base/list.hpp"
#include "platform/spin_lock.hpp"

namespace tenon::detail {

struct cancel_node;

inline const recv_chan<void> never_closed;

/// The key under which a node's nearest cancel_node is found through contexts of the user's own making, which pass `value` on.
inline constexpr context_key<cancel_node> canceler_key{"canceler"};

struct ctx_node {
  static constexpr std::uint32_t immortal = ~0U;  // instead of a count
  // Each drop releases, the last one acquires; so does try_retain, which has none of its own before.
  detail::atomic<std::uint32_t> refs{1};
  ctx_node* const parent;  // counted (see release); null for a root

  explicit inline ctx_node(ctx_node* p) noexcept;
  ctx_node(const ctx_node&) = delete;
  ctx_node& operator=(const ctx_node&) = delete;
  virtual ~ctx_node() = default;

  // No answer nests calls, because a chain can be deeper than a stack: these go to one node, the anchor (a value forwards them), which knows …

  /// The nearest ancestor, this one included, that has a say in cancellation: all but values.
  [[nodiscard]] virtual ctx_node* anchor() noexcept { return this; }
  [[nodiscard]] const ctx_node* anchor() const noexcept { return const_cast<ctx_node*>(this)->anchor(); }
  /// The nil channel if it is never canceled.
  [[nodiscard]] virtual const recv_chan<void>& done() { return never_closed; }
  [[nodiscard]] virtual error err() const { return {}; }
  [[nodiscard]] virtual bool is_canceled() const noexcept { return false; }
  /// The nearest node that cancellation passes through, or null.
  [[nodiscard]] virtual cancel_node* canceler() { return nullptr; }
  /// The nearest foreign context between here and the nearest canceler, or null.
  [[nodiscard]] virtual ctx_node* foreign() { return nullptr; }
  [[nodiscard]] virtual error cause() const { return {}; }
  [[nodiscard]] virtual std::optional<time_point> deadline() const { return std::nullopt; }
  /// The nearest node whose own deadline it is; this one if there is none.
  [[nodiscard]] virtual const ctx_node* deadline_source() const noexcept { return this; }

  // … and these walk up in a loop, with one step for each kind of node.

  [[nodiscard]] const void* value(const void* key) const;
  [[nodiscard]] std::string text() const;

 protected:
  /// One step: true if the walk ends here, with what is in `out`.
  [[nodiscard]] virtual bool find_value(const void* /*key*/, const void*& /*out*/) const { return false; }
  /// Adds what this node is called to the names of its ancestors.
  virtual void append_name(std::string& out) const = 0;
};

inline void retain(ctx_node* n) noexcept {
  if (n->refs.load(std::memory_order_relaxed) != ctx_node::immortal) n->refs.fetch_add(1, std::memory_order_relaxed);
}
inline ctx_node::ctx_node(ctx_node* p) noexcept : parent(p) {
  if (p != nullptr) retain(p);
}
/// A node's last reference gives its parent's back: a loop, because a chain can be deeper than a stack.
inline void release(ctx_node* n) noexcept {
  while (n != nullptr && n->refs.load(std::memory_order_relaxed) != ctx_node::immortal &&
         n->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    ctx_node* parent = n->parent;
    delete n;
    n = parent;
  }
}
/// For a reference that does not keep its target alive: false if that is about to be destroyed.
bool try_retain(detail::atomic<std::uint32_t>& refs) noexcept;

/// What hangs under a cancel_node and is told when that is canceled.
struct ctx_child {
  ctx_child* next = nullptr;  // guarded by the parent's lock, as all of these
  ctx_child* prev = nullptr;
  // Once false again it stays so, and the parent does not know the child any more: released after its last look, acquired by disown.
  detail::atomic<bool> listed{false};
  cancel_node* under = nullptr;  // set before it is listed, constant afterwards
  // What to count up, under the parent's lock, before parent_canceled is called; if it is zero the child is going away. Not a
  // virtual call: the child's destructor may be running.
  detail::atomic<std::uint32_t>& references;

  explicit ctx_child(detail::atomic<std::uint32_t>& r) noexcept : references(r) {}
  /// The first step, inside of tenon only: the child is canceled; its own children are added to `pending`.
  virtual void propagate(const error& err, const error& cause, list<ctx_child>& pending) noexcept = 0;
  /// The second: all descendants of the canceled node have been through the first, and the child's own through this one.
  virtual void propagated() noexcept {}
  /// Whether a cancellation would wake or run anything; adds those below to `further`, with a reference each. Only while every goroutine is parked.
  virtual bool listens(std::vector<cancel_node*>& further) = 0;
  /// The third, which may run functions of the user; gives the reference back.
  virtual void parent_canceled() noexcept = 0;

 protected:
  ~ctx_child() = default;
};

/// A new node under `p` (not null), canceled already if p is. The caller owns one reference.
cancel_node* derive(ctx_node* p);
/// The context of the run that is active, or null: it outlives every goroutine.
void set_run_context(const context& ctx) noexcept;
/// Whether canceling that context would wake a waiter or start a function. Only while every goroutine is parked.
bool run_context_is_listened_to() noexcept;
/// The node behind a context; throws panic for the nil context.
ctx_node* need_parent(const context& parent);

struct cancel_node : ctx_node, ctx_child {
  explicit cancel_node(ctx_node* p) noexcept : ctx_node(p), ctx_child(refs) {}
  ~cancel_node() override;

  const recv_chan<void>& done() override;
  error err() const override { return has_ended() ? err_ : error(); }
  bool is_canceled() const noexcept override { return has_ended(); }
  cancel_node* canceler() override { return this; }
  error cause() const override { return has_ended() ? cause_ : error(); }

  /// Cancels this node and all below it. If another canceler has done so or is about to, it only makes sure that all below it know when it
  /// returns. The caller holds a reference when it calls; functions of the user that run in here may drop it.
  void cancel(const error& err, const error& cause, bool leave_parent) noexcept;

  /// Nothing is left for cancel() to do: every handle cancels when it goes, usually for nothing.
  bool is_finished() const noexcept { return finished_.load(std::memory_order_acquire); }

  /// Made when first asked for; stop is requested when this node is canceled.
  std::stop_token stop_token();

  /// Adds a child; false if this node is canceled already: then the caller tells the child, and err() and cause() say what.
  bool adopt(ctx_child* c) noexcept;
  /// True if the child was still listed.
  bool disown(ctx_child* c) noexcept;

  void propagate(const error& err, const error& cause, list<ctx_child>& pending) noexcept override;
  void propagated() noexcept override;
  void parent_canceled() noexcept override;
  bool listens(std::vector<cancel_node*>& further) override {
    if (try_retain(refs)) further.push_back(this);  // a thread outside of the run may be about to drop it
    return false;
  }
  /// Whether a canceler has passed the point from which on no child is adopted: it calls canceled() after this was true.
  bool is_ending() noexcept {
    const std::lock_guard hold(lock_);
    return ended_.load(std::memory_order_relaxed);
  }
  /// Whether anything waits for this node's own end; adds those below, with a reference each.
  bool has_listeners(std::vector<cancel_node*>& further);

 protected:
  bool find_value(const void* key, const void*& out) const override {
    if (key != &canceler_key) return false;
    out = this;
    return true;
  }
  /// After it was canceled: what a derived node has running for it ends.
  virtual void canceled() noexcept {}

 private:
  const recv_chan<void>& make_done();
  bool has_ended() const noexcept {
    // Acquire pairs with the release in end(): err_ and cause_ are constant from there on.
    return ended_.load(std::memory_order_acquire) && is_done_closed();
  }
  bool is_done_closed() const noexcept;
  bool end(const error& err, const error& cause) noexcept;
  void detach_children(list<ctx_child>& pending) noexcept;
  void notify_descendants(list<ctx_child>& reached) noexcept;
  void descendants_are_notified() noexcept;
  void await_descendants_notified() noexcept;
  void finish() noexcept;

  mutable spin_lock lock_;
  list<ctx_child> children_;  // guarded by lock_
  error err_;                 // constant once ended_, as is cause_
  error cause_;
  recv_chan<void> done_;                  // made when first asked for, under lock_; closed when canceled
  detail::atomic<bool> has_done_{false};  // once true, done_ is constant: released after it, acquired before it is used
  // Set under lock_; the node counts as canceled once its done channel, if it has one, is closed. Released with err_ and cause_, acquired by
  // has_ended.
  detail::atomic<bool> ended_{false};
  bool propagating_ = false;  // belongs to the canceler that set ended_
  // Everything that a cancellation does has been done: released after it, acquired by who has nothing left to do.
  detail::atomic<bool> finished_{false};
  detail::atomic<bool> has_stop_{false};  // changes with stop_
  // A futex: see await_descendants_notified; `notified` releases their states.
  detail::atomic<std::uint32_t> descendants_notified_{0};
  std::optional<std::stop_source> stop_;  // guarded by lock_
};

}  // namespace tenon::detail
