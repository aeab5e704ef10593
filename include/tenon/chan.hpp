#pragma once

/// Channels: typed conduits through which goroutines, and plain OS threads, hand values and their ownership to each other.
///
/// Go counterpart: `chan T`, `<-chan T`, `chan<- T`, `make`, `close`, `len`, `cap`, `range`.
///
///     auto squares = tn::make_chan<int>();              // unbuffered: a send waits for its receiver
///     g.go([squares] {
///       for (int n = 1; n <= 3; ++n) squares.send(n * n);
///       squares.close();
///     });
///     for (int s : squares) std::cout << s << '\n';     // until closed and drained
///
/// (A group's `produce` does the same with less to get wrong.)
///
/// **Handles.** `chan<T>`, `send_chan<T>` and `recv_chan<T>` are references to one shared channel: copying a handle does
/// not copy the channel, the channel lives as long as its last handle. A default-constructed handle is Go's nil channel:
/// send and receive on it block for ever (with a context: until that is canceled), and in a `select` its case never fires.
///
/// **Blocking.** `send` blocks while the buffer is full (unbuffered: until a receiver takes the value), `recv` while it is
/// empty. The forms that take a context also end when it is canceled; if it is canceled already they do nothing else.
///
/// **Close.** Only the sending side can close; `recv` then drains the buffer and afterwards returns `nullopt` at once, for
/// ever. Sending on a closed channel, closing twice and closing the nil channel are panics, with Go's texts.
///
/// **Values** move: `send` takes by value, `recv` moves out. T must be nothrow-move-constructible (checked). T's move
/// constructor and the destructor of what was moved from run while the channel is locked: they must not use tenon.
///
/// **Thread safety.** Every member may be called from any number of goroutines and OS threads on the same channel. As with a
/// `shared_ptr`, one *handle object* must not be assigned while another thread uses that same handle object.
///
/// **Happens-before.** A send happens before the receive that gets its value completes; a close before a receive that
/// returns because of it; the k-th receive from a channel of capacity C before the (k+C)-th send completes.

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include <tenon/detail/chan_core.hpp>

namespace tenon {

class context;
class within;
namespace detail {
/// The channel that `ctx` closes when it is canceled; null for one that never is. Valid as long as `ctx`.
chan_core* done_core(const context& ctx);
/// The same, counted.
chan_ref done_ref(const context& ctx);
}  // namespace detail

template <class T>
class chan;
template <class T>
class send_chan;
template <class T>
class recv_chan;

namespace detail {

/// Both are kept: the channel by its handle, the cancellation by its done channel.
template <class T, class Self>
class range_of;

template <class T>
std::optional<T> take(raw_storage<T>& slot, bool ok) noexcept {
  if (!ok) return std::nullopt;
  std::optional<T> out(std::move(slot.value));
  slot.value.~T();
  return out;
}

/// What a `chan`, a `send_chan` and a `sender` can do.
template <class T, class Self>
class sends {
 public:
  using value_type = T;

  /// Blocks until the value is in the buffer or with a receiver. Throws `panic("send on closed channel")`.
  void send(T value) const { chan_send(core(), std::addressof(value)); }

  /// As above, or until `ctx` is canceled: then false, and `value` is untouched.
  [[nodiscard]] bool send(const context& ctx, T&& value) const {
    return chan_send_or_done(core(), std::addressof(value), done_core(ctx));
  }
  [[nodiscard]] bool send(const context& ctx, const T& value) const
    requires std::is_copy_constructible_v<T>
  {
    T copy(value);
    return send(ctx, std::move(copy));
  }

  /// Never blocks: true if the value went. If not, `value` is untouched. Go: `select { case c <- v: default: }`.
  [[nodiscard]] bool try_send(T&& value) const {
    return chan_try_send(core(), std::addressof(value)) == try_result::done;
  }
  [[nodiscard]] bool try_send(const T& value) const
    requires std::is_copy_constructible_v<T>
  {
    T copy(value);
    return try_send(std::move(copy));
  }

 private:
  chan_core* core() const noexcept { return chan_access::core(static_cast<const Self&>(*this)); }
};

/// The same for `chan<void>`: a signal without a value.
template <class Self>
class sends<void, Self> {
 public:
  using value_type = void;

  void send() const {
    nothing signal;
    chan_send(core(), &signal);
  }
  [[nodiscard]] bool send(const context& ctx) const {
    nothing signal;
    return chan_send_or_done(core(), &signal, done_core(ctx));
  }
  [[nodiscard]] bool try_send() const {
    nothing signal;
    return chan_try_send(core(), &signal) == try_result::done;
  }

