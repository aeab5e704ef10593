#pragma once

/// A computation that takes a given time, for what goes on inside a lock or beside a measurement.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace bench {

inline void spin(std::int64_t rounds) {
  for (std::int64_t i = 0; i < rounds; ++i) asm volatile("" : "+r"(i));
}

/// How many rounds of `spin` take a microsecond here. The first call finds out, and takes a few milliseconds.
inline std::int64_t spins_per_us() {
  static const std::int64_t found = [] {
    constexpr std::int64_t rounds = 100'000;
    double fastest = 1e9;
    for (int i = 0; i < 20; ++i) {
      const auto start = std::chrono::steady_clock::now();
      spin(rounds);
      fastest = std::min(fastest,
                         std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    return std::max<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(rounds) / fastest), 1);
  }();
  return found;
}

}  // namespace bench
