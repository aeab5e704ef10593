#include <tenon/net/udp_socket.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

namespace {

using detail::operation;
using detail::way;

result<datagram> receive(detail::socket* s, const context* ctx, mutable_buffer into) {
  const operation in(s);
  if (!in) return error(errc::closed);
  detail::system_address from;
  iovec part{into.data(), into.size()};
  msghdr message{};
  const auto n = detail::attempt(*s, way::read, detail::readiness::next_call, ctx, "receive", [&] {
    message = {};
    message.msg_name = from.get();
    message.msg_namelen = sizeof from.bytes;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return ::recvmsg(s->fd, &message, 0);
  });
  if (!n) return n.err();
  from.size = message.msg_namelen;
  datagram got{.size = *n, .from = {}, .truncated = (message.msg_flags & MSG_TRUNC) != 0};
  if (const auto e = from.to_endpoint()) got.from = *e;
  return got;
}

error send(detail::socket* s, const context* ctx, const_buffer from, const endpoint* to) {
  const operation out(s);
  if (!out) return errc::closed;
  const detail::system_address at = to != nullptr ? detail::system_address(*to) : detail::system_address();
  const auto n = detail::attempt(*s, way::write, detail::readiness::next_call, ctx, "send", [&] {
    return ::sendto(s->fd, from.data(), from.size(), MSG_NOSIGNAL, to != nullptr ? at.get() : nullptr,
                    to != nullptr ? at.size : 0);
  });
  return n ? error() : n.err();
}

}  // namespace

result<udp_socket> udp_socket::bind(const endpoint& at) {
  const detail::system_address where(at);
  auto s = detail::make_socket(where.family(), SOCK_DGRAM);
  if (!s) return s.err();
  if (at.address.is_v6()) {
    if (error e = detail::set_option(s->get(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "bind")) return e;
  }
  if (::bind((*s)->fd, where.get(), where.size) != 0) {
    return error(std::error_code(last_error(), std::generic_category()), "bind " + at.to_string());
  }
  return udp_socket(*std::move(s));
}

result<udp_socket> udp_socket::bind(std::string_view address) {
  auto at = endpoint::parse(address);
  if (!at) return at.err();
  if (address.starts_with(':')) {
    // Both versions; a machine without the sixth has the fourth.
    auto both = bind(endpoint{ip_address::any_v6(), at->port});
    if (both ||
        !(both.err().is(std::errc::address_family_not_supported) || both.err().is(std::errc::address_not_available)))
      return both;
  }
  return bind(*at);
}

result<udp_socket> udp_socket::connect(const endpoint& to) {
  const detail::system_address where(to);
  auto s = detail::make_socket(where.family(), SOCK_DGRAM);
  if (!s) return s.err();
  (*s)->peer = to;
  if (::connect((*s)->fd, where.get(), where.size) != 0) return detail::failure(**s, "connect", last_error());
  return udp_socket(*std::move(s));
}

result<udp_socket> udp_socket::adopt(int fd) {
  auto s = detail::adopt_socket(fd, detail::socket_kind::udp);
  if (!s) return s.err();
  return udp_socket(*std::move(s));
}

result<datagram> udp_socket::receive_from(const context& ctx, mutable_buffer into) {
  return receive(socket_.get(), &ctx, into);
}
result<datagram> udp_socket::receive_from(mutable_buffer into) { return receive(socket_.get(), nullptr, into); }
error udp_socket::send_to(const context& ctx, const_buffer from, const endpoint& to) {
  return net::send(socket_.get(), &ctx, from, &to);
}
error udp_socket::send_to(const_buffer from, const endpoint& to) {
  return net::send(socket_.get(), nullptr, from, &to);
}
error udp_socket::send(const context& ctx, const_buffer from) { return net::send(socket_.get(), &ctx, from, nullptr); }
error udp_socket::send(const_buffer from) { return net::send(socket_.get(), nullptr, from, nullptr); }

result<endpoint> udp_socket::local() const { return detail::local_endpoint(socket_.get()); }
error udp_socket::set_broadcast(bool on) {
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_BROADCAST, on ? 1 : 0, "set_broadcast");
}
error udp_socket::set_receive_buffer(int bytes) {
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_RCVBUF, bytes, "set_receive_buffer");
}
error udp_socket::set_send_buffer(int bytes) {
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_SNDBUF, bytes, "set_send_buffer");
}
error udp_socket::close() { return detail::close_socket(socket_.get()); }
bool udp_socket::is_open() const noexcept { return detail::is_open(socket_.get()); }
int udp_socket::native_handle() const noexcept { return detail::handle_of(socket_.get()); }
result<int> udp_socket::release() { return detail::release_socket(socket_.get()); }

}  // namespace tenon::net
