#include <tenon/net/tcp_stream.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "net/socket.hpp"

namespace tenon::net {

namespace {

/// Both options are wishes: what cannot have one (an old system's MPTCP, say) is a stream all the same.
tcp_stream with_options(detail::socket_ptr s) {
  auto made = detail::access::make<tcp_stream>(std::move(s));
  (void)made.set_nodelay(true);
  (void)made.set_keepalive(std::chrono::seconds(15));
  return made;
}

result<tcp_stream> connect_to(const context* ctx, const endpoint& to) {
  const detail::system_address at(to);
  for (int again = 2;; --again) {
    auto s = detail::make_socket(at.family(), SOCK_STREAM);
    if (!s) return s.err();
    if (error e = detail::connect_socket(**s, ctx, at)) return e;
    auto made = with_options(*std::move(s));
    // Nothing listened at that port of this machine, and the system has chosen the same for our end (as Go, tried again).
    const auto local = made.local();
    if (again == 0 || !local || *local != to) return made;
  }
}

int seconds_of(std::chrono::seconds d) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(d.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

result<tcp_stream> tcp_stream::connect(const context& ctx, const endpoint& to) { return connect_to(&ctx, to); }
result<tcp_stream> tcp_stream::connect(const endpoint& to) { return connect_to(nullptr, to); }

result<tcp_stream> tcp_stream::adopt(int fd) {
  auto s = detail::adopt_socket(fd, detail::socket_kind::tcp_stream);
  if (!s) return s.err();
  return with_options(*std::move(s));
}

result<endpoint> tcp_stream::local() const { return detail::local_endpoint(socket_.get()); }
endpoint tcp_stream::peer() const noexcept { return socket_ != nullptr && socket_->peer ? *socket_->peer : endpoint(); }

error tcp_stream::set_nodelay(bool on) {
  return detail::set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, "set_nodelay");
}

error tcp_stream::set_keepalive(std::optional<std::chrono::seconds> idle) {
  if (idle) {
    // As in Go: nine probes, as far apart as the first is from the last byte.
    for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL}) {
      if (error e = detail::set_option(socket_.get(), IPPROTO_TCP, name, std::clamp(seconds_of(*idle), 1, 32767),
                                       "set_keepalive"))
        return e;
    }
  }
  return detail::set_option(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, idle ? 1 : 0, "set_keepalive");
}

error tcp_stream::set_linger(std::optional<std::chrono::seconds> d) {
  const detail::operation in(socket_.get());
  if (!in) return errc::closed;
  const ::linger value{d ? 1 : 0, d ? seconds_of(*d) : 0};
  return ::setsockopt(socket_->fd, SOL_SOCKET, SO_LINGER, &value, sizeof value) == 0
             ? error()
             : detail::failure(*socket_, "set_linger", last_error());
}

}  // namespace tenon::net
