#pragma once

// Sockets on 127.0.0.1 for the programs of the guide: as much as they need, on top of wait_readable, wait_writable and close_fd. Every call that
// waits parks its goroutine and ends with its context.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <tenon/tenon.hpp>

namespace loopback {

/// What the last system call said. Not `errno`, which in a function that waits may be that of the thread it was on before.
inline tenon::error why(const char* call, int number = tenon::last_error()) {
  return {std::error_code(number, std::generic_category()), call};
}

class socket {
 public:
  explicit socket(int fd) noexcept : fd_(fd) {}
  socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket& operator=(socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~socket() { close(); }

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Also ends the waits for it.
  void close() noexcept {
    if (fd_ >= 0) (void)tenon::close_fd(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

class connection {
 public:
  explicit connection(socket s) noexcept : socket_(std::move(s)) {}

  /// What there is, up to the size of `into`; 0 at the end of the stream. Waits for the first byte.
  tenon::result<std::size_t> read(const tenon::context& ctx, std::span<char> into) {
    for (;;) {
      const ssize_t n = ::recv(socket_.fd(), into.data(), into.size(), 0);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (const int number = tenon::last_error(); number != EAGAIN) return why("recv", number);
      if (tenon::error e = tenon::wait_readable(ctx, socket_.fd())) return e;
    }
  }

  /// All of it.
  tenon::error write(const tenon::context& ctx, std::string_view rest) {
    while (!rest.empty()) {
      const ssize_t n = ::send(socket_.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (const int number = tenon::last_error(); number != EAGAIN) {
        return why("send", number);
      } else if (tenon::error e = tenon::wait_writable(ctx, socket_.fd())) {
        return e;
      }
    }
    return nullptr;
  }

  /// The next line, without its end; nothing at the end of the stream.
  tenon::result<std::optional<std::string>> read_line(const tenon::context& ctx) {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return std::optional(std::move(line));
      }
      char block[512];
      const auto n = read(ctx, block);
      if (!n) return n.err();
      if (*n == 0) return std::optional<std::string>();
      buffer_.append(block, *n);
    }
  }

  tenon::error write_line(const tenon::context& ctx, std::string text) { return write(ctx, text += '\n'); }

  [[nodiscard]] int fd() const noexcept { return socket_.fd(); }

 private:
  socket socket_;
  std::string buffer_;
};

inline sockaddr_in address(std::uint16_t number) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(number);
  return at;
}

inline socket make_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) why("socket").rethrow();
  return socket(fd);
}

/// A port of its own, or the one of that number. It refuses connections: no listener is there. Throws if it cannot have one.
class port {
 public:
  explicit port(std::uint16_t number = 0) : socket_(make_socket()) {
    sockaddr_in at = address(number);
    socklen_t size = sizeof at;
    auto* any = reinterpret_cast<sockaddr*>(&at);
    if (::bind(socket_.fd(), any, size) != 0 || ::getsockname(socket_.fd(), any, &size) != 0) why("bind").rethrow();
    number_ = ntohs(at.sin_port);
  }
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

 protected:
  socket socket_;

 private:
  std::uint16_t number_ = 0;
};

class listener : public port {
 public:
  explicit listener(std::uint16_t number = 0) : port(number) {
    if (::listen(socket_.fd(), SOMAXCONN) != 0) why("listen").rethrow();
  }

  tenon::result<connection> accept(const tenon::context& ctx) {
    for (;;) {
      const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) return connection(socket(fd));
      const int number = tenon::last_error();
      if (number != EAGAIN && number != ECONNABORTED) return why("accept", number);
      if (tenon::error e = tenon::wait_readable(ctx, socket_.fd())) return e;
    }
  }
};

inline tenon::result<connection> dial(const tenon::context& ctx, std::uint16_t to) {
  socket s = make_socket();
  const sockaddr_in at = address(to);
  if (::connect(s.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    if (tenon::last_error() != EINPROGRESS) return why("connect");
    if (tenon::error e = tenon::wait_writable(ctx, s.fd())) return e;
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(s.fd(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) return why("connect", number);
  }
  return connection(std::move(s));
}

}  // namespace loopback