 private:
  chan_core* core() const noexcept { return chan_access::core(static_cast<const Self&>(*this)); }
};

/// What a loop over a channel steps through: single pass, one value at a time, which may be moved from. It holds the channel, as Go's `range`
/// does: the body may set the handle to nil, or to another channel.
template <class T>
class received {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  received() = default;
  received(chan_core* from, chan_core* done) : from_(chan_access::share(from)), done_(done) { ++*this; }
  received(received&&) noexcept = default;
  received& operator=(received&&) noexcept = default;
  received(const received&) = delete;
  received& operator=(const received&) = delete;
  ~received() = default;

  T&& operator*() const noexcept { return std::move(*value_); }
  received& operator++() {
    value_.reset();
    raw_storage<T> slot;
    if (done_ == nullptr ? chan_recv(from_.get(), &slot) : chan_recv_or_done(from_.get(), &slot, done_)) {
      value_.emplace(std::move(slot.value));
      slot.value.~T();
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const received& it, std::default_sentinel_t) noexcept { return !it.value_.has_value(); }

 private:
  chan_ref from_;
  chan_core* done_ = nullptr;  // the range's
  mutable std::optional<T> value_;
};

/// What both a `chan` and a `recv_chan` can do.
template <class T, class Self>
class receives {
 public:
  using value_type = T;

  /// Blocks until there is a value; `nullopt` once the channel is closed and drained.
  [[nodiscard]] std::optional<T> recv() const {
    raw_storage<T> slot;
    return take(slot, chan_recv(core(), &slot));
  }

  /// As above, or until `ctx` is canceled; `nullopt` says closed *or* canceled, and `ctx.err()` which:
  /// `while (auto v = in.recv(ctx)) …; return ctx.err();`
  [[nodiscard]] std::optional<T> recv(const context& ctx) const {
    raw_storage<T> slot;
    return take(slot, chan_recv_or_done(core(), &slot, done_core(ctx)));
  }

  /// Never blocks: a value if one was there; `nullopt` if none is, closed or not. A `select` with `otherwise` tells the two
  /// apart.
  [[nodiscard]] std::optional<T> try_recv() const {
    raw_storage<T> slot;
    return take(slot, chan_try_recv(core(), &slot) == try_result::done);
  }

  /// `for (T v : c)` receives until the channel is closed and drained.
  using iterator = received<T>;
  [[nodiscard]] iterator begin() const { return iterator(core(), nullptr); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// `for (T v : c.range(ctx))` receives until then, or until `ctx` is canceled; after the loop `return ctx.err();` tells which.
  auto range(within&&) const = delete;  // with_timeout: it is kept
  [[nodiscard]] auto range(const context& ctx) const { return range_of<T, Self>(static_cast<const Self&>(*this), ctx); }

 private:
  chan_core* core() const noexcept { return chan_access::core(static_cast<const Self&>(*this)); }
};

template <class Self>
class receives<void, Self> {
 public:
  using value_type = void;

  /// Blocks until there is a signal (true) or the channel is closed and drained (false).
  bool recv() const {
    nothing slot;
    return chan_recv(core(), &slot);
  }
  /// As above, or until `ctx` is canceled: then false, too.
  [[nodiscard]] bool recv(const context& ctx) const {
    nothing slot;
    return chan_recv_or_done(core(), &slot, done_core(ctx));
  }
  [[nodiscard]] bool try_recv() const {
    nothing slot;
    return chan_try_recv(core(), &slot) == try_result::done;
  }

 private:
  chan_core* core() const noexcept { return chan_access::core(static_cast<const Self&>(*this)); }
};

/// What a `chan` and a `send_chan` can do, and a `sender` does at its end.
template <class Self>
class closes {
 public:
  /// No more values will come. Wakes every blocked receiver; a blocked sender panics. Never blocks.
  void close() const { chan_close(chan_access::core(static_cast<const Self&>(*this))); }
};

/// What all three handles share.
template <class Self>
class handle {
 public:
  /// Number of buffered values, and room for them: a snapshot. 0 for the nil channel.
  [[nodiscard]] std::size_t len() const noexcept { return chan_len(core()); }
  [[nodiscard]] std::size_t cap() const noexcept { return chan_cap(core()); }

  /// False for the nil channel.
  explicit operator bool() const noexcept { return core() != nullptr; }

