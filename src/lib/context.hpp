#pragma once

// The nodes of the context tree, seen from within lib. See context.cpp for the invariants.

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include <tenon/context.hpp>

#include "base/list.hpp"
#include "platform/spin_lock.hpp"

namespace tenon::detail {

struct cancel_node;

inline const recv_chan<void> never_closed;

struct ctx_node {
  static constexpr std::uint32_t immortal = ~0U;  // instead of a count
  std::atomic<std::uint32_t> refs{1};
  ctx_node* const parent;  // counted (see release); null for a root

  explicit ctx_node(ctx_node* p) noexcept : parent(p) {}
  ctx_node(const ctx_node&) = delete;
  ctx_node& operator=(const ctx_node&) = delete;
  virtual ~ctx_node() = default;

  [[nodiscard]] virtual std::optional<time_point> deadline() const {
    return parent != nullptr ? parent->deadline() : std::nullopt;
  }
  /// The nil channel if it is never canceled.
  [[nodiscard]] virtual const recv_chan<void>& done() { return parent != nullptr ? parent->done() : never_closed; }
  [[nodiscard]] virtual error err() const { return parent != nullptr ? parent->err() : error(); }
  [[nodiscard]] virtual bool is_canceled() const noexcept { return parent != nullptr && parent->is_canceled(); }
  [[nodiscard]] virtual const void* value(const void* key) const {
    return parent != nullptr ? parent->value(key) : nullptr;
  }
  /// The nearest node that cancellation passes through, or null: this one, or the parent's.
  [[nodiscard]] virtual cancel_node* canceler() { return parent != nullptr ? parent->canceler() : nullptr; }
  /// The nearest foreign context between here and the nearest canceler, or null.
  [[nodiscard]] virtual ctx_node* foreign() { return parent != nullptr ? parent->foreign() : nullptr; }
  [[nodiscard]] virtual error cause() const { return parent != nullptr ? parent->cause() : error(); }
  [[nodiscard]] virtual std::string text() const = 0;
};

inline void retain(ctx_node* n) noexcept {
  if (n->refs.load(std::memory_order_relaxed) != ctx_node::immortal) n->refs.fetch_add(1, std::memory_order_relaxed);
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
bool try_retain(std::atomic<std::uint32_t>& refs) noexcept;

/// What hangs under a cancel_node and is told when that is canceled.
struct ctx_child {
  ctx_child* next = nullptr;  // guarded by the parent's lock, as all of these
  ctx_child* prev = nullptr;
  std::atomic<bool> listed{false};  // once false again it stays so, and the parent does not know the child any more
  cancel_node* under = nullptr;     // set before it is listed, constant afterwards
  // What to count up, under the parent's lock, before parent_canceled is called; if it is zero the child is going away. Not a
  // virtual call: the child's destructor may be running.
  std::atomic<std::uint32_t>& references;

  explicit ctx_child(std::atomic<std::uint32_t>& r) noexcept : references(r) {}
  /// The first step, inside of tenon only: whoever hangs below this child is added to `pending`.
  virtual void spread(const error& err, const error& cause, list<ctx_child>& pending) noexcept = 0;
  /// The second: everybody below has been told.
  virtual void spread_done() noexcept {}
  /// Whether a cancellation would wake or run anything; adds those below to `further`. For a program that stands still.
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
/// Whether canceling that context would wake somebody or start something. For a program that stands still.
bool run_context_is_listened_to() noexcept;
/// The node behind a context; throws panic for the nil context.
ctx_node* need_parent(const context& parent);

struct cancel_node : ctx_node, ctx_child {
  enum class phase : std::uint8_t { live, closing, canceled };

  explicit cancel_node(ctx_node* p) noexcept : ctx_node(p), ctx_child(refs) {}
  ~cancel_node() override;

  const recv_chan<void>& done() override;
  error err() const override { return has_ended() ? err_ : error(); }
  bool is_canceled() const noexcept override { return has_ended(); }
  cancel_node* canceler() override { return this; }
  ctx_node* foreign() override { return nullptr; }
  error cause() const override { return has_ended() ? cause_ : error(); }
  std::string text() const override;

  /// Cancels this node and all below it. If that is done already, or being done by somebody else, it only makes sure that all
  /// below it know when it returns.
  void cancel(const error& err, const error& cause, bool leave_parent) noexcept;

  /// Made when first asked for; stop is requested when this node is canceled.
  std::stop_token stop_token();

  /// Adds a child; false if this node is canceled already (then the caller tells the child).
  bool adopt(ctx_child* c) noexcept;
  /// True if the child was still listed.
  bool disown(ctx_child* c) noexcept;

  const void* value(const void* key) const override;
  void spread(const error& err, const error& cause, list<ctx_child>& pending) noexcept override;
  void spread_done() noexcept override;
  void parent_canceled() noexcept override;
  bool listens(std::vector<cancel_node*>& further) override {
    further.push_back(this);
    return false;
  }
  /// Whether anybody waits for this node's own end; adds those below.
  bool has_listeners(std::vector<cancel_node*>& further);

 protected:
  /// After it was canceled: what a derived node has running for it ends.
  virtual void canceled() noexcept {}

 private:
  bool has_ended() const noexcept {
    if (phase_.load(std::memory_order_acquire) == phase::live) return false;
    await_closed();
    return true;
  }
  void await_closed() const noexcept;
  bool mark(const error& err, const error& cause) noexcept;
  void collect(list<ctx_child>& pending) noexcept;
  void finish() noexcept;

  mutable spin_lock lock_;
  list<ctx_child> children_;  // guarded by lock_
  error err_;                 // constant once `phase_` is `canceled`, as is cause_
  error cause_;
  recv_chan<void> done_;                   // made when first asked for, under lock_; closed when canceled
  std::atomic<bool> has_done_{false};      // once true, done_ is constant
  std::atomic<phase> phase_{phase::live};  // leaves `live` under lock_
  bool spreading_ = false;                 // belongs to the thread that ended `live`
  std::atomic<bool> told_{false};          // all below it have been told
  std::atomic<bool> finished_{false};      // and everything that a cancellation does has been done
  std::atomic<bool> has_stop_{false};      // changes with stop_
  std::optional<std::stop_source> stop_;   // guarded by lock_
};

}  // namespace tenon::detail
