#pragma once

/// `use_goroutine`: a completion token. An asynchronous operation of Asio's that is given it blocks the goroutine, and returns what it completes with.
///
/// Go counterpart: none is needed; Asio's own are `use_future` and `use_awaitable`, but this has no colour.
///
///     tn::driven_io_context io;
///     asio::ip::tcp::socket peer(io);
///     auto n = peer.async_read_some(asio::buffer(block), tn::use_goroutine);   // result<std::size_t>
///     if (!n) return n.err();                                                  // tn::net::eof(), say
///
/// **What it returns.** For an operation whose handler takes an error code, or a `std::exception_ptr`, first: `error` if that is all, else `result` of the rest, as a
/// `std::tuple` where that is more than one. Otherwise the rest as it is. `.value()` throws. Asio's `eof` is `net::eof()`. Where an error may come with part of a
/// value, wrap it: `as_tuple(tn::use_goroutine)`, `redirect_error(tn::use_goroutine, ec)`.
///
/// **Its end.** A context that has ended already keeps the operation from being started. Otherwise the operation is ended by the context of the
/// goroutine (`this_goroutine::context()`) or, in the form `use_goroutine(ctx)`, by that one, through Asio's cancellation slot, and the call returns
/// the context's error once the operation has completed (a coroutine's, too, if it ends by Asio's `operation_aborted`). If it has succeeded
/// nevertheless, that counts. An operation that takes no notice of its slot, or asks its handler for no executor, is waited for. Boost before 1.77 has no slots: there a context only keeps
/// an operation from being started. A deadline for one operation: `use_goroutine(tn::within(ctx, 5s))`. Under `as_tuple` and `redirect_error` the
/// code is Asio's own: `operation_aborted`, whatever has ended the context; an operation is started, and ended then, also if the context has ended
/// before; and one that is dropped throws `system_error`.
///
/// **Threads.** Operations are started in the executor of their object, or the one that was bound by `bind_executor`, as Asio's objects ask for: one
/// goroutine may read from a socket while another writes to it, if that executor runs one function at a time (that of a `driven_io_context`, or a
/// strand). A context that ends during an operation needs such an executor, too: on a `thread_pool`, or an `io_context` that two threads run, bind a
/// strand. Handlers never run in goroutines. If the `io_context` goes first, the operation has failed with `operation_aborted`; it must not go while
/// another thread ends the operation's context. If no thread runs it, the wait is for ever.
///
/// Costs a way to the thread that runs the executor and back. tenon allocates nothing for it. May be called on a plain OS thread, which it blocks.

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/asio/library.hpp>
#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/promise.hpp>
#include <tenon/result.hpp>
#include <tenon/semaphore.hpp>

