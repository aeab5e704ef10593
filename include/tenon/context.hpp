#pragma once

/// `context`: cancellation, deadlines and request-scoped values, passed down the call tree as the first argument.
///
/// Go counterpart: package `context`, function by function. Every call of tenon that waits for a value, a lock, an event or a time has a form that
/// takes a context and ends when it is canceled. Those that wait for goroutines of one's own have none where canceling these ends the wait:
/// `goroutine::join` (`wait(ctx)` has), `group::finish`, `pipeline::wait`, and `group::go` at the limit.
///
///     auto scope = tn::with_timeout(parent, 2s);
///     for (auto v : in.range(scope.ctx())) use(v);
///     return scope.ctx().err();    // nullptr, canceled() or deadline_exceeded()
///
/// A `context` is a counted reference to an immutable node of a tree; copying it is cheap and thread-safe, and so is every
/// member. **Canceling** a context cancels its descendants before the call returns; it never parks and may come from any
/// goroutine, OS thread or timer. Canceling twice does nothing; a second canceler returns when the first has canceled the descendants, and
/// sleeps where that takes long. What a `with_` function returns is a scope: `[[nodiscard]]`, `cancel()`
/// cancels and so does its destructor, so a cancel cannot be lost. What happens before a cancel happens before a wait on `done()` ends.
///
/// A default-constructed context is Go's nil context: deriving from it is a `panic("cannot create context from nil parent")`;
/// passed to a blocking call it never cancels.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <tenon/chan.hpp>
#include <tenon/detail/goroutine_frame.hpp>
#include <tenon/error.hpp>
#include <tenon/time_span.hpp>

