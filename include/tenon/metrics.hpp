#pragma once

/// `read_metrics()`: what the runtime is doing, in numbers; `to_prometheus` writes them in the text form that Prometheus and OpenMetrics scrapers read.
///
///     http.handle("/metrics", [] { return tn::to_prometheus(tn::read_metrics()); });
///
/// Go counterpart: `runtime/metrics`, `runtime.NumGoroutine`.
///
/// Nothing is stopped: each number is right for some moment during the call, and the numbers need not be of the same one. Takes a few nanoseconds for each
/// stack that there has been, and does not block. From any goroutine or thread, with and without a run. Throws `std::bad_alloc`. Those
/// that are called total count since the process began; they are a gauge's other kind, a counter.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tenon/detail/requirements.hpp>

namespace tenon {

struct metrics {
  // Goroutines that have not ended, by what they do.
  std::uint64_t running = 0;   ///< on a thread
  std::uint64_t in_calls = 0;  ///< of those: in `blocking`
  std::uint64_t runnable = 0;  ///< could run, and wait for a thread
  std::uint64_t waiting = 0;
  std::vector<std::pair<const char*, std::uint64_t>>
      waiting_for;  ///< the same by reason, in a dump's words; without zeros
  [[nodiscard]] std::uint64_t goroutines() const noexcept { return running + runnable + waiting; }

  // Threads that run them.
  unsigned processors = 0;  ///< how many may run goroutines at once: `run_options::workers`
  unsigned threads = 0;     ///< those of the run, with the ones that are in calls or asleep
  unsigned idle_threads = 0;

  std::uint64_t timers = 0;       ///< pending: sleeps, timeouts, tickers
  std::uint64_t stacks = 0;       ///< of goroutines that have not ended
  std::uint64_t stack_bytes = 0;  ///< the address space of these; memory is what they have touched of it

  std::uint64_t started_total = 0;  ///< goroutines
  std::uint64_t switches_total =
      0;  ///< from one goroutine to another, or to a thread's search for one; modulo 2³² for each thread
  std::uint64_t steals_total = 0;  ///< of goroutines by a thread that had none
  std::uint64_t wakes_total = 0;   ///< of threads that slept
};

[[nodiscard]] metrics read_metrics();
[[nodiscard]] std::string to_prometheus(const metrics& m);

}  // namespace tenon
