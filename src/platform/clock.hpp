#pragma once

// The monotonic clock, in nanoseconds. Everything in tenon that asks what time it is asks here.

#include <chrono>
#include <cstdint>

namespace tenon::clock {

using nanos = std::int64_t;
constexpr nanos never = INT64_MAX;

inline nanos now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// now + d, never wrapping around.
inline nanos after(nanos d) noexcept {
  const nanos t = now();
  if (d <= 0) return t;
  return d > never - t ? never : t + d;
}

}  // namespace tenon::clock
