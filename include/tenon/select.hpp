#pragma once

/// `select`: waits for several channel operations and performs exactly one.
///
/// Go counterpart: `select`. Blocks until a case can proceed and picks uniformly among those that can; with `otherwise` (Go: `default`)
/// it never blocks. The cases are objects with names, made once and used again in every round; after `select` the one that fired is true.
///
///     auto next = tn::recv(in);
///     auto stop = tn::recv(ctx.done());
///     for (;;) {
///       tn::select(next, stop);
///       if (stop) return ctx.err();
///       if (next.closed()) return nullptr;      // `in` is closed and drained
///       use(*next);
///     }
///
/// The order of the cases carries no meaning. `select` also returns the index of the case that fired, in the order written, for a
/// `switch`; `otherwise` counts as one. A number of cases known only at run time is a span of pointers to them. Without any case `select`
/// blocks for ever.
///
/// **Cases.** A case on the nil channel never fires; `disable()` makes one of any case, as Go's `c = nil` does. A receive case fires when
/// its channel is closed; a send case on a closed channel throws `panic("send on closed channel")`. A case made from an lvalue channel
/// borrows the channel, not the handle: the caller must keep the channel alive. One made from an rvalue owns it.
///
/// **Values.** What a receive case got is in the case (`*next`, move from it freely) until its next round. What a send case will send
/// is in the case, too: `set(v)` before the next round, `take()` for what was not sent. Values move, and what was moved from is destroyed,
/// while the channel is locked; nothing else of the user's runs there.
///
/// **Cancellation** is a case: `recv(ctx.done())`. Usable from goroutines and OS threads alike; one case object belongs to one of them at
/// a time. What happens before a send or close happens before the end of the select that sees it.

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include <tenon/chan.hpp>

namespace tenon {

class select_case;
struct otherwise_t;
template <class T>
class sender;

namespace detail {

struct select_access;

struct select_result {
  std::size_t index;  // the number of cases: none could proceed (only with a default)
  bool ok;            // a receive got a value, a send took place; false: the channel is closed
};

/// One operation with a default: index 0 if it took place, else 1. Takes no lock when it cannot.
select_result try_op(const select_op& op);
select_result select_ops(const select_op* const* ops, std::size_t n, bool has_default);
std::size_t select_span(std::span<select_case* const> cases, bool has_default);
[[noreturn]] void send_case_is_empty();
[[noreturn]] void recv_case_is_empty(bool fired);

}  // namespace detail

/// What all cases are: one operation on one channel, and whether the last `select` performed it.
class select_case {
 public:
  /// The last `select` of this case performed it.
  explicit operator bool() const noexcept { return fired_; }

  /// From now on it never fires, as if its channel were nil. Assign a new case to bring it back.
  void disable() noexcept {
    op_.chan = nullptr;
    owned_ = {};
  }

 protected:
  select_case(bool is_send, detail::chan_core* borrowed, void* elem, void (*destroy)(void*) noexcept) noexcept
      : op_{borrowed, elem, is_send}, destroy_(destroy) {}
  select_case(const select_case&) = delete;
  select_case& operator=(const select_case&) = delete;
  ~select_case() = default;

  /// The base of a moved case; its value is the derived class's to move.
  select_case(select_case&& other, void* elem) noexcept
      : op_{other.op_.chan, elem, other.op_.is_send},
        destroy_(other.destroy_),
        owned_(std::move(other.owned_)),
        fired_(std::exchange(other.fired_, false)),
        full_(std::exchange(other.full_, false)) {
    other.op_.chan = nullptr;
  }
  void take_over(select_case& other) noexcept {
    op_.chan = std::exchange(other.op_.chan, nullptr);
    owned_ = std::move(other.owned_);
    fired_ = std::exchange(other.fired_, false);
    full_ = std::exchange(other.full_, false);
  }
  void own(detail::chan_ref c) noexcept { owned_ = std::move(c); }
  void clear() noexcept {
    if (!full_) return;
    full_ = false;
    if (destroy_ != nullptr) destroy_(op_.elem);
  }

