#include "platform/spin_lock.hpp"

#include <algorithm>

#include <tenon/detail/atomic.hpp>

namespace tenon::detail {

namespace {
constexpr int first_pause = 4;
constexpr int longest_pause = 64;
constexpr int yield_after = 16;
}  // namespace

// Looks less and less often: every look takes the cache line away from the holder, who is then slower for it; and a holder that is left
// alone for a while does several operations in a row, where the lock would otherwise change hands at each.
void spin_lock_wait(detail::atomic<std::uint32_t>& word) noexcept {
  int pause = first_pause;
  int looks = 0;
  do {
    if (++looks < yield_after) {
      for (int i = 0; i < pause; ++i) cpu_relax();
      pause = std::min(2 * pause, longest_pause);
    } else {
      let_others_run();
    }
  } while (word.load(std::memory_order_relaxed) != 0 || word.exchange(1, std::memory_order_acquire) != 0);
}

void spin_lock_await(const detail::atomic<std::uint32_t>& word) noexcept {
  int looks = 0;
  while (word.load(std::memory_order_acquire) != 0) {  // acquire: the holder's last use of what is to be destroyed
    if (++looks < yield_after) {
      cpu_relax();
    } else {
      let_others_run();
    }
  }
}

}  // namespace tenon::detail