namespace tenon {

using time_point = std::chrono::steady_clock::time_point;

class context;

/// The key of a value in a context. Define one as an `inline constexpr` or static variable; its address is its identity:
/// `inline const tenon::context_key<std::string> user_key{"user"};`
/// One that a program shares with plugins has to be visible to them: docs/using.md.
template <class T>
struct context_key {
  const char* name = "";
  explicit constexpr context_key(const char* n) noexcept : name(n) {}
  context_key(const context_key&) = delete;
  context_key& operator=(const context_key&) = delete;
};

/// A context of one's own making (Go: a type that implements the Context interface). Every member must be thread-safe. `done`, and `value` with a
/// key of tenon's own, are called when it is wrapped. tenon's contexts may be nested without end; those that wrap another context take
/// stack for each wrapper, in the calls that they hand on and when they are destroyed.
class custom_context {
 public:
  virtual ~custom_context() = default;
  [[nodiscard]] virtual std::optional<time_point> deadline() const { return std::nullopt; }
  /// Closed when the context is canceled; the nil channel if it never is. The same channel at every call.
  [[nodiscard]] virtual recv_chan<void> done() const { return nullptr; }
  [[nodiscard]] virtual error err() const { return nullptr; }
  [[nodiscard]] virtual const void* value(const void* key) const {
    (void)key;
    return nullptr;
  }
};

class context {
 public:
  context() noexcept = default;
  context(std::nullptr_t) noexcept {}  // NOLINT: Go's nil
  /// Wraps a context of one's own making.
  explicit context(std::shared_ptr<const custom_context> custom);
  context(const context& other) noexcept;
  context(context&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  context& operator=(context other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~context();

  /// Closed when this context is canceled; the nil channel if it never is. `auto stop = recv(ctx.done());`
  [[nodiscard]] const recv_chan<void>& done() const&;
  [[nodiscard]] recv_chan<void> done() const&& { return std::as_const(*this).done(); }

  /// No error while it is not canceled; afterwards `canceled()` or `deadline_exceeded()`, for ever. It is there as soon as `done()` is closed,
  /// and never before. Does not wait for the canceler.
  error err() const;

  /// `bool(err())`, without touching a reference count: for loops that poll.
  [[nodiscard]] bool is_canceled() const noexcept;

  [[nodiscard]] std::optional<time_point> deadline() const;

  /// The value that the nearest ancestor has under `key`, or null. Valid as long as a context that has it lives.
  template <class T>
  [[nodiscard]] const T* value(const context_key<T>& key) const {
    return static_cast<const T*>(find(&key));
  }

  /// A token for code that knows `std::stop_token`: stop is requested when this context is canceled. Stop callbacks run on the thread that
  /// cancels, after all descendants have been canceled; they may destroy every scope, also the one that is being canceled. They must not wait
  /// in tenon: a `std::stop_source` ties the call to its OS thread, and where a deadline or a signal cancels, that is fatal. A context that is never canceled gives a token without state, and so does
  /// a custom one itself: derive from it.
  [[nodiscard]] std::stop_token stop_token() const;

  /// The same by the bare key: for a `custom_context` that passes `value` on to another context.
  [[nodiscard]] const void* find(const void* key) const;

  explicit operator bool() const noexcept { return node_ != nullptr; }
  friend bool operator==(const context& a, const context& b) noexcept { return a.node_ == b.node_; }

 private:
  friend struct context_access;
  explicit context(detail::ctx_node* adopted) noexcept : node_(adopted) {}
  detail::ctx_node* node_ = nullptr;
};

/// "context.Background.WithCancel", as Go prints them.
[[nodiscard]] std::string to_string(const context& ctx);

/// The root of all contexts: never canceled. `todo()` is the same with another name, for code that awaits its context.
[[nodiscard]] context background() noexcept;
[[nodiscard]] context todo() noexcept;

/// Why it was canceled: what was given to a cancel-cause function, else `ctx.err()`.
error cause(const context& ctx);

/// A context of one's own, and the right to cancel it. Move-only; the destructor cancels.
class [[nodiscard("dropping the scope cancels its context at once")]] cancel_scope {
 public:
  cancel_scope(cancel_scope&& other) noexcept = default;
  cancel_scope& operator=(cancel_scope&& other) noexcept {  // the old one ends with `other`
    std::swap(ctx_, other.ctx_);
    return *this;
  }
  cancel_scope(const cancel_scope&) = delete;
  cancel_scope& operator=(const cancel_scope&) = delete;
  ~cancel_scope() { cancel(); }

  /// Of a named scope only: that of a temporary would be canceled already.
  [[nodiscard]] const context& ctx() const& noexcept { return ctx_; }
  [[nodiscard]] const context& ctx() const&& = delete;

  /// Cancels with `canceled()`. Never blocks.
  void cancel() const noexcept;

 protected:
  friend struct context_access;
  explicit cancel_scope(context ctx) noexcept : ctx_(std::move(ctx)) {}
  context ctx_;
};

/// The same, and says why.
class [[nodiscard("dropping the scope cancels its context at once")]] cancel_cause_scope : public cancel_scope {
 public:
  using cancel_scope::cancel;
  /// `why` becomes `cause(ctx)`; no error stands for `canceled()`.
  void cancel(const error& why) const noexcept;

 private:
  friend struct context_access;
  using cancel_scope::cancel_scope;
};

cancel_scope with_cancel(const context& parent);
cancel_cause_scope with_cancel_cause(const context& parent);
/// Canceled also when the time has come, with `deadline_exceeded()`; `why` is then the cause.
cancel_scope with_timeout(const context& parent, time_span d, const error& why = {});
cancel_scope with_deadline(const context& parent, time_point when, const error& why = {});

/// Canceled also when stop is requested on `token`.
cancel_scope with_stop_token(const context& parent, std::stop_token token);

/// The parent's values without its cancellation or deadline: for work that has to outlive a request, and still be joined.
[[nodiscard]] context without_cancel(const context& parent);

namespace this_goroutine {

/// The context that the running goroutine was started under: a child of the one given to `go`, or its group's. What `go`, `wait_group::go`
/// and the like start inherits it. `background()` on a plain OS thread.
[[nodiscard]] context context();

}  // namespace this_goroutine

namespace detail {
ctx_node* node_of(const context& ctx) noexcept;
context with_value(const context& parent, const void* key, const char* name, std::shared_ptr<const void> value);
struct after_func_node;
after_func_node* after_func_start(const context& ctx, std::function<void()> f, std::source_location where);
bool after_func_stop(after_func_node* node) noexcept;
void after_func_drop(after_func_node* node) noexcept;
}  // namespace detail

/// A child that has `value` under `key`. For request-scoped data that crosses APIs, not for optional arguments.
template <class T>
[[nodiscard]] context with_value(const context& parent, const context_key<T>& key, std::type_identity_t<T> value) {
  return detail::with_value(parent, &key, key.name, std::make_shared<const T>(std::move(value)));
}

/// The handle of an `after_func`. Its destructor takes the function back or, if it has started, waits for it; then that, and what it captured, is
/// gone, except where the function destroys its own handle.
class [[nodiscard("dropping the handle takes the function back at once")]] after_func_handle {
 public:
  after_func_handle() noexcept = default;
  explicit after_func_handle(detail::after_func_node* adopted) noexcept : node_(adopted) {}
  after_func_handle(after_func_handle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  after_func_handle& operator=(after_func_handle&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  after_func_handle(const after_func_handle&) = delete;
  after_func_handle& operator=(const after_func_handle&) = delete;
  ~after_func_handle() {
    if (node_ != nullptr) detail::after_func_drop(node_);
  }

  /// True if this call kept the function from running. False if it has started or was stopped before. Does not wait.
  bool stop() const noexcept { return node_ != nullptr && detail::after_func_stop(node_); }

 private:
  detail::after_func_node* node_ = nullptr;
};

/// Runs `f` in a goroutine of its own once `ctx` is canceled (at once if it is already). Outside of `run` it runs on the thread
/// that cancels, or, where that is a deadline or a signal, in a thread of its own. Go: `context.AfterFunc`.
inline after_func_handle after_func(const context& ctx, std::function<void()> f,
                                    std::source_location where = std::source_location::current()) {
  return after_func_handle(detail::after_func_start(ctx, std::move(f), where));
}

}  // namespace tenon
