#pragma once

// Adaptive spinning: whether a worker that has found nothing to do looks again and again for a while, before it goes to sleep.
//
// Where workers make each other's goroutines ready all the time that saves a sleep and a wake-up, and the time that they take. Where work comes now and then, as a
// server's does, it takes a processor from others, and these then stop a worker with its work half done: for milliseconds. What will come can't be told, but it is mostly as it was
// before. So spinning has to pay as often as not; else it is only tried now and then.
//
// Its worker alone uses it.

#include <algorithm>
#include <cstdint>

namespace tenon::detail {

class adaptive_spin {
 public:
  static constexpr std::uint32_t rarely = 16;  // one search in so many spins where it does not pay

  [[nodiscard]] bool worth_it() noexcept { return credit_ != 0 || ++left_out_ % rarely == 0; }
  /// A search has spun. `paid`: it has found what a sleeping worker would not have been woken for by the system.
  void spun(bool paid) noexcept { credit_ = paid ? std::min(credit_ + 1, most) : credit_ - std::min(credit_, 1U); }

 private:
  static constexpr std::uint32_t most = 16;
  std::uint32_t credit_ = most;
  std::uint32_t left_out_ = 0;
};

}  // namespace tenon::detail
