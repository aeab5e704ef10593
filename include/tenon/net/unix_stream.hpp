#pragma once

/// `net::unix_stream`: a connection between two processes of one machine. What it reads and writes is in `net/stream.hpp`.
///
/// Go counterpart: `net.UnixConn`; `socket_pair`: `syscall.Socketpair`.

#include <utility>

#include <tenon/net/address.hpp>
#include <tenon/net/stream.hpp>

namespace tenon::net {

class unix_stream : public stream {
 public:
  unix_stream() noexcept = default;
  unix_stream(unix_stream&&) noexcept = default;
  unix_stream& operator=(unix_stream&&) noexcept = default;
  ~unix_stream() = default;

  /// A listener whose queue is full is waited for.
  static result<unix_stream> connect(const context& ctx, const unix_address& to);
  static result<unix_stream> connect(const unix_address& to);
  /// Takes over a connected socket, which is put into non-blocking mode. Where it is none, the caller keeps it.
  static result<unix_stream> adopt(int fd);

 private:
  friend struct detail::access;
  using stream::stream;
};

/// Two ends of one connection. Never blocks.
result<std::pair<unix_stream, unix_stream>> socket_pair();

}  // namespace tenon::net
