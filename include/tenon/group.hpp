#pragma once

/// `group`: the owner of goroutines. They work on parts of one task, fail as one and end before it does.
///
/// Go counterpart: `golang.org/x/sync/errgroup` with `WithContext`, and the function that starts a goroutine and returns its channel.
///
///     tn::error fetch_all(tn::context ctx, std::vector<std::string> urls) {
///       tn::group g(ctx);
///       for (auto& url : urls) g.go([url](tn::context ctx) { return fetch(ctx, url); });
///       return g.wait();                                   // the first failure
///     }
///
/// **Failure.** A member fails if it returns an error or throws. The first to fail decides what `wait` returns, in the form it came
/// (`rethrow` throws the very exception), and cancels the group's context, of which it is the `cause`. A member is called with the
/// group's context where it takes one, and returns an `error`, anything an `error` is made from, or nothing.
///
/// **The end.** `wait` blocks until all members have ended, and cancels the context; `wait(ctx)` also ends when `ctx` is canceled, and then
/// returns that context's error while the members go on. The destructor cancels and waits: no member outlives its group. Fatal where a member
/// itself waits for its group, or destroys it: `a goroutine waits for its own end`. A failure that no caller waited for ends there: an exception goes to
/// the unhandled hook, in the name of the member that threw it. Until it has been seen, every fatal report (a deadlock's, say) names it.
///
/// **Each by itself.** Connections are no parts of one task: one that is reset must not end the others. A group with a handler gives each failure to
/// it and goes on: the others are not canceled, and `wait` returns no error.
///
///     tn::group connections(ctx, [](const tn::error& e) { log(e); });
///     while (auto c = listener.accept(ctx)) connections.go(serve(std::move(*c)));
///     return connections.finish(10s);
///
/// The handler is called in the goroutine of the member that failed, before its permit is given back: it may block, and several may be in it at
/// once. A member that returns `canceled()` after the group was canceled has not failed. If the handler throws, that is the group's failure, as above.
/// A handler that takes a `const tn::group_member&` first learns which one it was: `[](const tn::group_member& m, const tn::error& e) { log(m.name, e); }`.
///
/// **Two-level end.** `finish(grace)` waits for the members as long as `grace`, then cancels them and waits for their ends.
///
/// **Stages.** `produce` starts a member that sends into a channel of its own and returns the receiving end; the channel closes when the
/// function ends, however it ends, and after its failure has become the group's.
///
///     tn::recv_chan<int> sq(tn::group& g, tn::recv_chan<int> in) {
///       return g.produce<int>([=](tn::sender<int>& out, tn::context ctx) {
///         for (int n : in.range(ctx))
///           if (!out.send(ctx, n * n)) break;
///         return ctx.err();
///       });
///     }
///
/// **Limit.** With `set_limit(n)` at most n members are active at a time: `go` then blocks until there is room, `try_go` returns false
/// instead and leaves the function as it was: `if (!g.try_go(std::move(f))) later.push_back(std::move(f));`. Stages do not count: one that waited for room could block its pipeline for ever. `go` may be called by members, but with a
/// limit a member that waits for room keeps its own.
///
/// **Options.** `go`, `go_n`, `try_go`, `produce` and `produce_n` take `go_options` first: `g.go({.name = "parser", .stack_size = 1 << 20}, f)`,
/// `g.produce<int>({.name = "source"}, f)`. The name appears in dumps.
///
/// Thread-safe but for construction and destruction. Cannot be copied or moved. Panics with Go's text: `errgroup: modify limit while N
/// goroutines in the group are still active`. `wait` may be called by many, and again: a group may be used further, but its context stays canceled.

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/detail/kept_failure.hpp>
#include <tenon/error.hpp>
#include <tenon/go.hpp>
#include <tenon/mutex.hpp>
#include <tenon/sender.hpp>
#include <tenon/time_span.hpp>
#include <tenon/wait_group.hpp>

