#pragma once

/// `run(f)`: starts the workers, runs `f(context)` as the first goroutine, and returns when it and every goroutine that it
/// owns have been joined.
///
/// Go counterpart: `func main`, with the difference that nothing is cut off when `f` returns: goroutines have owners, and the
/// owners have joined. Returns what `f` returns and rethrows what it throws. Blocks the calling OS thread. One `run` at a time: a nested or
/// concurrent one throws `panic`. Runs may follow each other. Channels, mutexes and contexts may outlive a run.
///
/// Environment: `TENON_PROCS` overrides the number of workers (a positive integer; anything else is refused with exit status 2).

#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/detail/goroutine_frame.hpp>

namespace tenon {

struct run_options {
  /// Workers that run goroutines at the same time, at most: where fewer get more done, some rest. 0: the CPUs this process may use (affinity
  /// mask and cgroup quota).
  unsigned workers = 0;
  /// Threads altogether, including those that stand in while others block.
  unsigned max_threads = 512;
  /// Address space of a goroutine's stack, guard included; memory is used only as the stack is touched. Rounded up to a
  /// power of two; at least 16 KiB.
  std::size_t stack_size = 256 * 1024;
  /// Idle stacks may keep this many bytes of memory; what is above is given back to the system within about a second.
  std::size_t idle_stack_bytes = 64 * 1024 * 1024;
  /// SIGINT and SIGTERM cancel the root context (the second one has its default effect again).
  bool cancel_on_signals = false;
  /// SIGQUIT prints a dump of every goroutine and exits with status 2, as a Go program does.
  bool dump_on_sigquit = true;
};

namespace detail {
/// Starts the runtime, runs entry(arg) as goroutine 1 with the root context, waits for the end, stops the runtime.
void run_main(const run_options& options, void (*entry)(void* arg, context root), void* arg,
              std::source_location where);
}  // namespace detail

template <class F>
  requires std::is_invocable_v<F&, context>
auto run(F&& f, const run_options& options = {}, std::source_location where = std::source_location::current())
    -> std::invoke_result_t<F&, context> {
  using R = std::invoke_result_t<F&, context>;
  struct state {
    F& f;
    detail::result_slot<R> result;
  } s{f, {}};
  detail::run_main(
      options,
      [](void* arg, context root) {
        auto& st = *static_cast<state*>(arg);
        st.result.fill(st.f, std::move(root));
      },
      &s, where);
  return s.result.take();
}

/// The number of goroutines that exist now: for tests and metrics. Go: `runtime.NumGoroutine`.
[[nodiscard]] std::size_t goroutine_count() noexcept;

/// The number of workers of the running runtime; 0 outside of one. Go: `runtime.GOMAXPROCS(0)`.
[[nodiscard]] unsigned worker_count() noexcept;

}  // namespace tenon
