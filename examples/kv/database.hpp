#pragma once

// What all connections share. A command holds the lock, and so is one step for all others, as in Redis.

#include <atomic>
#include <cstdint>

#include <tenon/context.hpp>
#include <tenon/guarded.hpp>

#include "hub.hpp"
#include "store.hpp"

namespace kv {

struct database {
  tenon::guarded<store> keys;
  hub channels;
  std::atomic<std::uint64_t> commands{0};

  /// Removes what has expired, and nobody asks for, until `ctx` ends.
  void sweep(const tenon::context& ctx);
};

}  // namespace kv