namespace tenon {

namespace detail {

struct group_access;

/// What a group can call: with its context where that is taken, and with an index after that.
template <class F>
concept group_task = std::invocable<F&, context> || std::invocable<F&>;
template <class F>
concept group_indexed_task = std::invocable<F&, context, int> || std::invocable<F&, int> || group_task<F>;
template <class F, class T>
concept group_producer = std::invocable<F&, sender<T>&, context> || std::invocable<F&, sender<T>&>;
template <class R>
concept group_result = std::is_void_v<R> || std::convertible_to<R, error>;

// What the compiler says of a function that a group cannot call: one line with the remedy, in place of the errors of the templates below.
// Each check is instantiated before what it stands for, so its line comes first.

template <class F>
constexpr void check_task() {
  if constexpr (!group_task<F>) {
    static_assert(
        !std::invocable<F&, context&>,
        "group: take the context as `const context&` or `context`, not as `context&`: each call gets its own");
    static_assert(std::invocable<F&, context&>,
                  "group: a member is called as f(context) or f(): what else it needs, it captures");
  } else if constexpr (std::invocable<F&, context>) {
    static_assert(
        group_result<std::invoke_result_t<F&, context>>,
        "group: a member returns nothing, an error, or what an error is made from; hand results over by a channel");
  } else {
    static_assert(
        group_result<std::invoke_result_t<F&>>,
        "group: a member returns nothing, an error, or what an error is made from; hand results over by a channel");
  }
}

template <class F>
constexpr void check_indexed_task() {
  static_assert(group_indexed_task<F>,
                "group: go_n calls f(context, int), f(int), f(context) or f(): what else f needs, it captures");
  static_assert(
      std::copy_constructible<F>,
      "group: go_n copies f for each goroutine, and what f captures cannot be copied: capture a std::shared_ptr");
}

template <class F, class T>
constexpr void check_producer() {
  constexpr bool by_value = std::invocable<F&, sender<T>> || std::invocable<F&, sender<T>, context>;
  static_assert(
      group_producer<F, T> || !by_value,
      "group: take the sender as `sender<T>&`, not by value: the stage owns it, and its end closes the channel");
  static_assert(group_producer<F, T> || by_value,
                "group: produce<T> calls f(sender<T>&, context) or f(sender<T>&), with this T");
}

}  // namespace detail

/// One of a group's members and stages, as a handler of failures gets it.
struct group_member {
  std::uint64_t id = 0;        // by which dumps name its goroutine
  std::string_view name;       // of its go_options; empty without one
  std::source_location where;  // it was started there
};

class group {
 public:
  /// Its context is a child of `parent`.
  explicit group(const context& parent) : scope_(with_cancel_cause(parent)) {}
  /// One whose members fail each by itself: `on_failure` gets what each failed with, and which one it was if it takes that.
  group(const context& parent, std::function<void(const group_member&, const error&)> on_failure)
      : scope_(with_cancel_cause(parent)), on_failure_(std::move(on_failure)) {}
  group(const context& parent, std::function<void(const error&)> on_failure);
  explicit group(within&&) = delete;  // with_timeout: it is kept
  template <class F>
  group(within&&, F&&) = delete;
  group(const group&) = delete;
  group& operator=(const group&) = delete;
  ~group();

  /// The members' context: canceled by the first failure, by `cancel`, by the end of `wait` and by the destructor.
  [[nodiscard]] const context& ctx() const noexcept { return scope_.ctx(); }

  /// Cancels the members' context. Never blocks. From then on a member that returns `canceled()` has not failed: it did what it was told.
  void cancel() noexcept {
    told_to_stop_.store(true, std::memory_order_relaxed);  // the members learn of it by the cancel
    scope_.cancel();
  }

  /// Starts `f` in a goroutine of this group. Blocks while the limit is reached.
  template <class F>
  void go(F&& f, std::source_location where = std::source_location::current()) {
    detail::check_task<std::decay_t<F>>();
    go(go_options{.where = where}, std::forward<F>(f));
  }
  template <class F>
  void go(const go_options& options, F&& f) {
    detail::check_task<std::decay_t<F>>();
    if constexpr (detail::group_task<std::decay_t<F>>) {
      if (detail::is_nil(f)) detail::go_of_nil();
      start(enter(), detail::spawn_with(options, detail::started_by::group), std::forward<F>(f));
    }
  }

  template <class F, class A, class... Rest>
    requires(!std::same_as<std::remove_cvref_t<F>, go_options>) &&
            (!std::same_as<std::remove_cvref_t<A>, std::source_location>)
  void go(F&&, A&&, Rest&&...) {
    static_assert(!std::same_as<F, F>, "group: go takes a function alone: what else it needs, it captures");
  }

