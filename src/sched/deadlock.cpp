#include <algorithm>

#include "base/fatal.hpp"
#include "platform/cpu.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// The last worker to go to sleep looks whether anything could still wake a goroutine. If not, that is a deadlock.

namespace tenon::detail {

bool scheduler::nothing_can_wake() noexcept {
  return active_.load(std::memory_order_seq_cst) == 0 && retaken_.load(std::memory_order_seq_cst) == 0 &&
         searching_.load(std::memory_order_seq_cst) == 0 && outside_wakers_.load(std::memory_order_seq_cst) == 0 &&
         descriptor_waits_.load(std::memory_order_seq_cst) == 0 &&
         being_created_.load(std::memory_order_seq_cst) == 0 && !has_work(true) && next_timer() == clock::never &&
         !monitor::has_timers() && live() != 0 && !stopping_.load(std::memory_order_seq_cst);
}

void scheduler::look_for_deadlock() noexcept {
  const std::uint64_t epoch = epoch_.load(std::memory_order_seq_cst);
  if (!nothing_can_wake()) return;
  // A thread that is not ours and is not itself parked in a primitive may still wake a goroutine: look again later.
  // Ours: the workers, the monitor thread, the caller of run.
  const int parked = parked_threads_.load(std::memory_order_seq_cst);
  const unsigned ours = threads_.load(std::memory_order_relaxed) + 2 + static_cast<unsigned>(std::max(parked, 0));
  const unsigned all = process_threads();
  if (all == 0 || all > ours) {
    deadlock_recheck_.store(true, std::memory_order_relaxed);
    return;
  }
  // Ctrl-C cancels the run's context: where a goroutine waits for that, it can still come.
  if (const auto would_wake = interrupt_would_wake_.load(std::memory_order_acquire);
      would_wake != nullptr && would_wake()) {
    return;
  }
  // A worker that was woken meanwhile became active, and looks again when it goes idle.
  if (nothing_can_wake() && epoch_.load(std::memory_order_seq_cst) == epoch)
    fatal("all goroutines are asleep - deadlock!");
}

}  // namespace tenon::detail
