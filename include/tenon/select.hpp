#pragma once

/// `select`: waits for several channel operations and performs exactly one.
///
/// Go counterpart: `select`. Blocks until a case can proceed; picks uniformly among those that can; with `otherwise`
/// (Go: `default`) it never blocks. A case on a nil channel never fires; with no other case the caller blocks for ever. A
/// receive case fires when its channel is closed; a send case on a closed channel throws `panic`.
///
/// **Index form**: returns the index of the case that ran, in the order written.
///
///     std::optional<int> v;
///     switch (tenon::select(tenon::recv(in, v), tenon::recv(ctx.done()), tenon::send(out, 7))) {
///       case 0: if (!v) return; use(*v); break;   // nullopt: `in` is closed
///       case 1: return ctx.err();
///       case 2: break;
///     }
///
/// **Handler form**: a case may carry a function, which runs after the operation, outside every lock.
///
///     tenon::select(tenon::recv(in, [&](std::optional<int> v) { … }),
///                   tenon::otherwise([&] { … }));
///
/// **Span form**, for a number of cases known only at run time: `tenon::select(std::span(cases))` over
/// `tenon::select_case`s; everything a case refers to must outlive the call.
///
/// Cancellation is a case: `recv(ctx.done())`. Cases refer to their channels, targets and values and must not be kept
/// longer than those. A value that was not sent is untouched. Usable from goroutines and OS threads alike; thread-safe.

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <tuple>

#include <tenon/chan.hpp>

namespace tenon {

namespace detail {
struct select_access;
}

/// One case. Made by `recv`, `send` and `otherwise`; trivially copyable.
class select_case {
 public:
  enum class kind : std::uint8_t { recv, send, otherwise };

  select_case(kind k, detail::chan_core* c, void* data, detail::accept_fn accept) noexcept
      : op_{c, data, accept, k == kind::send}, is_otherwise_(k == kind::otherwise) {}

 private:
  friend struct detail::select_access;
  detail::select_op op_;  // of `otherwise`: a nil channel's
  bool is_otherwise_;
};

namespace detail {

struct select_access {
  static const select_op& op(const select_case& c) noexcept { return c.op_; }
  static bool is_otherwise(const select_case& c) noexcept { return c.is_otherwise_; }
};

/// One operation with `otherwise`: true if it took place. Takes no lock when it cannot.
bool try_op(const select_op& op);

/// Returns the index of the operation that took place, or `otherwise` (n: there is none), whose operation is a nil channel's.
std::size_t select_ops(const select_op* const* ops, std::size_t n, std::size_t otherwise);

template <class T>
void accept_optional(void* out, void* src) noexcept {
  auto& v = *static_cast<std::optional<T>*>(out);
  if (src == nullptr) {
    v.reset();
  } else {
    v.emplace(std::move(*static_cast<T*>(src)));
  }
}
template <class T>
void accept_value(void* out, void* src) noexcept {
  auto& v = *static_cast<T*>(out);
  if (src == nullptr) {
    v = T();
  } else {
    v = std::move(*static_cast<T*>(src));
  }
}
inline void accept_nothing(void*, void*) noexcept {}

/// A send case that owns the copy it sends: for an lvalue whose copy could throw.
template <class T>
class owning_send_case : public select_case {
 public:
  owning_send_case(chan_core* c, const T& v) : select_case(kind::send, c, &value_, nullptr), value_(v) {}
  owning_send_case(const owning_send_case&) = delete;  // its base points into it
  owning_send_case& operator=(const owning_send_case&) = delete;

 private:
  T value_;
};

template <class T, class F>
class recv_handler_case : public select_case {
 public:
  recv_handler_case(chan_core* c, F f) : select_case(kind::recv, c, &value_, &accept_optional<T>), f_(std::move(f)) {}
  recv_handler_case(const recv_handler_case&) = delete;
  recv_handler_case& operator=(const recv_handler_case&) = delete;
  void run() { std::invoke(f_, std::move(value_)); }

 private:
  std::optional<T> value_;
  F f_;
};

template <class Case, class F>
class then_case : public Case {
 public:
  template <class... A>
  explicit then_case(F f, A&&... a) : Case(std::forward<A>(a)...), f_(std::move(f)) {}
  void run() { std::invoke(f_); }

