#include <tenon/net/tcp_listener.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

namespace {

struct option {
  int level;
  int name;
  int value;
};

error set_options(detail::socket* s, std::initializer_list<option> wanted, const char* call) {
  for (const option& w : wanted) {
    if (error e = detail::set_option(s, w.level, w.name, w.value, call)) return e;
  }
  return nullptr;
}

// What accepted connections inherit: no delay of small writes, and probes of a silent peer.
constexpr std::initializer_list<option> inherited = {{IPPROTO_TCP, TCP_NODELAY, 1},
                                                     {SOL_SOCKET, SO_KEEPALIVE, 1},
                                                     {IPPROTO_TCP, TCP_KEEPIDLE, 15},
                                                     {IPPROTO_TCP, TCP_KEEPINTVL, 15}};

result<detail::socket_ptr> listening(const endpoint& at, const listen_options& options) {
  const detail::system_address where(at);
  auto s = detail::make_socket(where.family(), SOCK_STREAM);
  if (!s) return s;
  detail::socket* const raw = s->get();
  if (error e = set_options(raw, inherited, "listen")) return e;
  if (error e = set_options(
          raw, {{SOL_SOCKET, SO_REUSEADDR, 1}, {SOL_SOCKET, SO_REUSEPORT, options.reuse_port ? 1 : 0}}, "listen"))
    return e;
  if (at.address.is_v6()) {
    if (error e = detail::set_option(raw, IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6 ? 1 : 0, "listen")) return e;
  }
  error e = detail::bind_socket(*raw, where);
  if (!e) e = detail::listen_socket(*raw, options.backlog);
  if (e) return error("listen " + at.to_string(), std::move(e));
  return s;
}

}  // namespace

result<tcp_listener> tcp_listener::listen(const endpoint& at, const listen_options& options) {
  auto s = listening(at, options);
  if (!s) return s.err();
  return tcp_listener(*std::move(s));
}

result<tcp_listener> tcp_listener::listen(std::string_view address, const listen_options& options) {
  auto at = endpoint::parse(address);
  if (!at) return at.err();
  if (address.starts_with(':')) {
    // Both versions; a machine without the sixth has the fourth.
    auto both = listen(endpoint{ip_address::any_v6(), at->port}, options);
    if (both ||
        !(both.err().is(std::errc::address_family_not_supported) || both.err().is(std::errc::address_not_available)))
      return both;
  }
  return listen(*at, options);
}

result<tcp_listener> tcp_listener::adopt(int fd) {
  auto s = detail::adopt_socket(fd, detail::socket_kind::tcp_listener);
  if (!s) return s.err();
  (void)set_options(s->get(), inherited, "adopt");  // wishes: a failure would close what is the caller's
  return tcp_listener(*std::move(s));
}

result<tcp_stream> tcp_listener::accept(const context& ctx) {
  detail::system_address from;
  auto s = detail::accept_socket(socket_.get(), &ctx, &from);
  if (!s) return s.err();
  (*s)->peer = from.to_endpoint();
  return detail::access::make<tcp_stream>(*std::move(s));
}

result<tcp_stream> tcp_listener::accept() {
  detail::system_address from;
  auto s = detail::accept_socket(socket_.get(), nullptr, &from);
  if (!s) return s.err();
  (*s)->peer = from.to_endpoint();
  return detail::access::make<tcp_stream>(*std::move(s));
}

result<endpoint> tcp_listener::local() const { return detail::local_endpoint(socket_.get()); }
error tcp_listener::wait_closed(const context& ctx) { return detail::wait_closed(socket_.get(), ctx); }
error tcp_listener::close() { return detail::close_socket(socket_.get()); }
bool tcp_listener::is_open() const noexcept { return detail::is_open(socket_.get()); }
int tcp_listener::native_handle() const noexcept { return detail::handle_of(socket_.get()); }
result<int> tcp_listener::release() { return detail::release_socket(socket_.get()); }

}  // namespace tenon::net
