#include <tenon/net/unix_listener.hpp>

#include <sys/socket.h>

#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

namespace {

unix_address name_of(int fd) {
  detail::system_address at;
  std::optional<unix_address> local;
  if (::getsockname(fd, at.get(), &at.size) == 0) local = at.to_unix();
  return local ? *std::move(local) : unix_address();
}

}  // namespace

result<unix_listener> unix_listener::listen(const unix_address& at, const listen_options& options) {
  auto s = detail::make_socket(AF_UNIX, SOCK_STREAM);
  if (!s) return s.err();
  const bool is_chosen_by_system = at.path().empty();
  std::string file;
  if (!is_chosen_by_system && !at.is_abstract()) file = at.path();
  error e = detail::bind_socket(**s, detail::system_address(at));
  if (!e) {
    (*s)->file = std::move(file);  // ours, and so to be removed, from here on
    e = detail::listen_socket(**s, options.backlog);
  }
  if (e) return error("listen " + at.path(), std::move(e));
  auto local = is_chosen_by_system ? name_of((*s)->fd) : at;
  return unix_listener(*std::move(s), std::move(local));
}

result<unix_listener> unix_listener::listen(std::string_view path, const listen_options& options) {
  auto at = unix_address::parse(path);
  if (!at) return at.err();
  return listen(*at, options);
}

result<unix_listener> unix_listener::adopt(int fd) {
  auto s = detail::adopt_socket(fd, detail::socket_kind::unix_listener);
  if (!s) return s.err();
  return unix_listener(*std::move(s), name_of(fd));
}

result<unix_stream> unix_listener::accept(const context& ctx) {
  detail::system_address from;
  auto s = detail::accept_socket(socket_.get(), &ctx, &from);
  if (!s) return s.err();
  return detail::access::make<unix_stream>(*std::move(s));
}

result<unix_stream> unix_listener::accept() {
  detail::system_address from;
  auto s = detail::accept_socket(socket_.get(), nullptr, &from);
  if (!s) return s.err();
  return detail::access::make<unix_stream>(*std::move(s));
}

error unix_listener::wait_closed(const context& ctx) { return detail::wait_closed(socket_.get(), ctx); }
error unix_listener::close() { return detail::close_socket(socket_.get()); }
bool unix_listener::is_open() const noexcept { return detail::is_open(socket_.get()); }
int unix_listener::native_handle() const noexcept { return detail::handle_of(socket_.get()); }
result<int> unix_listener::release() { return detail::release_socket(socket_.get()); }

}  // namespace tenon::net
