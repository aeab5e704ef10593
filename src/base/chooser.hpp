#pragma once

// The one source of arbitrary choices: which ready case a select takes, where a thief starts. Exploration (src/sim) will
// install its own through `set_chooser`; without one, choices come from a small generator per worker or thread.

#include <cstdint>

namespace tenon {

/// A choice in [0, n), n > 0.
using chooser = std::uint32_t (*)(std::uint32_t n) noexcept;
void set_chooser(chooser c) noexcept;

/// xorshift64*: a few instructions, good enough to be fair, not meant to be unpredictable.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : state_(seed * 0x9e3779b97f4a7c15U | 1U) {}

  std::uint32_t below(std::uint32_t n) noexcept {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    const auto r = static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1dU) >> 32U);
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(r) * n) >> 32U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace tenon
