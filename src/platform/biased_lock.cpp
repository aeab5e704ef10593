#include "platform/biased_lock.hpp"

namespace tenon {

namespace {
constexpr int most_looks = looks(64);   // for the owner to come out: it is inside for less, unless it was preempted
constexpr std::uint8_t quiet_for = 16;  // calls of rebias without a visit
}  // namespace

TENON_NOINLINE void biased_lock::lock_slow() noexcept {
  inside_.store(0, std::memory_order_release);
  // Not spin_.lock(): its slow side is instrumented for ThreadSanitizer, to which this lock is the scheduler's (ADR 5).
  for (int i = 0; !spin_.try_lock(); ++i) {
    if (i < most_looks) {
      cpu_relax();
    } else {
      let_others_run();
    }
  }
  holds_spin_ = true;
}

TENON_NOINLINE void biased_lock::unlock_slow() noexcept {
  holds_spin_ = false;
  spin_.unlock();
}

TENON_NOINLINE void biased_lock::rebias_slow() noexcept {
  if (bias_.load(std::memory_order_relaxed) != bias::nobodys) return;
  const std::uint32_t visits = visits_.load(std::memory_order_relaxed);
  if (visits != visits_seen_) {
    visits_seen_ = visits;
    quiet_ = 0;
    return;
  }
  if (++quiet_ < quiet_for) return;
  quiet_ = 0;
  if (!spin_.try_lock()) return;
  bias_.store(bias::with_owner, std::memory_order_relaxed);
  spin_.unlock();
}

bool biased_lock::try_lock_other() noexcept {
  bias now = bias_.load(std::memory_order_acquire);
  if (now == bias::with_owner) {
    // The barrier orders it.
    if (!bias_.compare_exchange_strong(now, bias::leaving, std::memory_order_relaxed, std::memory_order_relaxed)) {
      return false;
    }
    barrier::heavy();
    int look = 0;
    while (inside_.load(std::memory_order_acquire) != 0 && ++look < most_looks) cpu_relax();
    bias_.store(look < most_looks ? bias::nobodys : bias::with_owner, std::memory_order_release);
    if (look == most_looks) return false;
  } else if (now == bias::leaving) {
    return false;
  }
  if (!spin_.try_lock()) return false;
  if (bias_.load(std::memory_order_relaxed) != bias::nobodys) {  // the owner has taken it back in between
    spin_.unlock();
    return false;
  }
  visits_.store(visits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return true;
}

}  // namespace tenon
