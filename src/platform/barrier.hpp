#pragma once

// An asymmetric fence: pushing work is frequent, going to sleep is rare, and each must see the other's store. `light` is free
// where the kernel can make every other thread run a barrier for us (`heavy`, by membarrier(2)); elsewhere both are real
// fences. ThreadSanitizer does not model fences; nothing but wake-ups depends on these two, and no data is published by them.
//
// A process may lose membarrier while it runs: it enters a sandbox whose filter does not know the call. Then `light`, which was nothing, has
// to become a fence in every thread, and every thread has to be past the `light`s that it began before. See change_over.

#include <tenon/detail/atomic.hpp>

#include "platform/compiler.hpp"

namespace tenon::barrier {

/// Whether `light` has to be a real fence. Once it is, it stays so.
TENON_HIDDEN extern detail::atomic<bool> symmetric;

/// Before the first heavy. Later calls do nothing.
void init() noexcept;
/// Fatal if membarrier has begun to fail and there is no way to change over.
void heavy() noexcept;
void full() noexcept;
/// The value of `symmetric`, for who is outside the library.
bool is_symmetric() noexcept;

inline void light() noexcept {
  if (symmetric.load(std::memory_order_relaxed)) {
    full();
  } else {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

}  // namespace tenon::barrier
