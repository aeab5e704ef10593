#include "platform/fork.hpp"

#include <pthread.h>

#include <tenon/detail/atomic.hpp>

namespace tenon {

namespace {

constexpr unsigned most = 32;
detail::atomic<os_mutex*> locks[most];  // released with the lock, acquired by who forks
detail::atomic<unsigned> added{0};
thread_local unsigned held = 0;  // by a fork that is under way

void before() {
  for (held = 0; held < most; ++held) {
    os_mutex* lock = locks[held].load(std::memory_order_acquire);
    if (lock == nullptr) break;
    lock->lock();
  }
}

void after() {
  while (held > 0) locks[--held].load(std::memory_order_relaxed)->unlock();
}

}  // namespace

static const at_load registered([] { ::pthread_atfork(&before, &after, &after); });

void free_in_child(os_mutex& lock) {
  const unsigned i = added.fetch_add(1, std::memory_order_relaxed);
  if (i < most) locks[i].store(&lock, std::memory_order_release);
}

}  // namespace tenon
