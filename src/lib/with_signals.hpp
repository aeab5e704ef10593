#pragma once

#include <tenon/with_signals.hpp>

namespace tenon::detail {

/// A `with_signals` that does not count as a waker: with it alone a deadlock is one.
signal_scope with_signals_quietly(const context& parent, std::initializer_list<int> signals);

}  // namespace tenon::detail
