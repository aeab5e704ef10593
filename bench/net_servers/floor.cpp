// What bench/net's load costs any server: `tenon_net_floor echo|http`. Prints the port that it listens on.
//
// One thread, one epoll, a read and a write for each request: nobody is woken but by the kernel, the answers are ready made, and of a request nothing is
// looked at but its end. What reads what it is told, or has more than one thread, does not do with less.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int listen_anywhere() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 4096) != 0) {
    die("listen");
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) die("getsockname");
  return ntohs(at.sin_port);
}

std::string answer_of(std::size_t bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
         std::string(bytes, 'x');
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

[[noreturn]] void serve(int listener, bool is_echo) {
  static const std::string small = answer_of(6);
  static const std::string large = answer_of(64 * 1024);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [poll](int fd) {
    epoll_event e{.events = EPOLLIN, .data = {.fd = fd}};
    if (::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e) != 0) die("epoll_ctl");
  };
  watch(listener);
  std::array<epoll_event, 256> events{};
  std::vector<char> block(16 * 1024);
  for (;;) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) continue;
        const int on = 1;
        ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(peer);
        continue;
      }
      const ssize_t n = ::recv(fd, block.data(), block.size(), 0);
      const std::string_view came(block.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
      bool open = !came.empty();
      if (open && is_echo) {
        open = send_all(fd, came);
      } else if (open && came.ends_with("\r\n\r\n")) {
        open = send_all(fd, came.starts_with("GET /64k ") ? large : small);
      }
      if (!open) ::close(fd);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_echo = argc > 1 && std::strcmp(argv[1], "echo") == 0;
  const int listener = listen_anywhere();
  std::printf("%d\n", port_of(listener));
  std::fflush(stdout);
  serve(listener, is_echo);
}
