#pragma once

// The monotonic clock, in nanoseconds. Everything in tenon that asks what time it is asks here: `now` for what users see, which src/sim
// may replace by a clock that stands still until it is moved; `real` for what watches over threads.

#include <chrono>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

namespace tenon::clock {

using nanos = std::int64_t;
constexpr nanos never = INT64_MAX;

inline nanos real() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::now();
#endif
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr nanos not_virtual = -1;
inline detail::atomic<nanos> virtual_now{not_virtual};

inline nanos now() noexcept {
#if defined(TENON_MODEL)
  if (model::modelled()) return model::now();
#endif
  const nanos v = virtual_now.load(std::memory_order_relaxed);
  return v == not_virtual ? real() : v;
}

/// now + d, never wrapping around.
inline nanos after(nanos d) noexcept {
  const nanos t = now();
  if (d <= 0) return t;
  return d > never - t ? never : t + d;
}

}  // namespace tenon::clock