namespace tenon {
inline namespace TENON_ASIO_INLINE_NAMESPACE {

class use_goroutine_t {
 public:
  constexpr use_goroutine_t() noexcept = default;
  /// `ctx` has to stay until the operation has returned; a temporary of the same expression does.
  constexpr use_goroutine_t operator()(const context& ctx) const noexcept {
    use_goroutine_t token;
    token.ctx_ = &ctx;
    return token;
  }
  /// Null: the goroutine's own.
  [[nodiscard]] constexpr const context* ctx() const noexcept { return ctx_; }

 private:
  const context* ctx_ = nullptr;
};

inline constexpr use_goroutine_t use_goroutine;

/// Asio's code as tenon has it. The system's are in `std::system_category`, so that `e.is(std::errc::connection_reset)` holds with any Asio.
inline error from_asio(const detail::asio_error_code& code) {
  if (code == detail::asio_library::error::eof) return net::eof();
  if (code.category() == detail::asio_library::error::get_system_category())
    return std::error_code(code.value(), std::system_category());
  return static_cast<std::error_code>(code);
}

}  // namespace TENON_ASIO_INLINE_NAMESPACE

namespace detail {
inline namespace TENON_ASIO_INLINE_NAMESPACE {

/// What an operation that is waited for has in common with its handler. It stands on the stack of the one who waits, who leaves once all its parts have ended.
class asio_wait {
 public:
  asio_wait() { parts_.acquire(part_count); }
  asio_wait(const asio_wait&) = delete;
  asio_wait& operator=(const asio_wait&) = delete;

  /// By the handler, when it has run, or is destroyed without: nothing of this is used by it any more.
  void completed() noexcept {
#if defined(TENON_ASIO_CANCELS)
    signal_.slot().clear();
#endif
    end_part();
    outside_waker(-1);  // last, as for a promise
  }
  /// The call that starts the operation has returned.
  void started() noexcept { end_part(); }

  /// Asio asks for the handler's executor, and offers that of the operation's object.
  template <class Executor>
  void offer(const Executor& ex) noexcept {
    if constexpr (std::is_constructible_v<asio_library::any_io_executor, const Executor&>) {
      if (!offered_.exchange(true, std::memory_order_relaxed)) {
        executor_ = asio_library::any_io_executor(ex);
        has_executor_.store(true, std::memory_order_release);
      }
    }
  }

  /// Until the operation has been started and has completed. When `ctx` ends, the operation is ended, too.
  void wait(const context& ctx) {
#if defined(TENON_ASIO_CANCELS)
    if (parts_.acquire(ctx, part_count - 1)) return;
    // Both may have ended since, and with them what the executor belongs to.
    if (parts_.try_acquire(part_count - 1)) return;
    if (has_executor_.load(std::memory_order_acquire)) {
      canceled_ = true;
      try {
        asio_library::post(executor_, emission(this));
      } catch (...) {  // out of memory: it is waited for as it is
      }
      parts_.acquire(part_count);
      return;
    }
#endif
    (void)ctx;
    parts_.acquire(part_count - 1);
  }

#if defined(TENON_ASIO_CANCELS)
  [[nodiscard]] asio_library::cancellation_slot slot() noexcept { return signal_.slot(); }
#endif
  [[nodiscard]] bool was_canceled() const noexcept { return canceled_; }

  std::exception_ptr thrown;  // by the call that starts the operation, or by a value when it was stored

 private:
  static constexpr int part_count = 3;  // the start, the completion, the emission of the cancel

  void end_part() noexcept { parts_.release(); }

#if defined(TENON_ASIO_CANCELS)
  /// The signal is emitted where the operation's own functions run.
  class emission {
   public:
    explicit emission(asio_wait* w) noexcept : wait_(w) {}
    emission(emission&& other) noexcept : wait_(std::exchange(other.wait_, nullptr)) {}
    emission(const emission&) = delete;
    emission& operator=(const emission&) = delete;
    ~emission() {
      if (wait_ != nullptr) wait_->end_part();
    }
    void operator()() { wait_->signal_.emit(asio_library::cancellation_type::terminal); }

   private:
    asio_wait* wait_;
  };
  asio_library::cancellation_signal signal_;
#endif
  semaphore parts_{part_count};
  detail::atomic<bool> offered_{false};
  detail::atomic<bool> has_executor_{false};  // released once executor_ is set, acquired before it is used
  asio_library::any_io_executor executor_;
  bool canceled_ = false;
};

/// An exception, read where the handler is called: the waiter has no part in how those who share it let go of it.
struct asio_exception {
  asio_exception(const std::exception_ptr& thrown) : why(thrown) {  // NOLINT: implicit
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const asio_system_error& e) {
      is_abort = e.code() == asio_library::error::operation_aborted;
    } catch (...) {  // of another kind
    }
  }
  error why;
  bool is_abort = false;
};

/// What the values of a handler are kept as.
template <class... Values>
struct asio_kept {
  using type = std::tuple<Values...>;
};
template <class... Rest>
struct asio_kept<std::exception_ptr, Rest...> {
  using type = std::tuple<asio_exception, Rest...>;
};

/// The wait, and what the operation has completed with.
template <class... Args>
struct asio_outcome : asio_wait {
  std::optional<typename asio_kept<std::decay_t<Args>...>::type> values;
};

template <class... Args>
class goroutine_handler {
 public:
  explicit goroutine_handler(asio_outcome<Args...>& to) noexcept : to_(&to) {}
  goroutine_handler(goroutine_handler&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
  goroutine_handler(const goroutine_handler&) = delete;
  goroutine_handler& operator=(const goroutine_handler&) = delete;
  ~goroutine_handler() {
    if (to_ != nullptr) to_->completed();
  }

  template <class... Values>
  void operator()(Values&&... values) {
    try {
      to_->values.emplace(std::forward<Values>(values)...);
    } catch (...) {
      to_->thrown = detail::caught();
    }
    std::exchange(to_, nullptr)->completed();
  }

  [[nodiscard]] asio_wait& wait() const noexcept { return *to_; }

#if defined(TENON_ASIO_CANCELS)
  using cancellation_slot_type = asio_library::cancellation_slot;
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return to_->slot(); }
#endif

