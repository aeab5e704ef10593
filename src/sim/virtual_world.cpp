#include <tenon/detail/virtual_world.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <tenon/detail/atomic.hpp>
#include <tenon/panic.hpp>

#include "base/chooser.hpp"
#include "platform/clock.hpp"
#include "platform/spin_lock.hpp"
#include "sched/scheduler.hpp"
#include "sim/seed.hpp"

// The world of a virtual run: a clock that starts at the same moment each time, and choices drawn from a seed.
//
// One world at a time, as there is one run at a time: it is there before the run starts, and goes after it has ended.

namespace tenon::detail {

namespace {

// Beyond any real reading, so that what watches over real time never finds a virtual timer due.
constexpr clock::nanos epoch = clock::nanos{1} << 60U;

detail::atomic<bool> taken{false};  // released at the end of a world, acquired by the next
spin_lock lock;
random_source choices{1};  // guarded by lock

std::uint32_t choose_from_seed(std::uint32_t n) noexcept {
  const std::lock_guard hold(lock);
  return choices.below(n);
}

}  // namespace

std::uint64_t seed_in_use(std::uint64_t seed) {
  const char* text = std::getenv("TENON_SEED");
  if (text == nullptr) return seed;
  char* end = nullptr;
  errno = 0;
  const unsigned long long n = std::strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || *text == '-') {
    std::fprintf(stderr, "tenon: TENON_SEED=%s: want a number\n", text);
    std::exit(2);
  }
  return n;
}

virtual_world::virtual_world(std::uint64_t seed) {
  if (the_scheduler().started() || taken.exchange(true, std::memory_order_acq_rel)) {
    throw panic("tenon: run_virtual called while another run is active");
  }
  choices = random_source(seed_in_use(seed));
  clock::virtual_now.store(epoch, std::memory_order_relaxed);
  set_chooser(&choose_from_seed);
  the_scheduler().simulate(true);
}

void virtual_world::rewind() noexcept { clock::virtual_now.store(epoch, std::memory_order_relaxed); }

virtual_world::~virtual_world() {
  the_scheduler().simulate(false);
  set_chooser(nullptr);
  clock::virtual_now.store(clock::not_virtual, std::memory_order_relaxed);
  taken.store(false, std::memory_order_release);
}

}  // namespace tenon::detail
