#pragma once

// The dump of every goroutine: number, name, state, wait reason, how long, where it was started, its stack.

#include <string>

namespace tenon::diag {

/// Writes a dump to stderr. From any thread; async-signal-safe, because the work is done by the service thread while the caller waits.
void dump_all() noexcept;

/// The calls as a dump shows them, from the program's own innermost one on.
std::string calls_text(const void* const* pcs, unsigned n);

/// The signal that freezes a worker for the time in which stacks are read.
void install_freezer();

}  // namespace tenon::diag
