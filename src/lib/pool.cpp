#include <tenon/pool.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include <tenon/detail/atomic.hpp>

#include "platform/spin_lock.hpp"
#include "sched/scheduler.hpp"

// A caller looks in its worker's shard first, last in first out, so that what it gets is warm; then in the others. A shard's lock is held for
// a few instructions only. The bound is the pool's: with a share of it for each shard the bound would hold for no number of workers but one.

namespace tenon::detail {

namespace {
constexpr std::size_t shard_count = 16;
}

struct alignas(64) pool_core::shard {
  spin_lock lock;
  detail::atomic<std::size_t> size{0};
  std::vector<void*> idle;
};

static std::size_t own_shard() noexcept {
  const int worker = worker_number();
  return (worker >= 0 ? static_cast<std::size_t>(worker) : shard_count - 1) % shard_count;  // plain threads: the last
}

pool_core::pool_core(std::size_t max_idle, void (*destroy)(void*) noexcept)
    : shards_(std::make_unique<shard[]>(shard_count)), destroy_(destroy), max_idle_(max_idle) {}

pool_core::~pool_core() { clear(); }

void* pool_core::take() noexcept {
  const std::size_t own = own_shard();
  for (std::size_t i = 0; i < shard_count; ++i) {
    shard& s = shards_[(own + i) % shard_count];
    if (s.size.load(std::memory_order_relaxed) == 0) continue;
    const std::lock_guard hold(s.lock);
    if (s.idle.empty()) continue;
    void* object = s.idle.back();
    s.idle.pop_back();
    s.size.store(s.idle.size(), std::memory_order_relaxed);
    idle_.fetch_sub(1, std::memory_order_relaxed);
    return object;
  }
  return nullptr;
}

bool pool_core::give(void* object) noexcept {
  std::size_t n = idle_.load(std::memory_order_relaxed);
  do {
    if (n >= max_idle_) return false;
  } while (!idle_.compare_exchange_weak(n, n + 1, std::memory_order_relaxed));
  shard& s = shards_[own_shard()];
  const std::lock_guard hold(s.lock);
  try {
    s.idle.push_back(object);
  } catch (...) {  // no memory to remember it
    idle_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  s.size.store(s.idle.size(), std::memory_order_relaxed);
  return true;
}

void pool_core::clear() noexcept {
  for (std::size_t i = 0; i < shard_count; ++i) {
    shard& s = shards_[i];
    std::vector<void*> doomed;
    {
      const std::lock_guard hold(s.lock);
      doomed.swap(s.idle);
      s.size.store(0, std::memory_order_relaxed);
    }
    idle_.fetch_sub(doomed.size(), std::memory_order_relaxed);
    for (void* object : doomed) destroy_(object);
  }
}

std::size_t pool_core::idle() const noexcept { return idle_.load(std::memory_order_relaxed); }

}  // namespace tenon::detail