  /// n of them, each with a copy of `f` and, where `f` takes it, its index from 0: `f(ctx, i)`, `f(i)`, `f(ctx)` or `f()`.
  template <class F>
  void go_n(int n, const F& f, std::source_location where = std::source_location::current()) {
    detail::check_indexed_task<std::decay_t<F>>();
    go_n(go_options{.where = where}, n, f);
  }
  template <class F>
  void go_n(const go_options& options, int n, const F& f) {
    detail::check_indexed_task<std::decay_t<F>>();
    if (detail::is_nil(f)) detail::go_of_nil();
    for (int i = 0; i < n; ++i) {
      if constexpr (!std::copy_constructible<std::decay_t<F>> || !detail::group_indexed_task<std::decay_t<F>>) {
        // check_indexed_task has said what is wrong
      } else if constexpr (std::invocable<std::decay_t<F>&, context, int>) {
        go(options, [f = std::decay_t<F>(f), i](const context& ctx) mutable { return f(ctx, i); });
      } else if constexpr (std::invocable<std::decay_t<F>&, int>) {
        go(options, [f = std::decay_t<F>(f), i]() mutable { return f(i); });
      } else {
        go(options, f);
      }
    }
  }

  /// As `go`, if the limit allows it now; otherwise `f` is left as it was. Never blocks.
  template <class F>
  [[nodiscard]] bool try_go(F&& f, std::source_location where = std::source_location::current()) {
    detail::check_task<std::decay_t<F>>();
    return try_go(go_options{.where = where}, std::forward<F>(f));
  }
  template <class F>
  [[nodiscard]] bool try_go(const go_options& options, F&& f) {
    detail::check_task<std::decay_t<F>>();
    if (detail::is_nil(f)) detail::go_of_nil();
    auto entered = try_enter();
    if (!entered) return false;
    if constexpr (detail::group_task<std::decay_t<F>>) {
      start(*std::move(entered), detail::spawn_with(options, detail::started_by::group), std::forward<F>(f));
    }
    return true;
  }