  friend struct detail::select_access;
  detail::select_op op_;
  void (*destroy_)(void*) noexcept;  // null: nothing to do
  detail::chan_ref owned_;
  bool fired_ = false;
  bool full_ = false;  // there is a value at op_.elem
};

namespace detail {

struct select_access {
  /// Before a round.
  static const select_op* begin(select_case& c) {
    c.fired_ = false;
    if (!c.op_.is_send) {
      c.clear();
    } else if (!c.full_ && c.op_.chan != nullptr) {
      send_case_is_empty();
    }
    return &c.op_;
  }
  /// After it, for the one that fired.
  static void fire(select_case& c, bool ok) noexcept {
    c.fired_ = true;
    if (c.op_.is_send) {
      if (c.op_.elem != &c) c.clear();  // what is left of it after the move
    } else {
      c.full_ = ok;
    }
  }
};

/// A case that holds a T: what was received, or is to be sent.
template <class T>
class case_with_value : public select_case {
 protected:
  case_with_value(bool is_send, chan_core* c) noexcept : select_case(is_send, c, &slot_, elem_traits<T>::ops.destroy) {}
  case_with_value(case_with_value&& other) noexcept : select_case(std::move(other), &slot_) { adopt(other); }
  case_with_value& operator=(case_with_value&& other) noexcept {
    if (this == &other) return *this;
    clear();
    take_over(other);
    adopt(other);
    return *this;
  }
  ~case_with_value() { clear(); }

  void fill(T&& value) noexcept {
    clear();
    ::new (static_cast<void*>(&slot_.value)) T(std::move(value));
    full_ = true;
  }
  T& value() noexcept { return slot_.value; }

 private:
  void adopt(case_with_value& other) noexcept {
    if (!full_) return;
    ::new (static_cast<void*>(&slot_.value)) T(std::move(other.slot_.value));
    other.slot_.value.~T();
  }
  raw_storage<T> slot_;
};

template <>
class case_with_value<void> : public select_case {
 protected:
  case_with_value(bool is_send, chan_core* c) noexcept : select_case(is_send, c, is_send ? this : nullptr, nullptr) {
    full_ = is_send;
  }
  case_with_value(case_with_value&& other) noexcept
      : select_case(std::move(other), other.op_.is_send ? this : nullptr) {}
  case_with_value& operator=(case_with_value&& other) noexcept {
    if (this != &other) take_over(other);
    return *this;
  }
  ~case_with_value() = default;
};

}  // namespace detail

/// Receives. True after the select that performed it; then `closed()`, or there is a value. Made by `recv(c)`.
template <class T>
class recv_case : public detail::case_with_value<T> {
 public:
  recv_case(detail::chan_core* c, detail::chan_ref owned) noexcept : detail::case_with_value<T>(false, c) {
    this->own(std::move(owned));
  }

  /// It fired because its channel is closed and drained.
  [[nodiscard]] bool closed() const noexcept { return this->fired_ && !this->full_; }

  /// What was received. A panic if there is nothing.
  [[nodiscard]] std::add_lvalue_reference_t<T> operator*()
    requires(!std::is_void_v<T>)
  {
    if (!this->full_) detail::recv_case_is_empty(this->fired_);
    return this->value();
  }
  [[nodiscard]] T* operator->()
    requires(!std::is_void_v<T>)
  {
    return std::addressof(**this);
  }
};

/// Sends. True after the select that performed it. Made by `send(c, v)`.
template <class T>
class send_case : public detail::case_with_value<T> {
 public:
  send_case(detail::chan_core* c, detail::chan_ref owned, T&& value) noexcept : detail::case_with_value<T>(true, c) {
    this->own(std::move(owned));
    this->fill(std::move(value));
  }

  /// What the next select is to send.
  void set(T value) noexcept { this->fill(std::move(value)); }

