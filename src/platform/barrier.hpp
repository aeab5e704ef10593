#pragma once

// An asymmetric fence: pushing work is frequent, going to sleep is rare, and each must see the other's store. `light` is free
// where the kernel can make every other thread run a barrier for us (`heavy`, by membarrier(2)); elsewhere both are real
// fences. ThreadSanitizer does not model fences; nothing but wake-ups depends on these two, and no data is published by them.

#include <atomic>

namespace tenon::barrier {

/// Whether `light` has to be a real fence. Constant after `init`.
extern std::atomic<bool> symmetric;

void init() noexcept;
void heavy() noexcept;
void full() noexcept;

inline void light() noexcept {
  if (symmetric.load(std::memory_order_relaxed)) {
    full();
  } else {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

}  // namespace tenon::barrier