  /// Starts `f(out, ctx)`, or `f(out)`, as a stage and returns what it sends to `out`. With a capacity as for `make_chan`. Never blocks.
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(F&& f, std::source_location where = std::source_location::current()) {
    return stage(make_chan<T>(), go_options{.where = where}, std::forward<F>(f));
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(detail::constant_0_or_1_else_give_a_reason capacity, F&& f,
                                     std::source_location where = std::source_location::current()) {
    return stage(make_chan<T>(capacity), go_options{.where = where}, std::forward<F>(f));
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(std::int64_t capacity, std::string_view why_it_cannot_fill_up, F&& f,
                                     std::source_location where = std::source_location::current()) {
    return stage(make_chan<T>(capacity, why_it_cannot_fill_up), go_options{.where = where}, std::forward<F>(f));
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(const go_options& options, F&& f) {
    return stage(make_chan<T>(), options, std::forward<F>(f));
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(const go_options& options, detail::constant_0_or_1_else_give_a_reason capacity,
                                     F&& f) {
    return stage(make_chan<T>(capacity), options, std::forward<F>(f));
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce(const go_options& options, std::int64_t capacity,
                                     std::string_view why_it_cannot_fill_up, F&& f) {
    return stage(make_chan<T>(capacity, why_it_cannot_fill_up), options, std::forward<F>(f));
  }

  /// k stages, each with a copy of `f`, that send into one channel; the last one to end closes it.
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce_n(int k, const F& f,
                                       std::source_location where = std::source_location::current()) {
    return stages(make_chan<T>(), go_options{.where = where}, k, f);
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce_n(int k, std::int64_t capacity, std::string_view why_it_cannot_fill_up, const F& f,
                                       std::source_location where = std::source_location::current()) {
    return stages(make_chan<T>(capacity, why_it_cannot_fill_up), go_options{.where = where}, k, f);
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce_n(const go_options& options, int k, const F& f) {
    return stages(make_chan<T>(), options, k, f);
  }
  template <class T, class F>
  [[nodiscard]] recv_chan<T> produce_n(const go_options& options, int k, std::int64_t capacity,
                                       std::string_view why_it_cannot_fill_up, const F& f) {
    return stages(make_chan<T>(capacity, why_it_cannot_fill_up), options, k, f);
  }

  /// At most n members at a time from now on; a negative n is no limit, 0 lets none start. Not while members are active; those that
  /// started without a limit do not count. Nor while a caller of `go` waits for room, or beside a call of `go` or `try_go`.
  void set_limit(int n);

  /// How many members and stages there are that have not ended: a figure for logs, true for a moment only. Never blocks.
  [[nodiscard]] int active() const noexcept { return tasks_.count(); }

  /// The first failure, or no error.
  error wait();
  error wait(const context& until);
  /// As `wait`; if that takes longer than `grace`, cancels the members. What they return then, for having been told to, is no failure.
  /// Nothing keeps others from starting members meanwhile: end first what takes in new work.
  error finish(time_span grace);

 private:
  friend struct detail::group_access;

  /// One member's permit in the group; given back when it ends, also by an exception on the way there.
  struct permit {
    group* owner;
    bool limited;
    permit(group* g, bool l) noexcept : owner(g), limited(l) {}
    permit(permit&& other) noexcept : owner(std::exchange(other.owner, nullptr)), limited(other.limited) {}
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    permit& operator=(permit&&) = delete;
    ~permit() {
      if (owner != nullptr) owner->leave(limited);
    }
  };

  /// What its goroutine runs. Destroyed in the reverse order: the permit is given back after the function and what it captured are gone. (Not
  /// a lambda, whose members have no order; nor is f moved out of it, which copies what is const.)
  template <class F>
  struct member {
    permit held;
    F f;
    void operator()() {
      try {
        if constexpr (detail::runs_from_a_copy<F>) {
          F local(f);  // nothing else looks at it: so the compiler keeps what it captured in registers
          held.owner->call(local);
        } else {
          held.owner->call(f);
        }
      } catch (...) {
        held.owner->fail(error(detail::caught()));
      }
    }
  };

  template <class F>
  void start(permit entered, detail::spawn_options options, F&& f) {
    options.inherits = false;
    options.under = detail::node_of(ctx());
    options.owner = this;
    detail::spawn_owned(options, member<std::decay_t<F>>{std::move(entered), std::decay_t<F>(std::forward<F>(f))});
  }

  template <class T, class F>
  recv_chan<T> stage(chan<T> out, const go_options& options, F&& f) {
    detail::check_producer<std::decay_t<F>, T>();
    if (detail::is_nil(f)) detail::go_of_nil();
    start_stage(sender<T>(out), options, std::forward<F>(f));
    return out;
  }
  template <class T, class F>
  recv_chan<T> stages(chan<T> out, const go_options& options, int k, const F& f) {
    detail::check_producer<std::decay_t<F>, T>();
    if (detail::is_nil(f)) detail::go_of_nil();
    const sender<T> first(out);
    for (int i = 0; i < k; ++i) start_stage(first.clone(), options, f);
    return out;
  }
  template <class T, class F>
  void start_stage(sender<T> out, const go_options& options, F&& f) {
    tasks_.add();
    permit entered(this, false);  // now: copying `f` may throw
    start(std::move(entered), detail::spawn_with(options, detail::started_by::stage),
          [tx = std::move(out), f = std::decay_t<F>(std::forward<F>(f))](const context& ctx) mutable {
            if constexpr (std::invocable<std::decay_t<F>&, sender<T>&, context>) {
              return f(tx, ctx);
            } else if constexpr (detail::group_producer<std::decay_t<F>, T>) {
              return f(tx);
            }
          });
  }

  template <class F>
  void call(F& f) {
    if constexpr (std::invocable<F&, context>) {
      take_result_of([&]() -> decltype(auto) { return f(ctx()); });
    } else {
      take_result_of(f);
    }
  }
  template <class F>
  void take_result_of(F&& f) {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<R>) {
      f();
    } else if constexpr (detail::group_result<R>) {
      if (error e = f()) fail(std::move(e));
    }
  }

  permit enter();
  std::optional<permit> try_enter();
  void leave(bool limited);
  void fail(error e);

  cancel_cause_scope scope_;
  const std::function<void(const group_member&, const error&)> on_failure_;  // empty: the first failure is the group's
  wait_group tasks_;
  chan<void> limit_;  // nil without a limit; one value in it for each active member
  detail::atomic<int> waiting_for_room_{0};
  mutex mu_;
  error first_;        // guarded by mu_, as are the next two
  bool seen_ = false;  // wait has returned it
  detail::kept_failure kept_;
  detail::atomic<bool> told_to_stop_{false};
};

}  // namespace tenon
