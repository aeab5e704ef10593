#include "sched/explorer.hpp"

#include <iterator>

#include <tenon/detail/atomic.hpp>

#include "sched/scheduler.hpp"

namespace tenon::detail {

detail::atomic<explorer*> the_explorer{nullptr};

const char* to_text(operation op) noexcept {
  static constexpr const char* texts[] = {
      "go",
      "join",
      "yield",
      "lock",
      "try_lock",
      "unlock",
      "lock_shared",
      "try_lock_shared",
      "unlock_shared",
      "wait",
      "wait",
      "signal",
      "broadcast",
      "acquire",
      "try_acquire",
      "release",
      "add",
      "send",
      "try_send",
      "recv",
      "try_recv",
      "close",
      "select",
      "sleep",
      "start",
      "stop",
      "cancel",
      "look at",
      "touch",
      "time passes",
  };
  static_assert(std::size(texts) == operations);
  return texts[static_cast<std::size_t>(op)];
}

explorer* explorer_here() noexcept {
  const worker* w = this_worker();
  if (w == nullptr || w->current == nullptr || w->no_local_queue) return nullptr;
  return the_explorer.load(std::memory_order_relaxed);
}

TENON_NOINLINE void at_point(operation op, const void* object) noexcept {
  const worker* w = this_worker();
  goroutine_core* g = w != nullptr ? w->current : nullptr;
  // One that is pinned runs on a thread of its own, in parallel; one that has begun a wait is in a list already.
  if (g == nullptr || w->no_local_queue || g->state.load(std::memory_order_relaxed) != goroutine_state::running) return;
  explorer* const e = the_explorer.load(std::memory_order_relaxed);
  if (e == nullptr) return;
  if (op != operation::yield) {
    e->arrives(*g, op, object);
    the_scheduler().preempt(g);
  }
  e->before(*g, op, object, frame_of_caller());
}

TENON_NOINLINE void at_point_with(operation op, const void* object, const void* other) noexcept {
  at_point(op, object);
  if (explorer* e = explorer_here()) e->also(other);
}

TENON_NOINLINE void at_end(const goroutine_core& g) noexcept {
  if (explorer* e = explorer_here()) e->ended(g);
}

}  // namespace tenon::detail
