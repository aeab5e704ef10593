#include "net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <utility>

#include <tenon/sleep_for.hpp>
#include <tenon/yield.hpp>

namespace tenon::net::detail {

// ---- use and close ----------------------------------------------------------------------------------------------

socket::~socket() { (void)close(); }

error socket::close() {
  const std::uint32_t before = state.fetch_or(closed, std::memory_order_acq_rel);
  if ((before & closed) != 0) return errc::closed;
  // First the name: whoever finds it gone makes its own, and must not lose that.
  if (!file.empty()) (void)::unlink(file.c_str());
  end_waits(fd);
  if (before == 0) gone.done();
  gone.wait();
  return close_fd(fd);
}

error socket::let_go() {
  std::uint32_t unused = 0;
  if (!state.compare_exchange_strong(unused, closed, std::memory_order_acq_rel)) {
    return (unused & closed) != 0 ? error(errc::closed)
                                  : error(std::make_error_code(std::errc::device_or_resource_busy), "release");
  }
  gone.done();
  end_watch(fd);
  return nullptr;
}

void socket_deleter::operator()(socket* s) const noexcept { delete s; }

operation::operation(socket* s) noexcept : socket_(nullptr) {
  if (s == nullptr) return;
  std::uint32_t now = s->state.load(std::memory_order_relaxed);
  do {
    if ((now & socket::closed) != 0) return;
  } while (!s->state.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed));
  socket_ = s;
}

operation::~operation() {
  if (socket_ == nullptr) return;
  // After the subtraction the socket may be gone, unless this one is the last that `close` waits for.
  if (socket_->state.fetch_sub(1, std::memory_order_acq_rel) == (socket::closed | 1U)) socket_->gone.done();
}

// ---- waiting ----------------------------------------------------------------------------------------------------

error failure(const socket& s, const char* call, int number) {
  std::string what = call;
  if (s.peer) what += ' ' + s.peer->to_string();
  return {std::error_code(number, std::generic_category()), std::move(what)};
}

void let_others_run(const socket& s) noexcept {
  constexpr std::uint32_t streak = 32;
  const std::uint32_t n = s.without_wait.load(std::memory_order_relaxed) + 1;
  s.without_wait.store(n < streak ? n : 0, std::memory_order_relaxed);
  if (n >= streak) yield();
}

error wait_until_ready(const socket& s, way w, readiness r, const context* ctx) {
  s.without_wait.store(0, std::memory_order_relaxed);
  error e;
  if (r == readiness::since_last && w == way::read) {
    e = ctx != nullptr ? wait_for_more(*ctx, s.fd) : wait_for_more(s.fd);
  } else if (r == readiness::since_last) {
    e = ctx != nullptr ? wait_for_room(*ctx, s.fd) : wait_for_room(s.fd);
  } else if (w == way::read) {
    e = ctx != nullptr ? wait_readable(*ctx, s.fd) : wait_readable(s.fd);
  } else {
    e = ctx != nullptr ? wait_writable(*ctx, s.fd) : wait_writable(s.fd);
  }
  if (e && s.is_closed()) return errc::closed;
  return e;
}

// ---- addresses --------------------------------------------------------------------------------------------------

namespace {

template <class A>
void put(unsigned char* to, const A& address) noexcept {
  static_assert(sizeof(A) <= sizeof system_address::bytes);
  std::memcpy(to, &address, sizeof address);
}

template <class A>
A get_as(const unsigned char* from) noexcept {
  A address;
  std::memcpy(&address, from, sizeof address);
  return address;
}

}  // namespace

system_address::system_address() noexcept { std::memset(bytes, 0, sizeof bytes); }

system_address::system_address(const endpoint& e) noexcept : system_address() {
  if (e.address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    std::memcpy(&in.sin_addr, e.address.bytes().data(), 4);
    put(bytes, in);
    size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(e.port);
    in.sin6_scope_id = e.address.scope();
    std::memcpy(&in.sin6_addr, e.address.bytes().data(), 16);
    put(bytes, in);
    size = sizeof in;
  }
}

