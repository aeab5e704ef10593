#pragma once

/// `wait_group`: waits for a number of things to finish.
///
/// Go counterpart: `sync.WaitGroup`, with Go 1.25's `Go`. It joins; to *stop* its goroutines give them a context.
///
///     tenon::wait_group wg;
///     for (auto& item : items) wg.go([&item] { process(item); });
///     wg.wait();
///
/// `go(f)` counts before the goroutine exists, so an `add` inside the goroutine, the classic bug, cannot be written.
/// `wait` blocks the goroutine, or OS thread, until the count is zero; `wait(ctx)` also ends when `ctx` is canceled.
///
/// **Failure.** The first exception that left a function started by `go(f)` is rethrown by every `wait` that this zero ends, and by every one
/// after it, until the count leaves zero again: the first `add` or `go` of a new round clears it. An exception that no `wait` has rethrown is not
/// cleared: it is the next round's, and at the end goes to the unhandled hook, in the name of the goroutine that threw it.
///
/// To destroy a wait group whose count is above zero is fatal, also where an exception is on its way, which the report names: what
/// its goroutines refer to would go away under them. Prefer a `group`, which waits by itself; this is for programs that port Go's literally. `add` and
/// `done` may be called from anywhere; neither blocks. What happens before a `done` happens before the `wait` that it ends returns.
///
/// With options, `go({.name = "worker", .stack_size = 1 << 20}, f)`, as for `tenon::go`.
///
/// Panics, with Go's texts: `sync: negative WaitGroup counter`, `sync: WaitGroup is reused before previous Wait has returned`. A null
/// function is fatal, as for `go`.

#include <concepts>
#include <cstdint>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/detail/kept_failure.hpp>
#include <tenon/detail/wait_list.hpp>
#include <tenon/go.hpp>

namespace tenon {

class group;
class wait_group;

namespace detail {
/// Those that are still to be done, for dumps.
int still_to_do(const wait_group& wg) noexcept;

/// As for a group (group.hpp): what the compiler says of a function that a wait group cannot call.
template <class F>
constexpr void check_waited_for() {
  static_assert(std::invocable<F&>, "wait_group: go calls f(): what else it needs, it captures, a context too");
  if constexpr (std::invocable<F&>) {
    static_assert(!std::same_as<std::remove_cvref_t<std::invoke_result_t<F&>>, error>,
                  "wait_group: nobody would see the error that f returns: take a group");
  }
}
}  // namespace detail

class wait_group {
 public:
  wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;
  ~wait_group();

  void add(int delta = 1);
  void done() { add(-1); }

  /// Starts `f` in a goroutine that this group owns.
  template <class F>
  void go(F&& f, std::source_location where = std::source_location::current()) {
    detail::check_waited_for<std::decay_t<F>>();
    go(go_options{.where = where}, std::forward<F>(f));
  }
  template <class F>
  void go(const go_options& options, F&& f) {
    detail::check_waited_for<std::decay_t<F>>();
    if (detail::is_nil(f)) detail::go_of_nil();
    detail::spawn_options spawn = detail::spawn_with(options, detail::started_by::wait_group);
    spawn.owner = this;
    detail::spawn_owned(spawn, started<std::decay_t<F>>{counted(this), std::decay_t<F>(std::forward<F>(f))});
  }

  void wait();
  /// False if `ctx` was canceled first.
  [[nodiscard]] bool wait(const context& ctx);

 private:
  friend class group;
  friend int detail::still_to_do(const wait_group& wg) noexcept;
  [[nodiscard]] int count() const noexcept { return static_cast<int>(state_.load(std::memory_order_acquire) >> 32U); }
  [[nodiscard]] bool is_done() const noexcept { return count() == 0; }
  /// Whether it may be used further while those who waited are still on their way out: a `group` may, Go's wait group not.
  enum class reuse : std::uint8_t { panics, is_fine };
  bool wait_or_done(detail::chan_core* done, reuse meanwhile);
  void add_now(int delta);
  void add_explored(int delta);
  void forget_waiters_if_none() noexcept;
  void failed(std::exception_ptr failure) noexcept;
  void rethrow();
  void begin_round() noexcept;

  /// One that is to be done; done when it goes, also by an exception on the way to its goroutine.
  struct counted {
    wait_group* in;
    explicit counted(wait_group* wg) : in(wg) { in->add(1); }
    counted(counted&& other) noexcept : in(std::exchange(other.in, nullptr)) {}
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() {
      if (in != nullptr) in->done();
    }
  };
  /// What its goroutine runs. Destroyed in the reverse order: it is done when the function and what it captured are gone, which may refer to
  /// what the waiter has.
  template <class F>
  struct started {
    counted to_the_end;
    F f;
    void operator()() {
      try {
        if constexpr (detail::runs_from_a_copy<F>) {
          F local(f);  // nothing else looks at it: so the compiler keeps what it captured in registers
          local();
        } else {
          f();
        }
      } catch (...) {
        to_the_end.in->failed(detail::caught());
      }
    }
  };

  // The count in the upper half; below it, whether a caller waits and whether a function failed. done() releases what was done, and acquires what
  // the others have, for the waiters that the last one wakes; wait() acquires.
  detail::atomic<std::uint64_t> state_{0};
  // By spin_acquire and spin_release; a destructor acquires the last release, of the one who has let its owner go.
  detail::atomic<std::uint32_t> list_lock_{0};
  detail::wait_list waiters_;
  std::exception_ptr failure_;  // the first; guarded by list_lock_, as are the next two
  bool seen_ = false;           // a wait has rethrown it
  detail::kept_failure kept_;
};

}  // namespace tenon