 private:
  F f_;
};

template <class C, class T>
concept recv_from = std::same_as<C, chan<T>> || std::same_as<C, recv_chan<T>>;
template <class C>
concept receivable = recv_from<C, typename C::value_type>;
template <class C>
concept sendable = std::same_as<C, chan<typename C::value_type>> || std::same_as<C, send_chan<typename C::value_type>>;

}  // namespace detail

/// Receive into an optional: `nullopt` when the channel is closed and drained.
template <detail::receivable C>
select_case recv(const C& c, std::optional<typename C::value_type>& v) noexcept {
  return {select_case::kind::recv, detail::chan_access::core(c), &v, &detail::accept_optional<typename C::value_type>};
}

/// Receive into a variable: a value-initialised T when the channel is closed and drained, as in Go.
template <detail::receivable C>
  requires std::is_nothrow_move_assignable_v<typename C::value_type> &&
           std::is_nothrow_default_constructible_v<typename C::value_type>
select_case recv(const C& c, typename C::value_type& v) noexcept {
  return {select_case::kind::recv, detail::chan_access::core(c), &v, &detail::accept_value<typename C::value_type>};
}

/// Receive and discard: for done channels.
template <detail::receivable C>
select_case recv(const C& c) noexcept {
  return {select_case::kind::recv, detail::chan_access::core(c), nullptr, &detail::accept_nothing};
}

/// Receive and pass it to `f(std::optional<T>)`.
template <detail::receivable C, std::invocable<std::optional<typename C::value_type>> F>
  requires(!std::same_as<std::remove_cvref_t<F>, std::optional<typename C::value_type>> &&
           !std::same_as<std::remove_cvref_t<F>, typename C::value_type>)
auto recv(const C& c, F&& f) {
  return detail::recv_handler_case<typename C::value_type, std::decay_t<F>>(detail::chan_access::core(c),
                                                                            std::forward<F>(f));
}

/// Send by moving from `v` if, and only if, this case fires.
template <detail::sendable C>
select_case send(const C& c, typename C::value_type&& v) noexcept {
  return {select_case::kind::send, detail::chan_access::core(c), std::addressof(v), nullptr};
}

/// Send a copy of `v`.
template <detail::sendable C>
  requires std::is_copy_constructible_v<typename C::value_type>
auto send(const C& c, const typename C::value_type& v) {
  using T = typename C::value_type;
  if constexpr (detail::elem_traits<T>::trivial) {
    return select_case(select_case::kind::send, detail::chan_access::core(c), const_cast<T*>(std::addressof(v)),
                       nullptr);
  } else {
    return detail::owning_send_case<T>(detail::chan_access::core(c), v);
  }
}

/// Send, then run `f()`.
template <detail::sendable C, std::invocable F>
auto send(const C& c, typename C::value_type&& v, F&& f) {
  return detail::then_case<select_case, std::decay_t<F>>(std::forward<F>(f), select_case::kind::send,
                                                         detail::chan_access::core(c),
                                                         static_cast<void*>(std::addressof(v)), nullptr);
}
template <detail::sendable C, std::invocable F>
  requires std::is_copy_constructible_v<typename C::value_type>
auto send(const C& c, const typename C::value_type& v, F&& f) {
  return detail::then_case<detail::owning_send_case<typename C::value_type>, std::decay_t<F>>(
      std::forward<F>(f), detail::chan_access::core(c), v);
}

/// Go's `default`: fires when no other case can. `otherwise` itself is the case; `otherwise(f)` runs `f`.
struct otherwise_t : select_case {
  otherwise_t() noexcept : select_case(kind::otherwise, nullptr, nullptr, nullptr) {}
  template <std::invocable F>
  auto operator()(F&& f) const {
    return detail::then_case<otherwise_t, std::decay_t<F>>(std::forward<F>(f));
  }
};
inline const otherwise_t otherwise;

/// Waits for one of the cases and returns its index.
template <class... Cases>
  requires(std::derived_from<std::remove_cvref_t<Cases>, select_case> && ...)
std::size_t select(Cases&&... cases) {
  constexpr std::size_t n = sizeof...(Cases);
  const detail::select_op* const ops[n + 1] = {&detail::select_access::op(cases)..., nullptr};
  constexpr bool is_default[n + 1] = {std::derived_from<std::remove_cvref_t<Cases>, otherwise_t>..., false};
  static_assert((0 + ... + int{std::derived_from<std::remove_cvref_t<Cases>, otherwise_t>}) <= 1,
                "select: more than one `otherwise`");
  std::size_t fired = 0;
  if constexpr (n == 2 && (is_default[0] || is_default[n - 1])) {
    constexpr std::size_t other = is_default[0] ? 1 : 0;
    fired = detail::try_op(*ops[other]) ? other : 1 - other;
  } else {
    // Not by type alone: a case that was kept in a select_case may be `otherwise`, too.
    std::size_t at = n;
    std::size_t k = 0;
    ((detail::select_access::is_otherwise(cases) ? void(at = k++) : void(++k)), ...);
    fired = detail::select_ops(ops, n, at);
  }
  [[maybe_unused]] std::size_t i = 0;
  (
      [&](auto& c) {
        if constexpr (requires { c.run(); }) {
          if (fired == i) c.run();
        }
        ++i;
      }(cases),
      ...);
  return fired;
}

/// The same for a number of cases known only at run time. An empty span blocks for ever.
std::size_t select(std::span<const select_case> cases);

}  // namespace tenon