 private:
  chan_core* core() const noexcept { return chan_access::core(static_cast<const Self&>(*this)); }
};

}  // namespace detail

/// Both directions. Convert it to the direction that a function needs: the signature then says who may close.
template <class T>
class chan : public detail::sends<T, chan<T>>,
             public detail::receives<T, chan<T>>,
             public detail::closes<chan<T>>,
             public detail::handle<chan<T>> {
 public:
  using value_type = T;
  chan() noexcept = default;
  chan(std::nullptr_t) noexcept {}  // NOLINT: `c = nullptr` as Go's `c = nil`
  friend bool operator==(const chan& a, const chan& b) noexcept { return a.ref_.get() == b.ref_.get(); }

 private:
  friend struct detail::chan_access;
  friend class send_chan<T>;
  friend class recv_chan<T>;
  explicit chan(detail::chan_ref ref) noexcept : ref_(std::move(ref)) {}
  detail::chan_ref ref_;
};

/// The sending side: `send`, `close`. Go: `chan<- T`.
template <class T>
class send_chan : public detail::sends<T, send_chan<T>>,
                  public detail::closes<send_chan<T>>,
                  public detail::handle<send_chan<T>> {
 public:
  using value_type = T;
  send_chan() noexcept = default;
  send_chan(std::nullptr_t) noexcept {}                         // NOLINT
  send_chan(const chan<T>& c) noexcept : ref_(c.ref_) {}        // NOLINT: directions narrow implicitly, as in Go
  send_chan(chan<T>&& c) noexcept : ref_(std::move(c.ref_)) {}  // NOLINT
  friend bool operator==(const send_chan& a, const send_chan& b) noexcept { return a.ref_.get() == b.ref_.get(); }

 private:
  friend struct detail::chan_access;
  explicit send_chan(detail::chan_ref ref) noexcept : ref_(std::move(ref)) {}
  detail::chan_ref ref_;
};

/// The receiving side: `recv`, iteration. It has no `send` and no `close`: closing from the receiver does not compile.
/// Go: `<-chan T`.
template <class T>
class recv_chan : public detail::receives<T, recv_chan<T>>, public detail::handle<recv_chan<T>> {
 public:
  using value_type = T;
  recv_chan() noexcept = default;
  recv_chan(std::nullptr_t) noexcept {}                         // NOLINT
  recv_chan(const chan<T>& c) noexcept : ref_(c.ref_) {}        // NOLINT
  recv_chan(chan<T>&& c) noexcept : ref_(std::move(c.ref_)) {}  // NOLINT
  friend bool operator==(const recv_chan& a, const recv_chan& b) noexcept { return a.ref_.get() == b.ref_.get(); }

 private:
  friend struct detail::chan_access;
  explicit recv_chan(detail::chan_ref ref) noexcept : ref_(std::move(ref)) {}
  detail::chan_ref ref_;
};

namespace detail {

template <class T, class Self>
class range_of {
 public:
  range_of(Self from, const context& ctx) : from_(std::move(from)), done_(done_ref(ctx)) {}
  [[nodiscard]] received<T> begin() const { return {chan_access::core(from_), done_.get()}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  Self from_;
  chan_ref done_;
};

/// Not constexpr: naming it in a constant expression is the error that the user sees.
void a_capacity_above_1_wants_its_reason();

/// Its name is what compilers print where a capacity is known at run time only.
struct constant_0_or_1_else_give_a_reason {
  int n;
  consteval constant_0_or_1_else_give_a_reason(const int& capacity)
      : n(capacity) {  // NOLINT: implicit, `make_chan<T>(1)`
    if (capacity < 0 || capacity > 1) a_capacity_above_1_wants_its_reason();
  }
};

}  // namespace detail

/// Makes a channel: unbuffered, or with one item of slack. Never blocks. Throws `std::bad_alloc`. Go: `make(chan T)`.
template <class T>
[[nodiscard]] chan<T> make_chan(detail::constant_0_or_1_else_give_a_reason capacity = 0) {
  return detail::chan_access::adopt<chan<T>>(detail::chan_make(detail::elem_traits<T>::ops, capacity.n, nullptr));
}

/// Any other capacity wants its reason: what keeps the buffer from filling up and blocking its senders. The reason is copied; dumps print
/// it. Throws `panic("makechan: size out of range")` for a negative or impossible capacity.
template <class T>
[[nodiscard]] chan<T> make_chan(std::int64_t capacity, std::string_view why_it_cannot_fill_up) {
  return detail::chan_access::adopt<chan<T>>(
      detail::chan_make(detail::elem_traits<T>::ops, capacity, &why_it_cannot_fill_up));
}

/// Receives and discards until `c` is closed and drained, so that those who still send are not stuck; returns how many there were. After a
/// stop, for a stage that has canceled those before it and wants to see them gone. With a context: or until that is canceled.
/// Blocks. Go: `for range c {}`.
template <class C>
  requires requires(const C& c) { c.recv(); }
std::size_t drain(const C& c) {
  std::size_t n = 0;
  while (c.recv()) ++n;
  return n;
}
template <class C>
  requires requires(const C& c) { c.recv(); }
std::size_t drain(const context& ctx, const C& c) {
  std::size_t n = 0;
  while (c.recv(ctx)) ++n;
  return n;
}

}  // namespace tenon
