#pragma once

// What differs between compilers, sanitizers and processors, behind names.

#include <sched.h>

#include <cstddef>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TENON_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define TENON_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(TENON_ASAN)
#define TENON_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(TENON_TSAN)
#define TENON_TSAN 1
#endif
#if defined(TENON_MODEL)
#undef TENON_TSAN  // the accesses are reported to test/model
#endif

// A variable of several source files, read on hot paths: of the program or library that it becomes part of, and so reached directly from
// position-independent code. Not in the shared library, into which some tests look from outside.
#if defined(TENON_SHARED)
#define TENON_HIDDEN
#else
#define TENON_HIDDEN __attribute__((visibility("hidden")))
#endif

#define TENON_NOINLINE __attribute__((noinline))
#define TENON_INLINE inline __attribute__((always_inline))
#define TENON_LIKELY(x) __builtin_expect(static_cast<bool>(x), 1)
#define TENON_UNLIKELY(x) __builtin_expect(static_cast<bool>(x), 0)

#if defined(TENON_ASAN) || defined(TENON_TSAN)
// The frames between the announcement of a switch and the switch itself must not run instrumented code.
#define TENON_NO_SANITIZE __attribute__((no_sanitize("address", "thread")))
#define TENON_SWITCH_LINKAGE static TENON_NOINLINE TENON_NO_SANITIZE __attribute__((unused))
#else
#define TENON_NO_SANITIZE
#define TENON_SWITCH_LINKAGE TENON_INLINE
#endif

namespace tenon {

constexpr bool under_tsan =
#if defined(TENON_TSAN)
    true;
#else
    false;
#endif

constexpr std::size_t cache_line = 64;

/// A hint that this thread is spinning.
TENON_INLINE void cpu_relax() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::pause();
#endif
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// How often to look before doing something else. Where threads are modelled a second look shows nothing that a first one would not.
constexpr int looks(int n) noexcept {
#if defined(TENON_MODEL)
  return n < 1 ? n : 1;
#else
  return n;
#endif
}

/// By a thread that has spun in vain for a while: who it waits for may have no processor.
inline void let_others_run() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::pause();
#endif
  ::sched_yield();
}

}  // namespace tenon
