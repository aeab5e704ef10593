#pragma once

/// `net::tcp_listener`: accepts connections of TCP.
///
/// Go counterpart: `net.Listen("tcp", address)`, `net.TCPListener`.
///
///     auto at = tn::net::tcp_listener::listen(":8080");
///     if (!at) return at.err();
///     while (auto peer = at->accept(ctx)) connections.go([p = *std::move(peer)](tn::context c) mutable { return serve(c, std::move(p)); });
///
/// `accept` blocks until there is a connection, or `ctx` ends, or the listener is closed by another goroutine (`errc::closed`). A connection that has
/// gone before it was accepted is left out. Out of descriptors (`std::errc::too_many_files_open`): an error; the connection waits in the system's queue, and the next `accept` may
/// get it. Accepted streams have the options of the listener: nodelay and keep-alive.
///
/// Thread-safe, but for moves and destruction; several may accept at once.

#include <string_view>

#include <tenon/net/address.hpp>
#include <tenon/net/tcp_stream.hpp>

namespace tenon::net {

struct listen_options {
  int backlog = 4096;       ///< as many wait to be accepted; the system has a limit (net.core.somaxconn)
  bool reuse_port = false;  ///< several listeners, of several processes, share one port (SO_REUSEPORT)
  bool only_v6 = false;     ///< [::] does not take connections of version 4
};

class tcp_listener {
 public:
  /// Closed.
  tcp_listener() noexcept = default;
  tcp_listener(tcp_listener&&) noexcept = default;
  tcp_listener& operator=(tcp_listener&&) noexcept = default;
  ~tcp_listener() = default;

  /// "127.0.0.1:80", "[::1]:80"; without a host, ":80", on all addresses of both versions. Port 0: a free one, see `local`. Names are not looked up. Does not block.
  static result<tcp_listener> listen(std::string_view address, const listen_options& options = {});
  static result<tcp_listener> listen(const endpoint& at, const listen_options& options = {});
  /// Takes over a listening socket (of systemd's, say), which is put into non-blocking mode. Of another kind: an error; the caller keeps it.
  static result<tcp_listener> adopt(int fd);

  result<tcp_stream> accept(const context& ctx);
  result<tcp_stream> accept();

  [[nodiscard]] result<endpoint> local() const;
  error close();
  /// Blocks until it is closed, by another goroutine; or `ctx` ends, whose error is returned; or it cannot be watched (no memory, or a limit of the
  /// system's), which is returned, too.
  error wait_closed(const context& ctx);
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] int native_handle() const noexcept;
  result<int> release();

 private:
  friend struct detail::access;
  explicit tcp_listener(detail::socket_ptr s) noexcept : socket_(std::move(s)) {}
  detail::socket_ptr socket_;
};

}  // namespace tenon::net
