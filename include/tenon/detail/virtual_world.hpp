#pragma once

// What `testing::run_virtual` puts around a run. Nothing here is for users.

#include <cstdint>

#include <tenon/detail/requirements.hpp>

namespace tenon::detail {

/// One at a time: while it is there, time is virtual, and who runs next is drawn from the seed.
class virtual_world {
 public:
  explicit virtual_world(std::uint64_t seed);
  virtual_world(const virtual_world&) = delete;
  virtual_world& operator=(const virtual_world&) = delete;
  ~virtual_world();
  /// The clock is where it was at the beginning.
  void rewind() noexcept;
};

}  // namespace tenon::detail
