#pragma once

// The select, seen from within core.

#include <cstddef>

#include <tenon/select.hpp>

#include "core/chan.hpp"

namespace tenon::detail {

/// Performs one of the n operations. Throws panic for a send on a closed channel.
select_result select_among(const select_op* const* ops, std::size_t n, bool has_default, wait_reason reason);

}  // namespace tenon::detail
