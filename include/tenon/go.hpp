#pragma once

/// `go(f, args…)` starts a goroutine and returns its handle, `goroutine<R>`: for one goroutine whose result is wanted. A `group` owns many.
///
/// Go counterpart: the `go` statement. What Go leaves to review is the type's job here: a goroutine has an owner. The handle
/// is `[[nodiscard]]` and move-only; `join()` waits and returns f's result or rethrows what it threw; the destructor cancels and
/// waits. There is no detach.
///
///     auto sum = tn::go([&] { return std::accumulate(v.begin(), v.end(), 0L); });
///     …
///     long total = sum.join();
///
/// It runs under a context of its own, a child of the caller's (`this_goroutine::context()`) or, by `go(ctx, f, args…)`, of `ctx`; `f` gets it
/// first where it takes one. `cancel()`, and dropping the handle, cancels that child:
///
///     auto ticking = tn::go([](tn::context ctx) { while (tn::sleep_for(ctx, 1s)) flush(); });
///
/// With options, `go({.name = "walker", .stack_size = 1 << 20}, f)`: the name appears in dumps.
///
/// `f` and its arguments are copied or moved into the goroutine, as `std::thread` does; pass references by `std::ref`, or
/// capture them in a lambda and let the handle's scope end before theirs. `go` never blocks and never runs `f` on the spot. A null function is fatal:
/// `go of nil func value`. Outside of `run` it is fatal, with a message. `go` may be called from any goroutine or OS thread
/// while a `run` is active. Where no stack can be had it throws `no_stack`. What happens before `go` happens before `f` starts; f's end happens before `join` and `wait` return.

#include <concepts>
#include <functional>
#include <initializer_list>
#include <new>
#include <type_traits>

#include <tenon/context.hpp>
#include <tenon/detail/goroutine_frame.hpp>

namespace tenon {

namespace detail {
struct go_access;
}  // namespace detail

/// What `go`, and all else that starts a goroutine, throws where no stack can be had. `what()` says how many goroutines there are, and which limit was
/// met: "tenon: no stack for another goroutine: there are 163, each with 320 KiB of address space: RLIMIT_AS (ulimit -v) is 64 MiB, …".
class no_stack : public std::bad_alloc {
 public:
  explicit no_stack(const char* text) noexcept;
  [[nodiscard]] const char* what() const noexcept override;

