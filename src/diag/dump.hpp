#pragma once

// The dump of every goroutine: number, name, state, wait reason, how long, where it was started, its stack. Goroutines
// that differ in nothing but number and time are printed once.

#include <string>

namespace tenon::diag {

/// Writes a dump to stderr. From any thread; async-signal-safe, because the work is done by the monitor thread while
/// the caller waits.
void dump_all() noexcept;

/// The same while the program goes on: to stderr, by the monitor thread only; or as text, see tenon/dump.hpp.
void dump_and_go_on() noexcept;
std::string dump_text();

/// The calls as a dump shows them, from the program's own innermost one on.
std::string calls_text(const void* const* pcs, unsigned n);
/// For place_of_calls.
std::string place_text(const void* const* pcs, unsigned n);

}  // namespace tenon::diag
