#pragma once

/// `run(f)`: starts the workers, runs `f` as the first goroutine with the root **group**, and returns when it and every goroutine of that
/// group have ended. From the first line there is no goroutine without an owner.
///
/// Go counterpart: `func main`, with the difference that nothing is cut off when `f` returns.
///
///     int main() {
///       return tn::run([](tn::group& g) { g.go(serve); });
///     }
///
/// `f` is called as `f(group&)`, `f(context)` or `f()`, the first that fits, and returns nothing, an exit status or an `error`. When it
/// has returned, the root group is waited for; its failure, or an exception, cancels the group first.
///
/// **Returns** the exit status for `main`: what `f` returned, or 0; 1 where `f` or a member of the root group failed, after the error has been
/// printed to stderr; 130 where SIGINT was the reason. An exception out of `f` or a member is rethrown. Where a member has failed and `f` then returns
/// or throws that it was canceled (`return ctx.err();`), the member's failure is the run's. If both have failed otherwise, the one that is not
/// returned or thrown has a line on stderr. A member's failure that `f` has got
/// from the group's `wait` is `f`'s to deal with: only what `f` returns or throws counts then. Blocks the calling OS thread. One `run` at a
/// time: a nested or concurrent one throws `panic`. Runs may follow each other. Channels, mutexes and contexts may outlive a run.
///
/// **The end.** When the root group has ended, goroutines whose handles stand elsewhere (in a static variable, say) have their contexts canceled and are
/// waited for; what keeps the run longer than `report_after` is named on stderr. The end itself is one moment: what a thread starts before it
/// (`go`, an `after_func`, a timer's function) runs in the run, which waits for it; after it `go` is refused, and functions of timers
/// and contexts run on threads of their own.
///
/// **Signals.** The first SIGINT cancels the root context; a second one dumps every goroutine and exits with status 130. SIGQUIT dumps and
/// exits with status 2. A signal that the process ignores, or has a handler of its own for (SIGQUIT), is left alone.
///
/// Environment: `TENON_PROCS` overrides the number of workers (a positive integer), `TENON_CHECK_LOCKS` overrides `check_locks` and
/// `lock_faults_are_fatal` (0: no checks, 1: reports, 2: fatal), `TENON_GUARDS=mprotect` has the first run guard its stacks as on kernels before 6.13
/// (docs/stacks.md). Anything else is refused with exit status 2.

#include <chrono>
#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/group.hpp>
#include <tenon/time_span.hpp>

