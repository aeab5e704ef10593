#pragma once

// The select, seen from within core.

#include <cstddef>

#include "core/chan.hpp"

namespace tenon::detail {

struct select_result {
  std::size_t index;  // n: none could proceed (only with `has_default`)
  bool ok;            // a receive got a value; false: its channel is closed
};

/// Performs one of the n operations. Throws panic for a send on a closed channel.
select_result select_among(const select_op* const* ops, std::size_t n, bool has_default, wait_reason reason);

}  // namespace tenon::detail
