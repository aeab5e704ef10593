#pragma once

#include <sys/types.h>

#include <cstdint>

namespace tenon {

/// How many CPUs this process may use at once: the affinity mask, capped by the cgroup's CPU quota (rounded up). At least 1.
/// `root` is where /proc and /sys are found; tests have their own.
unsigned available_cpus(const char* root = "") noexcept;

/// Threads of this process, as the kernel counts them; 0 if it cannot be told. Under ThreadSanitizer its own background
/// thread is left out.
unsigned process_threads() noexcept;

/// How long a thread of this process has been on a CPU, in nanoseconds; 0 if it has ended.
std::int64_t thread_cpu_time(pid_t tid) noexcept;

/// Names the calling thread, for debuggers. At most 15 characters.
void name_this_thread(const char* name) noexcept;

/// pthread_cancel does nothing to this thread. The C library's recv, send and the like then cost it two compare-exchanges less each, with which they would become cancellation points
/// and cease to be (glibc before 2.41).
void never_cancel_this_thread() noexcept;

}  // namespace tenon