 private:
  char text_[320];
};

/// For `go`, the members and stages of a `group`, the functions of a `wait_group` and the stages of a `pipeline`.
struct go_options {
  /// For dumps; a string literal.
  const char* name = nullptr;
  /// Of the stack, in bytes of address space, rounded up to a power of two: from 16 KiB to 1 GiB. Memory is used only as the stack is touched.
  /// 0: the run's default, 256 KiB. docs/stacks.md says what needs more.
  std::size_t stack_size = 0;
  /// Where dumps say it was started: leave it alone.
  std::source_location where = std::source_location::current();
};

namespace detail {
inline spawn_options spawn_with(const go_options& options, started_by by) noexcept {
  return {.name = options.name, .stack_size = options.stack_size, .where = options.where, .by = by};
}
}  // namespace detail

/// The owner of a running or finished goroutine. Not thread-safe: one owner at a time.
template <class R = void>
class [[nodiscard(
    "a goroutine has an owner: keep the handle and join() it; letting it go here would wait for the goroutine at once")]] goroutine {
 public:
  /// Owns nothing.
  goroutine() noexcept = default;
  goroutine(goroutine&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), frame_(std::exchange(other.frame_, nullptr)) {}
  /// Ends the one owned so far, as the destructor does.
  goroutine& operator=(goroutine&& other) noexcept {
    if (this != &other) {
      finish();
      core_ = std::exchange(other.core_, nullptr);
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  goroutine(const goroutine&) = delete;
  goroutine& operator=(const goroutine&) = delete;

  /// Cancels its context and waits. An exception that no caller joined for goes to the unhandled hook. A goroutine that has not ended after 5 s
  /// (`run_options::report_after`) is named on stderr, once.
  ~goroutine() { finish(); }

  /// Blocks until the goroutine has ended; returns its result or rethrows its exception. Afterwards the handle owns
  /// nothing; joining that is a `panic`. A goroutine that joins itself is fatal.
  R join() {
    wait();
    return take();
  }

  /// Blocks until the goroutine has ended; then `join` returns at once. Any number of goroutines and threads may wait, any number of times,
  /// as long as no other caller joins or drops the handle meanwhile.
  void wait() const {
    if (core_ == nullptr) detail_no_goroutine();
    (void)detail::goroutine_join(core_, nullptr);
  }

  /// The same, or until `ctx` is canceled: then false.
  [[nodiscard]] bool wait(const context& ctx) const {
    if (core_ == nullptr) detail_no_goroutine();
    return detail::goroutine_join(core_, detail::done_core(ctx));
  }

  /// Cancels its context. Never blocks, may be called from any goroutine or thread.
  void cancel() const noexcept {
    if (frame_ != nullptr) frame_->child.cancel();
  }

  [[nodiscard]] bool joinable() const noexcept { return core_ != nullptr; }

  /// The number by which dumps name it; 0 if the handle owns nothing.
  [[nodiscard]] unsigned long long id() const noexcept { return core_ == nullptr ? 0 : detail::goroutine_id(core_); }

 private:
  friend struct detail::go_access;
  goroutine(detail::goroutine_core* core, detail::frame_head<R>* frame) noexcept : core_(core), frame_(frame) {}

  [[noreturn]] static void detail_no_goroutine();

  struct releaser {
    goroutine& self;
    ~releaser() { self.release(); }
  };
  R take() {
    releaser r{*this};
    return frame_->result.take();
  }
  void release() noexcept {
    frame_->~frame_head();
    frame_ = nullptr;
    detail::goroutine_release(std::exchange(core_, nullptr));
  }
  void finish() noexcept {
    if (core_ == nullptr) return;
    cancel();
    detail::goroutine_await_end(core_);
    if (std::exception_ptr failure = frame_->result.failure()) detail::unhandled_in(core_, std::move(failure));
    release();
  }

  detail::goroutine_core* core_ = nullptr;
  detail::frame_head<R>* frame_ = nullptr;
};

namespace detail {

[[noreturn]] void join_of_nothing();

/// An array of the caller's would be passed as a pointer into the caller's frame. String literals, which stay, are let through.
template <class A>
inline constexpr bool is_callers_array = std::is_array_v<std::remove_reference_t<A>> &&
                                         !std::is_const_v<std::remove_all_extents_t<std::remove_reference_t<A>>>;
template <class A>
inline constexpr bool is_initializer_list = false;
template <class T>
inline constexpr bool is_initializer_list<std::initializer_list<T>> = true;

template <class... A>
constexpr void check_arguments() {
  static_assert(
      (!is_callers_array<A> && ...),
      "go: this array would be passed as a pointer into the caller's frame, which may be gone: pass a copy (std::array, "
      "std::vector, std::string)");
  static_assert(
      (!is_initializer_list<std::remove_cvref_t<A>> && ...),
      "go: the elements of an initializer_list are gone when the goroutine looks at them: pass a std::vector");
}

struct go_access {
  struct held_child {  // until the frame has it: copying `f` or an argument may throw, too
    ctx_node* node;
    explicit held_child(ctx_node* n) noexcept : node(n) {}
    held_child(const held_child&) = delete;
    held_child& operator=(const held_child&) = delete;
    ~held_child() {
      if (node != nullptr) cancel_and_drop(node);
    }
  };

  template <class R, class Call>
  static goroutine<R> start(const spawn_options& options, held_child& child, Call&& call) {
    static_assert(!std::is_reference_v<Call>);
    using frame = joined_frame<R, Call>;
    void* memory = nullptr;
    goroutine_core* g = goroutine_create(options, sizeof(frame), alignof(frame), &memory);
    frame_head<R>* head = nullptr;
    try {
      head = ::new (memory) frame(std::move(call));
    } catch (...) {
      goroutine_discard(g);
      throw;
    }
    head->child.set(std::exchange(child.node, nullptr));
    goroutine_has_context(g, head->child);
    goroutine_start(g, &run_joined<R, Call>, true);
    return goroutine<R>(g, head);
  }

  /// `parent`: null for the caller's.
  template <class F, class... A>
  static auto spawn(spawn_options options, const context* parent, F&& f, A&&... a) {
    check_arguments<A...>();
    if (detail::is_nil(f)) go_of_nil();
    if constexpr (std::is_invocable_v<std::decay_t<F>, context, std::decay_t<A>...>) {
      using R = std::invoke_result_t<std::decay_t<F>, context, std::decay_t<A>...>;
      held_child child(parent == nullptr ? child_of_current() : child_of(*parent));
      options.inherits = false;
      return start<R>(options, child,
                      [node = child.node, f = std::decay_t<F>(std::forward<F>(f)),
                       args = std::tuple<std::decay_t<A>...>(std::forward<A>(a)...)]() mutable -> R {
                        return std::apply(
                            [&](auto&... x) -> R { return std::invoke(std::move(f), share(node), std::move(x)...); },
                            args);
                      });
    } else {
      using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
      held_child child(parent == nullptr ? nullptr : child_of(*parent));
      options.inherits = parent == nullptr;
      return start<R>(options, child,
                      [f = std::decay_t<F>(std::forward<F>(f)),
                       args = std::tuple<std::decay_t<A>...>(std::forward<A>(a)...)]() mutable -> R {
                        return std::apply([&](auto&... x) -> R { return std::invoke(std::move(f), std::move(x)...); },
                                          args);
                      });
    }
  }
};

// Carries the place of the call into a function that ends in a parameter pack, where a defaulted argument cannot.
struct context_at {
  const context& ctx;
  std::source_location where;
  context_at(const context& c, std::source_location w = std::source_location::current()) noexcept  // NOLINT
      : ctx(c), where(w) {}
};

template <class F, class... A>
concept go_callable =
    std::invocable<std::decay_t<F>, std::decay_t<A>...> || std::invocable<std::decay_t<F>, context, std::decay_t<A>...>;
/// It could be called with the arguments themselves, but not with the goroutine's copies of them.
template <class F, class... A>
concept go_wants_references = (sizeof...(A) != 0) && std::invocable<F, A...> && !go_callable<F, A...>;
template <class...>
inline constexpr bool never = false;

}  // namespace detail

template <class R>
void goroutine<R>::detail_no_goroutine() {
  detail::join_of_nothing();
}

/// `go(f)` and `go(f, args…)`, up to four arguments (more: use a lambda).
template <class F>
  requires detail::go_callable<F>
auto go(F&& f, std::source_location where = std::source_location::current()) {
  return detail::go_access::spawn({.where = where, .by = detail::started_by::go}, nullptr, std::forward<F>(f));
}
template <class F, class A>
  requires detail::go_callable<F, A>
auto go(F&& f, A&& a, std::source_location where = std::source_location::current()) {
  return detail::go_access::spawn({.where = where, .by = detail::started_by::go}, nullptr, std::forward<F>(f),
                                  std::forward<A>(a));
}
template <class F, class A, class B>
  requires detail::go_callable<F, A, B>
auto go(F&& f, A&& a, B&& b, std::source_location where = std::source_location::current()) {
  return detail::go_access::spawn({.where = where, .by = detail::started_by::go}, nullptr, std::forward<F>(f),
                                  std::forward<A>(a), std::forward<B>(b));
}
template <class F, class A, class B, class C>
  requires detail::go_callable<F, A, B, C>
auto go(F&& f, A&& a, B&& b, C&& c, std::source_location where = std::source_location::current()) {
  return detail::go_access::spawn({.where = where, .by = detail::started_by::go}, nullptr, std::forward<F>(f),
                                  std::forward<A>(a), std::forward<B>(b), std::forward<C>(c));
}
template <class F, class A, class B, class C, class D>
  requires detail::go_callable<F, A, B, C, D>
auto go(F&& f, A&& a, B&& b, C&& c, D&& d, std::source_location where = std::source_location::current()) {
  return detail::go_access::spawn({.where = where, .by = detail::started_by::go}, nullptr, std::forward<F>(f),
                                  std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<D>(d));
}

/// Says what is wrong where `f` takes an argument by reference.
template <class F, class... A>
  requires(detail::go_wants_references<F, A...> && !std::convertible_to<F, context> &&
           !std::convertible_to<F, const go_options&>)
void go(F&&, A&&...) {
  static_assert(
      detail::never<F, A...>,
      "go: arguments are copied or moved into the goroutine, and a copy does not bind to T&: pass std::ref(x) if x outlives "
      "the goroutine, or let f take it by value");
}

/// `go(ctx, f, args…)`: under a child of `ctx`.
template <class F, class... A>
  requires detail::go_callable<F, A...>
auto go(detail::context_at ctx, F&& f, A&&... a) {
  return detail::go_access::spawn({.where = ctx.where, .by = detail::started_by::go}, &ctx.ctx, std::forward<F>(f),
                                  std::forward<A>(a)...);
}

/// Both, with options.
template <class F, class... A>
  requires detail::go_callable<F, A...>
auto go(const go_options& options, F&& f, A&&... a) {
  return detail::go_access::spawn(detail::spawn_with(options, detail::started_by::go), nullptr, std::forward<F>(f),
                                  std::forward<A>(a)...);
}
template <class F, class... A>
  requires detail::go_callable<F, A...>
auto go(const go_options& options, const context& ctx, F&& f, A&&... a) {
  return detail::go_access::spawn(detail::spawn_with(options, detail::started_by::go), &ctx, std::forward<F>(f),
                                  std::forward<A>(a)...);
}

}  // namespace tenon
