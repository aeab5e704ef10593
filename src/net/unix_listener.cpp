#include <tenon/net/unix_listener.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

unix_listener& unix_listener::operator=(unix_listener&& other) noexcept {
  if (this == &other) return *this;
  (void)close();
  socket_ = std::move(other.socket_);
  local_ = std::move(other.local_);
  ours_ = std::exchange(other.ours_, false);
  return *this;
}

unix_listener::~unix_listener() { (void)close(); }

result<unix_listener> unix_listener::listen(const unix_address& at, const listen_options& options) {
  auto s = detail::make_socket(AF_UNIX, SOCK_STREAM);
  if (!s) return s.err();
  if (error e = detail::listen_socket(**s, detail::system_address(at), options.backlog)) {
    return error("listen " + at.path(), std::move(e));
  }
  return unix_listener(*std::move(s), at, !at.is_abstract() && !at.path().empty());
}

result<unix_listener> unix_listener::listen(std::string_view path, const listen_options& options) {
  auto at = unix_address::parse(path);
  if (!at) return at.err();
  return listen(*at, options);
}

result<unix_listener> unix_listener::adopt(int fd) {
  auto s = detail::adopt_socket(fd, SOCK_STREAM, true);
  if (!s) return s.err();
  detail::system_address at;
  std::optional<unix_address> local;
  if (::getsockname(fd, at.get(), &at.size) == 0) local = at.to_unix();
  return unix_listener(*std::move(s), local ? *std::move(local) : unix_address(), false);
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

error unix_listener::close() {
  // First the name: whoever finds it gone makes its own, and must not lose that.
  if (is_open() && ours_) {
    ours_ = false;
    (void)::unlink(local_.path().c_str());
  }
  return detail::close_socket(socket_.get());
}

bool unix_listener::is_open() const noexcept { return detail::is_open(socket_.get()); }
int unix_listener::native_handle() const noexcept { return detail::handle_of(socket_.get()); }

result<int> unix_listener::release() {
  auto fd = detail::release_socket(socket_.get());
  if (fd) ours_ = false;
  return fd;
}

}  // namespace tenon::net
