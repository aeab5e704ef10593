#pragma once

/// `net::dial`: a connection to whatever a name stands for.
///
/// Go counterpart: `net.Dialer.DialContext`.
///
///     auto server = tn::net::dial(tn::within(ctx, 10s), "example.org:443");
///
/// Looks the name up and tries its addresses as RFC 8305 ("Happy Eyeballs") has it: both versions of IP by turns, the next one 250 ms after the one before or as
/// soon as one has failed, until one connects; the others are given up. So an address that does not answer costs 250 ms and not minutes. Blocks
/// until then, or until `ctx` ends. If all fail: the first failure, with the name before it. Only within a run.

#include <chrono>
#include <span>
#include <string_view>

#include <tenon/context.hpp>
#include <tenon/net/tcp_stream.hpp>
#include <tenon/time_span.hpp>

namespace tenon::net {

struct dial_options {
  time_span attempt_delay = std::chrono::milliseconds(250);
};

/// "host:port", "[address]:port", where the port may be a service's name. An empty host is this machine.
result<tcp_stream> dial(const context& ctx, std::string_view address, const dial_options& options = {});
/// The same race between these addresses, in this order, of which there is one at least.
result<tcp_stream> dial(const context& ctx, std::span<const endpoint> addresses, const dial_options& options = {});

}  // namespace tenon::net
