#include <tenon/net/unix_stream.hpp>

#include <sys/socket.h>

#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

namespace {

result<unix_stream> connect_to(const context* ctx, const unix_address& to) {
  auto s = detail::make_socket(AF_UNIX, SOCK_STREAM);
  if (!s) return s.err();
  if (error e = detail::connect_socket(**s, ctx, detail::system_address(to))) {
    return e == canceled() || e == deadline_exceeded() ? e : error(to.path(), std::move(e));
  }
  return detail::access::make<unix_stream>(*std::move(s));
}

}  // namespace

result<unix_stream> unix_stream::connect(const context& ctx, const unix_address& to) { return connect_to(&ctx, to); }
result<unix_stream> unix_stream::connect(const unix_address& to) { return connect_to(nullptr, to); }

result<unix_stream> unix_stream::adopt(int fd) {
  auto s = detail::adopt_socket(fd, detail::socket_kind::unix_stream);
  if (!s) return s.err();
  return unix_stream(*std::move(s));
}

result<std::pair<unix_stream, unix_stream>> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return error(std::error_code(last_error(), std::generic_category()), "socket_pair");
  }
  int second = ends[1];
  struct close_second {
    int& fd;
    ~close_second() {
      if (fd >= 0) (void)close_fd(fd);
    }
  } on_failure{second};
  auto a = detail::own(ends[0]);
  auto b = detail::own(std::exchange(second, -1));
  return std::pair(detail::access::make<unix_stream>(std::move(a)), detail::access::make<unix_stream>(std::move(b)));
}

}  // namespace tenon::net
