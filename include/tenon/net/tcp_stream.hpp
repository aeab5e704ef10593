#pragma once

/// `net::tcp_stream`: a connection of TCP. What it reads and writes is in `net/stream.hpp`.
///
/// Go counterpart: `net.TCPConn`.
///
///     auto server = tn::net::dial(ctx, "example.org:80");
///     if (!server) return server.err();
///     if (tn::error e = server->write_all(ctx, "GET / HTTP/1.0\r\n\r\n")) return e;
///
/// As in Go, small writes are sent at once (TCP_NODELAY), and a peer that is gone without a word is noticed in the end (keep-alive after 15 s).

#include <chrono>
#include <optional>

#include <tenon/net/address.hpp>
#include <tenon/net/stream.hpp>

namespace tenon::net {

class tcp_stream : public stream {
 public:
  tcp_stream() noexcept = default;
  tcp_stream(tcp_stream&&) noexcept = default;
  tcp_stream& operator=(tcp_stream&&) noexcept = default;
  ~tcp_stream() = default;

  /// Connects to one address. `dial` takes names, and tries all that a name has.
  static result<tcp_stream> connect(const context& ctx, const endpoint& to);
  static result<tcp_stream> connect(const endpoint& to);

  /// Takes over a connected socket, which is put into non-blocking mode, and gets the options of any other stream. Where it is no socket of TCP, or a listener, the
  /// caller keeps it.
  static result<tcp_stream> adopt(int fd);

  [[nodiscard]] result<endpoint> local() const;
  /// Known also when the peer has gone, unless it had before `adopt`.
  [[nodiscard]] endpoint peer() const noexcept;

  /// False: small writes are collected for a moment (Nagle's algorithm).
  error set_nodelay(bool on);
  /// After `idle` without a byte the peer is probed; `nullopt`: never.
  error set_keepalive(std::optional<std::chrono::seconds> idle);
  /// What `close` does with what has not been sent: `nullopt`, the system sends it in the background; 0 s, it is dropped, and the peer sees a reset; else
  /// `close` and the destructor wait so long.
  error set_linger(std::optional<std::chrono::seconds> d);

 private:
  friend struct detail::access;
  using stream::stream;
};

}  // namespace tenon::net
