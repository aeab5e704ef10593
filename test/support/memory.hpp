#pragma once

/// What the process occupies, for tests that say that something does not grow.

#include <cstddef>

namespace tenon_test {

/// Bytes of memory resident now.
[[nodiscard]] std::size_t resident_bytes();

/// Does `work` again and again until one time left the memory no more than `slack` bytes larger; false if every time did.
/// A leak grows each time; what the allocator, a sanitizer or an emulator keeps for itself does not.
template <class F>
[[nodiscard]] bool stops_growing(std::size_t slack, F&& work, int times = 6) {
  for (int i = 0; i < times; ++i) {
    const std::size_t before = resident_bytes();
    work();
    if (resident_bytes() <= before + slack) return true;
  }
  return false;
}

}  // namespace tenon_test