system_address::system_address(const unix_address& a) noexcept : system_address() {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const std::string& path = a.path();
  std::memcpy(un.sun_path, path.data(), path.size());
  if (a.is_abstract()) un.sun_path[0] = '\0';
  put(bytes, un);
  // A path ends with its null; an abstract name with its size.
  size =
      static_cast<unsigned>(offsetof(sockaddr_un, sun_path) + path.size() + (a.is_abstract() || path.empty() ? 0 : 1));
}

int system_address::family() const noexcept { return get()->sa_family; }

std::optional<endpoint> system_address::to_endpoint() const noexcept {
  if (family() == AF_INET) {
    const auto in = get_as<sockaddr_in>(bytes);
    std::array<std::uint8_t, 4> b{};
    std::memcpy(b.data(), &in.sin_addr, 4);
    return endpoint{ip_address::v4(b[0], b[1], b[2], b[3]), ntohs(in.sin_port)};
  }
  if (family() == AF_INET6) {
    const auto in = get_as<sockaddr_in6>(bytes);
    std::array<std::uint8_t, 16> b{};
    std::memcpy(b.data(), &in.sin6_addr, 16);
    // A peer of version 4 on a socket for both.
    constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(mapped.begin(), mapped.end(), b.begin())) {
      return endpoint{ip_address::v4(b[12], b[13], b[14], b[15]), ntohs(in.sin6_port)};
    }
    return endpoint{ip_address::v6(b, in.sin6_scope_id), ntohs(in.sin6_port)};
  }
  return std::nullopt;
}

std::optional<unix_address> system_address::to_unix() const {
  if (family() != AF_UNIX) return std::nullopt;
  const auto un = get_as<sockaddr_un>(bytes);
  std::size_t n = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
  std::string path(un.sun_path, std::min(n, sizeof un.sun_path));
  if (!path.empty() && path[0] == '\0') {
    path[0] = '@';
  } else {
    path.resize(std::min(path.size(), path.find('\0')));
  }
  auto at = unix_address::parse(path);
  return at ? std::optional(*std::move(at)) : std::nullopt;
}

// ---- making -----------------------------------------------------------------------------------------------------

