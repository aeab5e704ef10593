#include "lib/remaining.hpp"

#include <vector>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/goroutine_frame.hpp>

#include "lib/context.hpp"
#include "platform/annotate.hpp"
#include "platform/spin_lock.hpp"
#include "sched/scheduler.hpp"

// A goroutine's own context lies in its frame, which its handle's owner destroys once it has ended. An end takes the lock `join_lock` if
// `join` says that it is awaited (core/join.cpp). So under that lock, with `awaited` set, the goroutine has not ended, and the frame stays.

namespace tenon::detail {

namespace {

/// The context of the goroutine, counted; null if it has ended, or had none yet: then it is canceled when it is made.
ctx_node* context_of_living(goroutine_core& g) noexcept {
  const spin_guard hold(g.join_lock);
  auto state = join_state::running;
  if (!g.join.compare_exchange_strong(state, join_state::awaited, std::memory_order_acq_rel) &&
      state == join_state::ended)
    return nullptr;
  detail::atomic<ctx_node*>* own = g.own.load(std::memory_order_acquire);
  if (own == nullptr) return nullptr;
  annotate::happens_after(&g.own);
  ctx_node* n = nullptr;
  if (own->compare_exchange_strong(n, own_context::canceled_unmade(), std::memory_order_acq_rel)) return nullptr;
  if (n == own_context::canceled_unmade()) return nullptr;
  retain(n);
  return n;
}

}  // namespace

void cancel_remaining() noexcept {
  if (the_scheduler().live() <= 1) return;  // none but the caller
  std::vector<ctx_node*> found;
  stacks::for_each(
      [](const stack_slot& slot, void* to) {
        goroutine_core& g = *descriptor_of(slot);
        const goroutine_state state = g.state.load(std::memory_order_acquire);
        if (state == goroutine_state::free || state == goroutine_state::created || state == goroutine_state::ended)
          return;
        if (!g.has_handle) return;
        if (ctx_node* n = context_of_living(g)) static_cast<std::vector<ctx_node*>*>(to)->push_back(n);
      },
      &found);
  for (ctx_node* n : found) {
    cancel_only(n);
    release(n);
  }
}

}  // namespace tenon::detail
