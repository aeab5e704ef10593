#pragma once

/// `errgroup`: goroutines that work on parts of one task, and fail as one.
///
/// Go counterpart: `golang.org/x/sync/errgroup`, `WithContext` included.
///
///     tenon::errgroup g(ctx);
///     for (const auto& url : urls) g.go([&, c = g.ctx()] { return fetch(c, url); });
///     if (tenon::error e = g.wait()) …          // the first failure
///
/// A task fails if it returns an error or throws; the first to fail decides what `wait` returns, in the form it came (`rethrow` throws the
/// very exception), and cancels the group's context, of which it is the `cause`. A task is called as `f(ctx)` if it can be, else as `f()`,
/// and may return `error`, anything an `error` is made from, or nothing.
///
/// `wait` blocks until all tasks have ended, and cancels the context; `wait(ctx)` also ends when `ctx` is canceled, and then returns that
/// context's error while the tasks go on. The destructor cancels and waits: no task outlives its group. Failures that nobody waited
/// for end there: an exception goes to the unhandled hook unless another one is being thrown; an error is what `wait` was for.
///
/// With `set_limit(n)` at most n tasks are active at a time: `go` then blocks until there is room, `try_go` returns false
/// instead. `go` may be called by the group's own tasks, but with a limit a task that waits for room keeps its own. Thread-safe but for
/// construction and destruction. A default-constructed group has no context to cancel, as Go's zero `Group`.
/// Cannot be copied or moved.
///
/// Panics with Go's text: `errgroup: modify limit while N goroutines in the group are still active`.

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/go.hpp>
#include <tenon/mutex.hpp>
#include <tenon/wait_group.hpp>

namespace tenon {

class errgroup {
 public:
  errgroup() = default;
  /// With a context derived from `parent`, canceled by the first failure, by `wait` and by the destructor.
  explicit errgroup(const context& parent);
  errgroup(const errgroup&) = delete;
  errgroup& operator=(const errgroup&) = delete;
  ~errgroup();

  /// The context for the tasks; `background()` for a group without one.
  [[nodiscard]] const context& ctx() const noexcept { return ctx_; }

  /// Starts `f` in a goroutine of this group. Blocks while the limit is reached.
  template <class F>
    requires std::invocable<std::decay_t<F>&, context> || std::invocable<std::decay_t<F>&>
  void go(F&& f, std::source_location where = std::source_location::current()) {
    if (detail::is_nil(f)) detail::go_of_nil();
    enter();
    start(std::forward<F>(f), where);
  }

  /// The same, if the limit allows it now. Never blocks.
  template <class F>
    requires std::invocable<std::decay_t<F>&, context> || std::invocable<std::decay_t<F>&>
  [[nodiscard]] bool try_go(F&& f, std::source_location where = std::source_location::current()) {
    if (detail::is_nil(f)) detail::go_of_nil();
    if (!try_enter()) return false;
    start(std::forward<F>(f), where);
    return true;
  }

  /// At most n tasks at a time from now on; a negative n is no limit, 0 lets none start. Not while tasks are active.
  void set_limit(int n);

  /// The first failure, or no error.
  error wait();
  error wait(const context& until);

 private:
  /// One task's place in the group; given back when it ends, also by an exception on the way there.
  struct place {
    errgroup* group;
    explicit place(errgroup* g) noexcept : group(g) {}
    place(place&& other) noexcept : group(std::exchange(other.group, nullptr)) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    place& operator=(place&&) = delete;
    ~place() {
      if (group != nullptr) group->leave();
    }
  };

  template <class F>
  void start(F&& f, std::source_location where) {
    detail::spawn_owned(where, [held = place(this), f = std::decay_t<F>(std::forward<F>(f))]() mutable {
      // The place is given back after the function and what it captured are gone.
      const place held_to_the_end(std::move(held));
      auto task(std::move(f));
      errgroup& self = *held_to_the_end.group;
      try {
        self.call(task);
      } catch (...) {
        self.fail(error(std::current_exception()));
      }
    });
  }

  template <class F>
  void call(F& f) {
    if constexpr (std::invocable<F&, context>) {
      finish([&]() -> decltype(auto) { return f(ctx_); });
    } else {
      finish(f);
    }
  }
  template <class F>
  void finish(F&& f) {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      f();
    } else {
      static_assert(
          std::convertible_to<R, error>,
          "errgroup: a task returns nothing, an error, or what an error is made from; hand results over by a channel");
      if (error e = f()) fail(std::move(e));
    }
  }

  void enter();
  bool try_enter();
  void leave();
  void fail(error e);

  context ctx_ = background();
  cancel_cause_func cancel_;
  wait_group tasks_;
  chan<unit> room_;  // nil without a limit; one value in it for each active task
  mutex mu_;
  error first_;        // guarded by mu_, as seen_ is
  bool seen_ = false;  // wait has returned it
};

}  // namespace tenon
