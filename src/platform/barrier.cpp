#include "platform/barrier.hpp"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "base/fatal.hpp"
#include "platform/compiler.hpp"

// Losing membarrier. The thread whose call fails makes `light` a fence from now on, and then runs on each processor in turn: a thread that
// was running there has been switched out, and the kernel's switch is a full barrier. Threads that were not running had theirs when they
// stopped.
//
//  1. `changing` is set before `symmetric` is seen set, and cleared after the last processor has been visited. Each heavy waits until then.
//  2. So a `light` that found `symmetric` false lies, with the store before it, before its thread's barrier: a heavy that waited sees that
//     store. A `light` after that barrier finds `symmetric` true.
//
// Rejected: going on with a plain fence in `heavy` (its counterpart was nothing: wake-ups are lost). Changing the protection of a page, so
// that the kernel interrupts the other processors (not on ARM, and on x86 not where INVLPGB flushes without an interrupt).

namespace tenon::barrier {

detail::atomic<bool> symmetric{true};  // heavy acquires it: who finds it true finds `changing`, which was set before it

namespace {

detail::atomic<std::uint32_t> fence_word{0};
// Released when every processor has been visited, acquired by those who wait for that.
detail::atomic<bool> changing{false};

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }

// As the kernel has them, not as glibc does, whose cpu_set_t ends at 1,024 processors.
constexpr unsigned long most_cpus = 8192;
struct cpu_mask {
  unsigned char bits[most_cpus / 8] = {};
};
long get_affinity(cpu_mask& m) noexcept { return ::syscall(SYS_sched_getaffinity, 0, sizeof m, &m); }
bool set_affinity(const cpu_mask& m, unsigned long size) noexcept {
  return ::syscall(SYS_sched_setaffinity, 0, size, &m) == 0;
}

/// False if it could not. A processor that this process may not use has no thread of ours on it.
bool visit_every_cpu() noexcept {
  cpu_mask before;
  const long size = get_affinity(before);
  if (size <= 0) return false;
  const auto bytes = static_cast<unsigned long>(size);
  bool any = false;
  for (unsigned long cpu = 0; cpu < bytes * 8; ++cpu) {
    cpu_mask one;
    one.bits[cpu / 8] = static_cast<unsigned char>(1U << (cpu % 8));
    any |= set_affinity(one, bytes);
  }
  return any && set_affinity(before, bytes);
}

TENON_NOINLINE void change_over() noexcept {
  if (changing.exchange(true, std::memory_order_seq_cst)) return;
  symmetric.store(true, std::memory_order_seq_cst);
  const bool done = visit_every_cpu();
  changing.store(false, std::memory_order_release);  // before the dump of a fatal error, too, which may come by here
  if (!done) {
    fatal(
        "tenon: the kernel refuses membarrier, which it allowed when the run began, and sched_setaffinity: wake-ups would "
        "be lost. A seccomp filter has to allow one of the two, or to be installed before the first run");
  }
}

}  // namespace

void init() noexcept {
  // No static that the first caller initialises: a child of fork might wait for it (fork.hpp). Two callers at the same time do the same.
  static constinit detail::atomic<bool> done{false};  // released after `symmetric`, acquired by the next
  if (done.load(std::memory_order_acquire)) return;
  const long commands = membarrier(MEMBARRIER_CMD_QUERY);
  const bool expedited = commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
                         membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  symmetric.store(!expedited, std::memory_order_relaxed);
  done.store(true, std::memory_order_release);
}

// A sequentially consistent read-modify-write is a full barrier on every processor we build for, and one that
// ThreadSanitizer understands.
void full() noexcept { fence_word.fetch_add(1, std::memory_order_seq_cst); }

bool is_symmetric() noexcept { return symmetric.load(std::memory_order_relaxed); }

void heavy() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::fence_everywhere();
#endif
  if (!symmetric.load(std::memory_order_acquire)) {
    if (TENON_LIKELY(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)) return;
    change_over();
  }
  while (TENON_UNLIKELY(changing.load(std::memory_order_acquire))) let_others_run();
  full();
}

}  // namespace tenon::barrier