namespace {

error system_error(const char* call) { return {std::error_code(last_error(), std::generic_category()), call}; }

int option(int fd, int name) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

result<socket_ptr> make_socket(int family, int type) {
  const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error("socket");
  return own(fd);
}

socket_ptr own(int fd) {
  try {
    return socket_ptr(new socket(fd));
  } catch (...) {
    (void)close_fd(fd);
    throw;
  }
}

namespace {

bool is_of(socket_kind kind, int fd) noexcept {
  const int domain = option(fd, SO_DOMAIN);
  const bool is_unix = kind == socket_kind::unix_stream || kind == socket_kind::unix_listener;
  if (is_unix ? domain != AF_UNIX : domain != AF_INET && domain != AF_INET6) return false;
  if (option(fd, SO_TYPE) != (kind == socket_kind::udp ? SOCK_DGRAM : SOCK_STREAM)) return false;
  const bool listens = kind == socket_kind::tcp_listener || kind == socket_kind::unix_listener;
  if ((option(fd, SO_ACCEPTCONN) == 1) != listens) return false;
  if (is_unix || kind == socket_kind::udp) return true;
  const int protocol = option(fd, SO_PROTOCOL);
  constexpr int multipath = 262;  // IPPROTO_MPTCP: TCP to its user; older headers lack it
  return protocol == IPPROTO_TCP || protocol == multipath;
}

}  // namespace

result<socket_ptr> adopt_socket(int fd, socket_kind kind) {
  if (option(fd, SO_TYPE) < 0) return system_error("adopt");
  if (!is_of(kind, fd)) return error(std::make_error_code(std::errc::wrong_protocol_type), "adopt");
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return system_error("adopt");
  auto s = socket_ptr(new socket(fd));
  system_address peer;
  if (::getpeername(fd, peer.get(), &peer.size) == 0) s->peer = peer.to_endpoint();
  return s;
}

error connect_socket(socket& s, const context* ctx, const system_address& to) {
  s.peer = to.to_endpoint();
  if (ctx != nullptr && ctx->is_canceled()) return ctx->err();
  for (;;) {
    if (::connect(s.fd, to.get(), to.size) == 0) return nullptr;
    const int number = last_error();
    if (number == EINPROGRESS || number == EINTR) break;
    // A listener of AF_UNIX whose queue is full: the kernel tells nobody when that has changed.
    if (number != EAGAIN) return failure(s, "connect", number);
    if (ctx != nullptr) {
      if (!sleep_for(*ctx, std::chrono::milliseconds(1))) return ctx->err();
    } else {
      sleep_for(std::chrono::milliseconds(1));
    }
  }
  pollfd connected{s.fd, POLLOUT, 0};
  do {
    if (error e = wait_until_ready(s, way::write, readiness::next_call, ctx)) return e;
  } while (::poll(&connected, 1, 0) <=
           0);  // or a signal's EINTR. SO_ERROR alone does not tell a connection from one under way
  const int number = option(s.fd, SO_ERROR);
  return number == 0 ? error() : failure(s, "connect", number);
}

error bind_socket(socket& s, const system_address& at) {
  return ::bind(s.fd, at.get(), at.size) != 0 ? system_error("bind") : error();
}
error listen_socket(socket& s, int backlog) { return ::listen(s.fd, backlog) != 0 ? system_error("listen") : error(); }

namespace {

/// An error of accept's that is about the next connection, which had gone or met with it by itself (accept(2)).
bool is_of_the_connection(int number) noexcept {
  switch (number) {
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH: return true;
    default: return false;
  }
}

}  // namespace

result<socket_ptr> accept_socket(socket* s, const context* ctx, system_address* from) {
  const operation in(s);
  if (!in) return error(errc::closed);
  const auto fd = attempt(*s, way::read, readiness::next_call, ctx, "accept", [&] {
    int accepted = -1;
    do {
      from->size = sizeof from->bytes;
      accepted = ::accept4(s->fd, from->get(), &from->size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && is_of_the_connection(last_error()));
    return accepted;
  });
  if (!fd) return fd.err();
  return own(static_cast<int>(*fd));
}

error wait_closed(socket* s, const context& ctx) {
  const operation in(s);
  while (in && !s->is_closed()) {
    // A listener is never writable: only its close ends that, or the context.
    const error e = wait_writable(ctx, s->fd);
    if (ctx.is_canceled()) return ctx.err();
    if (e) return s->is_closed() ? error() : e;
    // One that was shut down says that it is ready, and goes on saying so.
    if (!s->is_closed() && !sleep_for(ctx, std::chrono::milliseconds(10))) return ctx.err();
  }
  return nullptr;
}

error set_option(socket* s, int level, int name, int value, const char* text) {
  const operation in(s);
  if (!in) return errc::closed;
  return ::setsockopt(s->fd, level, name, &value, sizeof value) != 0 ? system_error(text) : error();
}

result<endpoint> local_endpoint(socket* s) {
  const operation in(s);
  if (!in) return error(errc::closed);
  system_address at;
  if (::getsockname(s->fd, at.get(), &at.size) != 0) return system_error("getsockname");
  if (const auto e = at.to_endpoint()) return *e;
  return error(errc::not_an_address);
}

error close_socket(socket* s) { return s != nullptr ? s->close() : error(errc::closed); }

result<int> release_socket(socket* s) {
  if (s == nullptr) return error(errc::closed);
  if (error e = s->let_go()) return e;
  return s->fd;
}

}  // namespace tenon::net::detail
