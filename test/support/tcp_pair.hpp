#pragma once

#include <utility>

#include <tenon/context.hpp>
#include <tenon/net/tcp_listener.hpp>
#include <tenon/net/tcp_stream.hpp>

namespace tenon_test {

/// The two ends of a connection of TCP.
inline std::pair<tenon::net::tcp_stream, tenon::net::tcp_stream> tcp_pair(const tenon::context& ctx) {
  auto at = tenon::net::tcp_listener::listen("127.0.0.1:0").value();
  auto client = tenon::net::tcp_stream::connect(ctx, at.local().value()).value();
  auto server = at.accept(ctx).value();
  return {std::move(client), std::move(server)};
}

}  // namespace tenon_test
