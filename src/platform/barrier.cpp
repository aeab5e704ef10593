#include "platform/barrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace tenon::barrier {

std::atomic<bool> symmetric{true};

namespace {
std::atomic<std::uint32_t> fence_word{0};
long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }
}  // namespace

void init() noexcept {
  static const bool expedited = [] {
    const long commands = membarrier(MEMBARRIER_CMD_QUERY);
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
           membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  }();
  symmetric.store(!expedited, std::memory_order_relaxed);
}

// A sequentially consistent read-modify-write is a full barrier on every processor we build for, and one that
// ThreadSanitizer understands.
void full() noexcept { fence_word.fetch_add(1, std::memory_order_seq_cst); }

void heavy() noexcept {
  if (symmetric.load(std::memory_order_relaxed) || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) full();
}

}  // namespace tenon::barrier
