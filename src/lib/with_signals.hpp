#pragma once

#include <signal.h>

#include <tenon/with_signals.hpp>

namespace tenon::detail {

/// A `with_signals` that does not count as a waker: with it alone a deadlock is one.
signal_scope with_signals_quietly(const context& parent, std::initializer_list<int> signals);

/// Puts `instead` where `handler` is what the signal does, or is to do again once its watch has ended. Elsewhere nothing changes.
void replace_signal_handler(int signal, void (*handler)(int), const struct sigaction& instead);

}  // namespace tenon::detail
