#pragma once

/// `net::errc`: what sockets and names fail with beside the system's own codes.
///
/// Go counterpart: `io.EOF`, `net.ErrClosed`, `net.DNSError`.
///
///     auto n = peer.read_some(ctx, buffer);
///     if (!n) return n.err() == tn::net::eof() ? nullptr : n.err();
///
/// Thread-safe. Nothing here blocks.

#include <system_error>

#include <tenon/error.hpp>

namespace tenon::net {

enum class errc {
  end_of_stream = 1,  ///< "end of stream": the peer has shut its sending side, and everything has been read
  closed,  ///< "use of closed network connection": closed here, before the call or during it; moved from; released
  not_an_address,   ///< "not an address"
  no_such_host,     ///< "no such host"
  no_such_service,  ///< "no such service": neither a port from 0 to 65535 nor a name of one
  try_again,        ///< "temporary failure in name resolution"
  cannot_resolve,   ///< "name resolution failed": for another reason, which the error's message has
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

/// The end of a stream: `err == eof()` (Go: `io.EOF`).
[[nodiscard]] error eof() noexcept;

}  // namespace tenon::net

template <>
struct std::is_error_code_enum<tenon::net::errc> : std::true_type {};
