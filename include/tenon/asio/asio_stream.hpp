#pragma once

/// `asio_stream<S>`: a stream of `net` as the synchronous calls of Asio, and of what is built on it, take one: Beast's HTTP and WebSocket, `asio::ssl::stream`.
///
/// Go counterpart: `net.Conn` passed to `http.ReadRequest`, to `tls.Server`.
///
///     tn::asio_stream<tn::net::tcp_stream> peer(std::move(accepted));
///     peer.expires_after(30s);
///     beast::flat_buffer buffer;
///     http::request<http::string_body> request;
///     http::read(peer, buffer, request, ec);          // blocks the goroutine, and nothing else
///
///     asio::ssl::stream<tn::asio_stream<tn::net::tcp_stream&>> tls(stream, settings);
///     tls.handshake(asio::ssl::stream_base::client, ec);
///
/// S is `net::tcp_stream`, `net::unix_stream`, or a reference to one. It models SyncReadStream and SyncWriteStream: `read_some` and `write_some` take sequences of buffers, and either throw `system_error` or
/// set the code. They block as the stream's own do, and end with the context: that of the goroutine, or one that was set by `use(ctx)`.
///
/// **Codes.** `error::eof`; `operation_aborted` when the context was canceled; `timed_out` after its deadline, or what `expires_after` has set; `bad_descriptor` for a stream
/// that is closed; else the system's.
///
/// **Deadlines.** `expires_after(d)` bounds every call from now on until `expires_never()` or another: all of those that an `http::read` makes together.
///
/// `get_executor` is there because `ssl::stream` wants one; nothing runs in it. As thread-safe as the stream, which has to outlive it if S is a reference.

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <tenon/asio/library.hpp>
#include <tenon/context.hpp>
#include <tenon/net/stream.hpp>
#include <tenon/time_span.hpp>
#include <tenon/timer.hpp>

#if defined(TENON_ASIO_BOOST)
namespace boost::beast {
enum class role_type;
}
#endif

namespace tenon {
inline namespace TENON_ASIO_INLINE_NAMESPACE {

/// tenon's error as Asio has it.
inline detail::asio_error_code to_asio(const error& e) {
  namespace asio_error = detail::asio_library::error;
  if (!e) return {};
  if (e == net::eof()) return asio_error::eof;
  if (e.is(errc::canceled)) return asio_error::operation_aborted;
  if (e.is(errc::deadline_exceeded)) return asio_error::timed_out;
  if (e.is(net::errc::closed)) return asio_error::bad_descriptor;
  const std::error_code code = e.code();
  if (code.category() == std::system_category() || code.category() == std::generic_category())
    return {code.value(), asio_error::get_system_category()};
  return asio_error::fault;
}

template <class S>
class asio_stream {
 public:
  using next_layer_type = std::remove_reference_t<S>;
  using lowest_layer_type = asio_stream;
  using executor_type = detail::asio_library::io_context::executor_type;
  using error_code = detail::asio_error_code;

  template <class... Args>
    requires std::is_constructible_v<S, Args&&...>
  explicit asio_stream(Args&&... args) : next_(std::forward<Args>(args)...) {}
  asio_stream(asio_stream&&) = default;
  asio_stream& operator=(asio_stream&&) = default;

  [[nodiscard]] next_layer_type& next_layer() noexcept { return next_; }
  [[nodiscard]] const next_layer_type& next_layer() const noexcept { return next_; }
  [[nodiscard]] lowest_layer_type& lowest_layer() noexcept { return *this; }
  [[nodiscard]] const lowest_layer_type& lowest_layer() const noexcept { return *this; }
  [[nodiscard]] executor_type get_executor() const noexcept { return idle().get_executor(); }

  /// The context of the calls from now on; without it, that of the goroutine which calls.
  void use(context ctx) { ctx_ = std::move(ctx); }
  /// So long from now, on the clock of `tenon::now()`.
  void expires_after(time_span d) {
    const time_point now = tenon::now();
    const std::chrono::nanoseconds length = d;
    deadline_ = length > time_point::max() - now ? time_point::max() : now + length;
  }
  void expires_at(time_point t) { deadline_ = t; }
  void expires_never() noexcept { deadline_.reset(); }

  /// At least one byte, unless there is no room.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& into, error_code& ec) {
    const buffers<net::mutable_buffer> all(into);
    return call(ec, [&](const context& ctx) { return next_.read_some(ctx, all.get()); });
  }
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& into) {
    return or_throw([&](error_code& ec) { return read_some(into, ec); });
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& from, error_code& ec) {
    const buffers<net::const_buffer> all(from);
    return call(ec, [&](const context& ctx) { return next_.write_some(ctx, all.get()); });
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& from) {
    return or_throw([&](error_code& ec) { return write_some(from, ec); });
  }

  void close(error_code& ec) { ec = to_asio(next_.close()); }
  void close() {
    if (error e = next_.close()) throw detail::asio_system_error(to_asio(e));
  }
  [[nodiscard]] bool is_open() const noexcept { return next_.is_open(); }

 private:
  /// The first of a sequence of Asio's buffers, as many as one call of the system takes.
  template <class Buffer>
  class buffers {
   public:
    template <class Sequence>
    explicit buffers(const Sequence& sequence) noexcept {
      const auto end = detail::asio_library::buffer_sequence_end(sequence);
      for (auto b = detail::asio_library::buffer_sequence_begin(sequence); b != end && count_ < all_.size(); ++b) {
        const std::conditional_t<std::is_same_v<Buffer, net::mutable_buffer>, detail::asio_library::mutable_buffer,
                                 detail::asio_library::const_buffer>
            one(*b);
        if (one.size() != 0) all_[count_++] = Buffer(one.data(), one.size());
      }
    }
    [[nodiscard]] std::span<const Buffer> get() const noexcept { return {all_.data(), count_}; }

   private:
    std::array<Buffer, 16> all_;
    std::size_t count_ = 0;
  };

  /// Never run: it has the services that timers of `ssl::stream` ask for when they are made.
  static detail::asio_library::io_context& idle() {
    static detail::asio_library::io_context one;
    return one;
  }

  template <class Call>
  std::size_t call(error_code& ec, Call c) {
    const context ctx = ctx_ ? *ctx_ : this_goroutine::context();
    std::optional<cancel_scope> bound;
    if (deadline_) bound.emplace(with_deadline(ctx ? ctx : background(), *deadline_));
    const result<std::size_t> n = c(bound ? bound->ctx() : ctx);
    ec = to_asio(n.err());
    return n ? *n : 0;
  }

  template <class Call>
  static std::size_t or_throw(Call c) {
    error_code ec;
    const std::size_t n = c(ec);
    if (ec) throw detail::asio_system_error(ec);
    return n;
  }

  S next_;
  std::optional<context> ctx_;
  std::optional<time_point> deadline_;
};

template <class S>
asio_stream(S&&) -> asio_stream<S>;

#if defined(TENON_ASIO_BOOST)
/// For Beast's `websocket::stream`, which ends a connection by this: the peer is told that there is no more, and read until it has said so, too.
template <class S>
void teardown(::boost::beast::role_type, asio_stream<S>& stream, detail::asio_error_code& ec) {
  ec = to_asio(stream.next_layer().shutdown(net::shut::write));
  std::array<char, 4096> rest;  // NOLINT: filled by what is read, and dropped
  while (!ec) (void)stream.read_some(detail::asio_library::buffer(rest), ec);
  if (ec == detail::asio_library::error::eof) ec = {};
}
#endif

}  // namespace TENON_ASIO_INLINE_NAMESPACE
}  // namespace tenon
