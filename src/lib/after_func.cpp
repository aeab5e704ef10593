#include <tenon/context.hpp>

#include <thread>

#include <tenon/detail/atomic.hpp>
#include <tenon/go.hpp>

#include "lib/context.hpp"
#include "lib/spawn_or_thread.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// A function that runs when a context is canceled: a child of a context node of its own, under the one it watches.
//
// Invariants
//  1. `waiting` is left once, by the winner: stop (→ stopped) or the cancellation (→ started → finished).
//  2. The handle holds one reference and the cancellation, from `hold` to the end of the function, another.
//  3. The function is destroyed by the goroutine that has run it or, if it was stopped, by the handle's owner: what it captured does not
//     outlive the handle, though the cancellation's reference may.

namespace tenon::detail {

struct after_func_node final : ctx_child {
  enum class phase : std::uint8_t { waiting, stopped, started, finished };

  detail::atomic<std::uint32_t> refs{1};  // each drop releases, the last one acquires
  // Who leaves `waiting` acquires f; `finished` is released after it, for who drops the handle.
  detail::atomic<phase> at{phase::waiting};
  // Released before f is called; acquired by a drop that may come from within.
  detail::atomic<const parker*> runner{nullptr};
  std::function<void()> f;
  std::source_location where;
  cancel_node* node = nullptr;  // ours; counted
  chan<void> finished = make_chan<void>();

  after_func_node(std::function<void()> fn, std::source_location w) : ctx_child(refs), f(std::move(fn)), where(w) {}

  void drop() noexcept {
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  bool leave_waiting(phase to) noexcept {
    phase expected = phase::waiting;
    return at.compare_exchange_strong(expected, to, std::memory_order_acq_rel);
  }

  void execute() {
    runner.store(this_parker(), std::memory_order_release);
    owned_scope end{this, [](void* self) {
                      auto* n = static_cast<after_func_node*>(self);
                      n->f = nullptr;
                      n->at.store(phase::finished, std::memory_order_release);
                      n->finished.close();
                      n->drop();
                    }};
    f();
  }

  void propagate(const error&, const error&, list<ctx_child>&) noexcept override {}
  bool listens(std::vector<cancel_node*>&) override { return true; }
  void parent_canceled() noexcept override {
    if (!leave_waiting(phase::started)) return drop();
    const auto body = [this] { execute(); };
    try {
      if (spawn_owned({.where = where, .owner = this, .only_while_running = true}, body)) return;
    } catch (...) {  // no stack: then here, too
    }
    // Neither the monitor nor a worker's own stack must wait: no timer would fire any more.
    if (monitor::is_this_thread() || (this_worker() != nullptr && running_goroutine() == nullptr)) {
      return in_thread(where, body);
    }
    call_outside(where, body);
  }

 private:
  ~after_func_node() = default;
};

after_func_node* after_func_start(const context& ctx, std::function<void()> f, std::source_location where) {
  if (!f) go_of_nil();
  ctx_node* parent = need_parent(ctx);
  auto* n = new after_func_node(std::move(f), where);
  try {
    n->node = derive(parent);
  } catch (...) {
    n->drop();
    throw;
  }
  if (!n->node->adopt(n)) {
    n->refs.fetch_add(1, std::memory_order_relaxed);
    n->parent_canceled();
  }
  return n;
}

bool after_func_stop(after_func_node* n) noexcept { return n->leave_waiting(after_func_node::phase::stopped); }

void after_func_drop(after_func_node* n) noexcept {
  if (!after_func_stop(n) && n->at.load(std::memory_order_acquire) == after_func_node::phase::started &&
      n->runner.load(std::memory_order_acquire) != this_parker()) {
    (void)n->finished.recv();
  }
  (void)n->node->disown(n);
  cancel_and_drop(n->node);
  if (n->at.load(std::memory_order_acquire) == after_func_node::phase::stopped) n->f = nullptr;
  n->drop();
}

}  // namespace tenon::detail