namespace tenon {

struct run_options {
  /// Workers that run goroutines at the same time, at most; the runtime uses fewer when it measures that as faster. 0: the CPUs this process may
  /// use (affinity mask and cgroup quota). At most 3,072.
  unsigned workers = 0;
  /// Threads altogether, including those that stand in while others block; beside them each goroutine in `on_this_thread` may have its own. Of
  /// these, `workers` stay free of `blocking` calls, so that goroutines can always run: further calls wait for their turn. Bare system calls and
  /// locks of the system can take all of them: that is said on stderr after `report_after`, with what they are in.
  unsigned max_threads = 512;  // at most 3,072
  /// Of a goroutine's stack, in bytes of address space; memory is used only as the stack is touched. Rounded up to a
  /// power of two; at least 16 KiB, at most 1 GiB. Below each stack lie at least 64 KiB of guard. docs/stacks.md says what needs how much.
  std::size_t stack_size = 256 * 1024;
  /// The same for goroutine 1, which runs `f`. 0: as `stack_size`.
  std::size_t main_stack_size = 0;
  /// Idle stacks may keep this many bytes of memory; what is above is given back to the system within about a second.
  std::size_t idle_stack_bytes = 64 * 1024 * 1024;
  /// How long the root group may go on after it has been canceled and `f` has returned; then a dump, and exit status 2. Zero: for ever.
  time_span grace{};
  /// An owner that has waited so long for its goroutines, in a destructor or at the end of the run, says on stderr for whom, once. Zero: never.
  time_span report_after = std::chrono::seconds(5);
  /// SIGINT cancels the root context.
  bool cancel_on_interrupt = true;
  /// SIGQUIT prints a dump of every goroutine and exits with status 2, as a Go program does.
  bool dump_on_sigquit = true;
  /// This signal, SIGUSR1 say, writes a dump of every goroutine to stderr while the program goes on, from the beginning of this run to the end of the
  /// process. 0: none does. A handler of the program's own is left alone. `tenon::dump()` is the same by a call. The first dump takes some tenths of a
  /// second, for it reads what the debugger knows of the program; a process that ends meanwhile ends without it.
  int dump_on_signal = 0;
  /// A goroutine that is about to wait for a lock that it holds itself is reported on stderr, with both places, once for each place; it goes on
  /// to wait. Each lock then costs some tens of nanoseconds more. So is a wait with a `std::mutex` locked, where the build sees those
  /// (`TENON_WRAP_PTHREAD_LOCKS`). Empty: tenon's locks where it was built without NDEBUG, the others wherever they are seen.
  std::optional<bool> check_locks = std::nullopt;
  /// What `check_locks` reports ends the program: a dump, and exit status 2. Not for programs in which a lock travels: locked by one goroutine,
  /// unlocked by another.
  bool lock_faults_are_fatal = false;
};

namespace detail {

/// What `f` returned: a status, and an error if it failed.
struct run_result {
  int status = 0;
  error failure;
};
/// Starts the runtime, runs entry(arg, root) as goroutine 1, waits for the end, stops the runtime.
int run_main(const run_options& options, run_result (*entry)(void* arg, group& root), void* arg,
             std::source_location where);

template <class F>
decltype(auto) call_main(F& f, group& root) {
  if constexpr (std::is_invocable_v<F&, group&>) {
    return f(root);
  } else if constexpr (std::is_invocable_v<F&, context>) {
    return f(root.ctx());
  } else {
    return f();
  }
}

/// The entry of goroutine 1 for an `f` of that type, whose address `arg` is.
template <class F>
run_result enter_main(void* arg, group& root) {
  auto& app = *static_cast<F*>(arg);
  using R = decltype(call_main(app, root));
  if constexpr (std::is_void_v<R>) {
    call_main(app, root);
    return {};
  } else if constexpr (std::is_integral_v<std::remove_cvref_t<R>>) {
    return {static_cast<int>(call_main(app, root)), {}};
  } else {
    static_assert(std::is_convertible_v<R, error>, "run: f returns nothing, an exit status or an error");
    return {0, call_main(app, root)};
  }
}

template <class F>
void* as_argument(F& f) noexcept {
  return const_cast<void*>(static_cast<const void*>(std::addressof(f)));
}

}  // namespace detail

/// `f` may be anything that can be called, a plain function, too: `int main() { return tenon::run(app); }`.
template <class F>
  requires std::is_invocable_v<F&, group&> || std::is_invocable_v<F&, context> || std::is_invocable_v<F&>
int run(F&& f, const run_options& options = {}, std::source_location where = std::source_location::current()) {
  if constexpr (std::is_function_v<std::remove_reference_t<F>>) {
    auto* const function = &f;  // an object, which a void* can point to
    return run(function, options, where);
  } else {
    if (detail::is_nil(f)) detail::go_of_nil();
    return detail::run_main(options, &detail::enter_main<std::remove_reference_t<F>>, detail::as_argument(f), where);
  }
}

/// The number of goroutines that exist now: for tests and metrics. Go: `runtime.NumGoroutine`.
[[nodiscard]] std::size_t goroutine_count() noexcept;

/// The number of workers of the running runtime; 0 outside of one. Go: `runtime.GOMAXPROCS(0)`.
[[nodiscard]] unsigned worker_count() noexcept;

}  // namespace tenon