 private:
  asio_outcome<Args...>* to_;
};

/// Values with nothing, one or more in it, as a function returns them.
template <class... Values>
struct asio_values {
  using type = std::tuple<Values...>;
  static type of(std::tuple<Values...>&& all) { return std::move(all); }
};
template <class Value>
struct asio_values<Value> {
  using type = Value;
  static type of(std::tuple<Value>&& all) { return std::get<0>(std::move(all)); }
};

template <class... Values>
std::tuple<Values...> without_first(auto&& all) {
  return std::apply([](auto&&, auto&&... rest) { return std::tuple<Values...>(std::move(rest)...); }, std::move(all));
}

/// What a wait returns whose handler takes Args.
template <class... Args>
struct asio_return {
  static constexpr bool can_fail = false;
  using values = asio_values<Args...>;
  using type = typename values::type;
  static type make(std::tuple<Args...>&& all, const context&, bool) { return values::of(std::move(all)); }
  static type aborted() { throw asio_system_error(asio_library::error::operation_aborted); }
};
template <>
struct asio_return<> {
  static constexpr bool can_fail = false;
  using type = void;
  static void make(std::tuple<>&&, const context&, bool) {}
  static void aborted() { throw asio_system_error(asio_library::error::operation_aborted); }
};

template <class First, class... Rest>
struct fallible_return {
  static constexpr bool can_fail = true;
  using values = asio_values<Rest...>;
  using type = result<typename values::type>;
  static type make(std::tuple<First, Rest...>&& all, error why) {
    if (why) return why;
    return values::of(without_first<Rest...>(std::move(all)));
  }
  static type aborted() { return from_asio(asio_library::error::operation_aborted); }
};
template <class First>
struct fallible_return<First> {
  static constexpr bool can_fail = true;
  using type = error;
  static type make(std::tuple<First>&&, error why) { return why; }
  static type aborted() { return from_asio(asio_library::error::operation_aborted); }
};

template <class... Rest>
struct asio_return<asio_error_code, Rest...> : fallible_return<asio_error_code, Rest...> {
  using base = fallible_return<asio_error_code, Rest...>;
  static typename base::type make(std::tuple<asio_error_code, Rest...>&& all, const context& ctx, bool canceled) {
    error why = from_asio(std::get<0>(all));
    // Whatever it calls its end: channels have a code of their own for it.
    if (why && canceled) why = ctx.err();
    return base::make(std::move(all), std::move(why));
  }
};
template <class... Rest>
struct asio_return<std::exception_ptr, Rest...> : fallible_return<asio_exception, Rest...> {
  using base = fallible_return<asio_exception, Rest...>;
  static typename base::type make(std::tuple<asio_exception, Rest...>&& all, const context& ctx, bool canceled) {
    const asio_exception& first = std::get<0>(all);
    error why = canceled && first.is_abort ? ctx.err() : first.why;
    return base::make(std::move(all), std::move(why));
  }
};

/// The executor of the object that an operation's first argument leads to, or null: Beast's initiations say no other.
inline std::nullptr_t asio_executor_of_object() { return nullptr; }
template <class First, class... Rest>
auto asio_executor_of_object(const First& first, const Rest&...) {
  if constexpr (requires {
                  { first->get_executor() } -> std::convertible_to<asio_library::any_io_executor>;
                }) {
    return first->get_executor();
  } else {
    return nullptr;
  }
}

template <class... A>
inline constexpr bool asio_first_is_executor = false;
template <class First, class... Rest>
inline constexpr bool asio_first_is_executor<First, Rest...> =
    std::is_convertible_v<const First&, asio_library::any_io_executor>;
template <class First, class... Rest>
const First& asio_first(const First& first, const Rest&...) {
  return first;
}

/// Where an operation is to be started: the executor of its object, or one that was bound to the token; null if neither is known. Wrapped tokens wrap
/// the initiation, too.
template <class Initiation, class... InitArgs>
auto asio_executor_of(const Initiation& initiation, const InitArgs&... args) {
  if constexpr (asio_first_is_executor<InitArgs...>) {
    return asio_first(args...);  // bind_executor's, since Asio 1.32
  } else if constexpr (requires { initiation.get_executor(); }) {
    return initiation.get_executor();
  } else if constexpr (requires {
                         initiation.ex_;
                         initiation.initiation_;
                       }) {
    return initiation.ex_;  // bind_executor
  } else if constexpr (requires { initiation.initiation_; }) {
    return asio_executor_of(initiation.initiation_, args...);
  } else {
    return asio_executor_of_object(args...);
  }
}

/// The start of an operation, which may be carried to its executor, and dropped there.
template <class Initiation, class Outcome, class Handler, class... InitArgs>
class asio_start {
 public:
  /// What it refers to stays: the wait ends after the start does.
  asio_start(Initiation& initiation, Outcome& outcome, InitArgs&... args) noexcept
      : initiation_(&initiation), outcome_(&outcome), handler_(outcome), args_(args...) {}
  asio_start(asio_start&& other) noexcept
      : initiation_(other.initiation_),
        outcome_(std::exchange(other.outcome_, nullptr)),
        handler_(std::move(other.handler_)),
        args_(other.args_) {}
  asio_start(const asio_start&) = delete;
  asio_start& operator=(const asio_start&) = delete;
  ~asio_start() {
    if (outcome_ != nullptr) outcome_->started();
  }

