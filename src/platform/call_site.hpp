#pragma once

// The place of a call, kept in a few nanoseconds and turned into return addresses only for a report.
//
// Unwinding takes microseconds: too long for each lock. But the calls that lead to a lock (the lock's own function, std::lock_guard's
// constructor, the program's function) fill the lowest few words of the stack. A call_site keeps a copy of those words and the registers
// that an unwinder needs, and is unwound from the copy, long after the frames themselves are gone.
//
// Invariants
//  1. Nothing above the end of the stack is read.
//  2. Unwinding reads the copy and zeros above it, never the stack that it was taken from, whose words may be others by then.
//  3. Every address that `calls_of` returns was in the copy. So there are fewer where frames are large, but no wrong ones.
//
// Rejected: the return address alone (without optimisation it lies in std::lock_guard, whichever line has called that); following frame
// pointers (on x86-64 optimised code has none; on aarch64, where it has, this is what is done); a backtrace for each lock (1 to 7 µs).

#include <cstddef>
#include <cstdint>

#include "platform/compiler.hpp"

namespace tenon {

/// Where a function was called, as long as that function has not returned: where its frame begins. Both processors keep the caller's frame
/// pointer and the return address there, side by side.
struct caller_frame {
  const void* const* record;
  [[nodiscard]] const void* fp() const noexcept { return record[0]; }
  [[nodiscard]] const void* pc() const noexcept { return record[1]; }
  [[nodiscard]] std::uintptr_t sp() const noexcept { return reinterpret_cast<std::uintptr_t>(record + 2); }
};

/// The caller of the function that this is expanded in, which must not itself be inlined.
TENON_INLINE caller_frame frame_of_caller() noexcept {
  return {static_cast<const void* const*>(__builtin_frame_address(0))};
}

struct stack_bounds {
  std::uintptr_t low = 0;
  std::uintptr_t end = 0;
};

/// Of the calling thread; empty if the system does not say. Takes microseconds: keep it.
stack_bounds stack_of_this_thread() noexcept;

struct call_site {
#if defined(__x86_64__) && defined(TENON_ASAN)
  static constexpr unsigned most_words = 256;  // its frames are several times as large
#elif defined(__x86_64__)
  static constexpr unsigned most_words = 48;  // std::scoped_lock of two takes 44 of them at -O0
#else
  static constexpr unsigned most_words = 8;  // return addresses
#endif
  const void* pc;
  std::uintptr_t fp;
  std::uintptr_t sp;
  std::uintptr_t end;
  std::uint32_t words;
  std::uintptr_t above[most_words];
};

/// Writes `from` down. `stack` bounds the stack that it is on; where it is empty or another stack, only the return address is kept.
void keep_call(call_site& to, caller_frame from, const stack_bounds& stack) noexcept;

/// The calls, innermost first, as `backtrace` gives them. Takes microseconds; does not allocate from the heap.
unsigned calls_of(const call_site& site, const void** pcs, unsigned room) noexcept;

}  // namespace tenon
