#pragma once

// Telling ThreadSanitizer what orders what.
//
// Goroutines are fibers to it, and switching between them orders nothing: that is how it sees a race between two goroutines that
// happen to share a thread. But the scheduler's own data does go from fiber to fiber with the thread. So src/sched is compiled without
// instrumentation (CMakeLists.txt), and the orderings that it gives its callers are stated here, one by one:
//   go → first instruction of the goroutine; its end → join; a goroutine's end → the next one on the same stack;
//   unpark → the return of the wait it ends; the creation of a worker → the use of it; under a virtual clock, what was done before
//   it moved → what is done after.
// Thread-local variables (errno, std::call_once's, the user's own) are shared by the goroutines of a worker, in turn, and ordered by
// the thread itself: no race by C++'s rules. They are declared as such, so that only real ones are reported. What they point to, on the heap, is not: two goroutines that use it by turns
// on one worker are reported.
// Timer heaps, kept failures, channels, select, mutexes, wait groups and contexts are instrumented like any code: their edges are found, not stated.

#include "platform/compiler.hpp"

#if defined(TENON_TSAN)
#include <sanitizer/tsan_interface.h>

extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace tenon::annotate {

inline void happens_before([[maybe_unused]] void* what) noexcept {
#if defined(TENON_TSAN)
  __tsan_release(what);
#endif
}

inline void happens_after([[maybe_unused]] void* what) noexcept {
#if defined(TENON_TSAN)
  __tsan_acquire(what);
#endif
}

/// What is done in its scope, the standard library's functions included, is no access to anything: of a goroutine that does not switch in it, to data
/// that goes from goroutine to goroutine with the thread and is to order nothing.
class unobserved {
 public:
#if defined(TENON_TSAN)
  unobserved() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~unobserved() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  unobserved() noexcept {}
  ~unobserved() {}  // NOLINT: the object is used
#endif
  unobserved(const unobserved&) = delete;
  unobserved& operator=(const unobserved&) = delete;
};

/// Accesses to the calling thread's thread-local variables are ordered by the thread, whichever goroutine makes them.
#if defined(TENON_TSAN)
void own_thread_locals() noexcept;
#else
inline void own_thread_locals() noexcept {}
#endif

}  // namespace tenon::annotate