  /// The value that was not sent; the case is empty then, and `set` fills it. Of an empty case, a panic.
  [[nodiscard]] T take() {
    if (!this->full_) detail::send_case_is_empty();
    T out(std::move(this->value()));
    this->clear();
    return out;
  }
};

template <>
class send_case<void> : public detail::case_with_value<void> {
 public:
  send_case(detail::chan_core* c, detail::chan_ref owned) noexcept : detail::case_with_value<void>(true, c) {
    own(std::move(owned));
  }
};

/// Go's `default`: a select with it never blocks, and returns its index when no case could proceed.
struct otherwise_t {
  explicit otherwise_t() = default;
};
inline constexpr otherwise_t otherwise{};

namespace detail {

template <class C, class T>
concept receives_from = std::same_as<C, chan<T>> || std::same_as<C, recv_chan<T>>;
template <class C, class T>
concept sends_to = std::same_as<C, chan<T>> || std::same_as<C, send_chan<T>> || std::same_as<C, sender<T>>;
template <class C>
using value_of = typename std::remove_cvref_t<C>::value_type;

template <class C>
concept a_case = std::derived_from<std::remove_cvref_t<C>, select_case>;
template <class C>
concept a_default = std::same_as<std::remove_cvref_t<C>, otherwise_t>;

template <class C>
const select_op* begin_case(C& c) {
  if constexpr (a_default<C>) {
    static constexpr select_op never{};
    return &never;
  } else {
    return select_access::begin(c);
  }
}

}  // namespace detail

/// The case that receives from `c`.
template <class C>
  requires detail::receives_from<std::remove_cvref_t<C>, detail::value_of<C>>
[[nodiscard]] recv_case<detail::value_of<C>> recv(C&& c) noexcept {
  return {detail::chan_access::core(c), detail::chan_access::keep(std::forward<C>(c))};
}

/// The case that sends `value` to `c`: a `chan`, `send_chan` or `sender`.
template <class C>
  requires detail::sends_to<std::remove_cvref_t<C>, detail::value_of<C>>
[[nodiscard]] send_case<detail::value_of<C>> send(C&& c, std::type_identity_t<detail::value_of<C>> value) noexcept {
  return {detail::chan_access::core(c), detail::chan_access::keep(std::forward<C>(c)), std::move(value)};
}
template <class C>
  requires detail::sends_to<std::remove_cvref_t<C>, void>
[[nodiscard]] send_case<void> send(C&& c) noexcept {
  return {detail::chan_access::core(c), detail::chan_access::keep(std::forward<C>(c))};
}

/// Waits for one of the cases, and at most one `otherwise`; performs it and returns its index.
template <class... Cases>
  requires((detail::a_case<Cases> || detail::a_default<Cases>) && ...)
std::size_t select(Cases&&... cases) {
  constexpr std::size_t n = sizeof...(Cases);
  constexpr bool is_default[n + 1] = {detail::a_default<Cases>..., false};
  constexpr std::size_t defaults = (0 + ... + std::size_t{detail::a_default<Cases>});
  static_assert(defaults <= 1, "select: more than one `otherwise`");
  const detail::select_op* const ops[n + 1] = {detail::begin_case(cases)..., nullptr};
  constexpr std::size_t at = [&] {
    std::size_t i = 0;
    while (i < n && !is_default[i]) ++i;
    return i;
  }();
  detail::select_result r{};
  if constexpr (n == 2 && defaults == 1) {
    r = detail::try_op(*ops[1 - at]);
    r.index = r.index == 0 ? 1 - at : at;
  } else {
    r = detail::select_ops(ops, n, defaults == 1);
    if (r.index == n) r.index = at;
  }
  [[maybe_unused]] std::size_t i = 0;
  (
      [&](auto& c) {
        if constexpr (!detail::a_default<decltype(c)>) {
          if (r.index == i) detail::select_access::fire(c, r.ok);
        }
        ++i;
      }(cases),
      ...);
  return r.index;
}

/// The same for a number of cases known only at run time; with `otherwise` the number of cases is its index.
std::size_t select(std::span<select_case* const> cases);
std::size_t select(std::span<select_case* const> cases, otherwise_t);

}  // namespace tenon