  void operator()() {
    try {
      std::apply([this](auto&... args) { std::move (*initiation_)(std::move(handler_), std::move(args)...); }, args_);
    } catch (...) {
      outcome_->thrown = detail::caught();
    }
  }

 private:
  Initiation* initiation_;
  Outcome* outcome_;
  Handler handler_;
  std::tuple<InitArgs&...> args_;
};

/// Starts an operation, in its object's executor if the initiation says which that is, and waits for it.
template <class... Args, class Initiation, class... InitArgs>
typename asio_return<std::decay_t<Args>...>::type await_asio(const use_goroutine_t& token, Initiation& initiation,
                                                             InitArgs&... args) {
  using returns = asio_return<std::decay_t<Args>...>;
  const context ctx = token.ctx() != nullptr ? *token.ctx() : this_goroutine::context();
  if constexpr (returns::can_fail) {
    if (error e = ctx.err()) return e;
  }
  using outcome_type = asio_outcome<Args...>;
  outcome_type outcome;
  outside_waker(+1);
  asio_start<Initiation, outcome_type, goroutine_handler<Args...>, InitArgs...> start(initiation, outcome, args...);
  const auto ex = asio_executor_of(initiation, args...);
  if constexpr (std::is_null_pointer_v<std::remove_const_t<decltype(ex)>>) {
    auto here = std::move(start);  // it ends with this scope
    here();
  } else {
    outcome.offer(ex);
    asio_library::dispatch(ex, std::move(start));
  }
  outcome.wait(ctx);
  if (outcome.thrown) std::rethrow_exception(outcome.thrown);
  if (!outcome.values) return returns::aborted();
  return returns::make(*std::move(outcome.values), ctx, outcome.was_canceled());
}

}  // namespace TENON_ASIO_INLINE_NAMESPACE
}  // namespace detail
}  // namespace tenon

// Doxygen does not follow the alias:
/// @cond
template <class R, class... Args>
class tenon::detail::asio_library::async_result<tenon::use_goroutine_t, R(Args...)> {
 public:
  using return_type = typename tenon::detail::asio_return<std::decay_t<Args>...>::type;

  template <class Initiation, class Token, class... InitArgs>
  static return_type initiate(Initiation&& initiation, const Token& token, InitArgs&&... args) {
    auto started = std::forward<Initiation>(initiation);
    return tenon::detail::await_asio<Args...>(token, started, args...);
  }
};

template <class... Args, class Executor>
struct tenon::detail::asio_library::associated_executor<tenon::detail::goroutine_handler<Args...>, Executor> {
  using type = Executor;
  static type get(const tenon::detail::goroutine_handler<Args...>& handler, const Executor& ex = Executor()) noexcept {
    handler.wait().offer(ex);
    return ex;
  }
};
/// @endcond
