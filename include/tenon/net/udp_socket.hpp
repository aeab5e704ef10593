#pragma once

/// `net::udp_socket`: datagrams of UDP.
///
/// Go counterpart: `net.UDPConn`.
///
///     auto at = tn::net::udp_socket::bind("127.0.0.1:0");
///     char text[1500];
///     auto got = at->receive_from(ctx, text);
///     if (got) (void)at->send_to(ctx, {text, got->size}, got->from);
///
/// `receive_from` blocks until there is a datagram, or `ctx` ends, or the socket is closed (`errc::closed`); `send` and
/// `send_to` while the system's buffer is full. One call, one datagram; an empty one is one, too. What does not fit is cut off, and `truncated` says so. A connected socket
/// gets datagrams of that peer alone, and may learn that there is no such port (`std::errc::connection_refused`).
///
/// Thread-safe, but for moves and destruction; several may receive and send at once.

#include <cstddef>
#include <string_view>

#include <tenon/net/address.hpp>
#include <tenon/net/stream.hpp>

namespace tenon::net {

struct datagram {
  std::size_t size = 0;
  endpoint from;
  bool truncated = false;
};

class udp_socket {
 public:
  /// Closed.
  udp_socket() noexcept = default;
  udp_socket(udp_socket&&) noexcept = default;
  udp_socket& operator=(udp_socket&&) noexcept = default;
  ~udp_socket() = default;

  /// As `tcp_listener::listen` takes it.
  static result<udp_socket> bind(std::string_view address);
  static result<udp_socket> bind(const endpoint& at);
  /// One that is bound to a free port and sends to `to`. Does not block.
  static result<udp_socket> connect(const endpoint& to);
  static result<udp_socket> adopt(int fd);

  result<datagram> receive_from(const context& ctx, mutable_buffer into);
  result<datagram> receive_from(mutable_buffer into);
  error send_to(const context& ctx, const_buffer from, const endpoint& to);
  error send_to(const_buffer from, const endpoint& to);
  /// To the peer that it is connected to.
  error send(const context& ctx, const_buffer from);
  error send(const_buffer from);

  [[nodiscard]] result<endpoint> local() const;
  error set_broadcast(bool on);
  error set_receive_buffer(int bytes);
  error set_send_buffer(int bytes);
  error close();
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] int native_handle() const noexcept;
  result<int> release();

 private:
  friend struct detail::access;
  explicit udp_socket(detail::socket_ptr s) noexcept : socket_(std::move(s)) {}
  detail::socket_ptr socket_;
};

}  // namespace tenon::net
