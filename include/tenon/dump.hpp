#pragma once

/// `dump()`: every goroutine, as a fatal error shows them, while the program goes on: its state, what it waits for and since when, where it was
/// started, its stack; those that look alike once. Of a wait: the descriptor and the direction, the room in a channel's buffer, the goroutine that
/// holds the lock (where locks are checked), how many a group or wait group still waits for.
///
///     std::clog << tn::dump();            // or: tn::dump(std::clog);
///     tn::run(app, {.dump_on_signal = SIGUSR1});   // `kill -USR1` writes one to stderr
///
/// Go counterpart: `runtime.Stack(buf, true)`, `pprof.Lookup("goroutine")`.
///
/// Goroutines stand still while their stacks are read, some microseconds each; not while these become text. Blocks the calling thread meanwhile, from
/// a goroutine as `blocking` does. System calls that are in progress on worker threads may return `EINTR` (SIGURG). Empty if there
/// has been no run. From any goroutine or thread; several calls take turns. Throws `std::bad_alloc`.

#include <string>

#include <tenon/detail/requirements.hpp>

namespace tenon {

[[nodiscard]] std::string dump();

/// To a stream, or whatever takes a string by `<<`.
template <class Stream>
  requires requires(Stream& to, const std::string& text) { to << text; }
void dump(Stream& to) {
  to << dump();
}

}  // namespace tenon
