#include <tenon/net/dial.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/group.hpp>
#include <tenon/net/resolve.hpp>
#include <tenon/within.hpp>

// RFC 8305, sections 4 and 5. (Section 3, which asks for both kinds of address at once, is the C library's matter.)

namespace tenon::net {

namespace {

/// The versions by turns, beginning with that of the first.
std::vector<endpoint> by_turns(const std::vector<endpoint>& found) {
  std::vector<endpoint> kinds[2];
  for (const endpoint& e : found) kinds[e.address.is_v6() == found.front().address.is_v6() ? 0 : 1].push_back(e);
  std::vector<endpoint> out;
  for (std::size_t i = 0; i < std::max(kinds[0].size(), kinds[1].size()); ++i) {
    for (const auto& kind : kinds) {
      if (i < kind.size()) out.push_back(kind[i]);
    }
  }
  return out;
}

/// Whatever comes of it, as a result: each attempt sends once.
result<tcp_stream> attempt(const context& ctx, const endpoint& to) {
  try {
    return tcp_stream::connect(ctx, to);
  } catch (...) {
    return error(tenon::detail::caught());
  }
}

}  // namespace

result<tcp_stream> dial(const context& ctx, std::span<const endpoint> all, const dial_options& options) {
  if (all.empty()) return error(errc::not_an_address, "dial: no address");
  const auto ends = make_chan<result<tcp_stream>>(static_cast<std::int64_t>(all.size()), "each attempt sends once");
  group attempts(ctx);  // its end cancels those that are under way
  std::size_t begun = 0;
  std::size_t ended = 0;
  error first;
  while (ended < all.size()) {
    if (begun < all.size()) {
      attempts.go({.name = "dial"}, [ends, to = all[begun]](const context& c) { ends.send(attempt(c, to)); });
      ++begun;
    }
    auto end = begun < all.size() ? ends.recv(within(ctx, options.attempt_delay)) : ends.recv(ctx);
    if (ctx.is_canceled()) return ctx.err();
    if (!end) continue;  // it takes too long: the next one beside it
    if (*end) return *std::move(*end);
    if (!first) first = end->err();
    ++ended;
  }
  return first;
}

result<tcp_stream> dial(const context& ctx, std::string_view address, const dial_options& options) {
  const auto prefixed = [&](error e) {
    return ctx.is_canceled() ? ctx.err() : error("dial " + std::string(address), std::move(e));
  };
  auto to = host_port::parse(address);
  if (!to) return prefixed(to.err());
  auto found = resolve(ctx, to->host, to->port);
  if (!found) return prefixed(found.err());
  auto connected = dial(ctx, by_turns(*found), options);
  return connected ? std::move(connected) : result<tcp_stream>(prefixed(connected.err()));
}

}  // namespace tenon::net
