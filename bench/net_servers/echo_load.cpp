// The load of bench/net on servers that say back what they get: `tenon_net_load PORT CONNECTIONS SECONDS BYTES [RATE]`.
//
// One thread, epoll, sockets of the system's: each connection sends BYTES, waits until as many are back, and sends again. With RATE so many a second are begun in all, on a
// schedule of their own, whether or not the server keeps up, and a round trip counts from when it was due. With BYTES 0 it connects and closes, again and again.
// Prints {"rate", "p50_us", "p99_us", "round_trips"}.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct connection {
  int fd = -1;
  std::size_t missing = 0;  // of the answer
  steady::time_point begun;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) die("connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void print(std::vector<double>& took, double seconds) {
  if (took.empty()) took.push_back(0);
  std::sort(took.begin(), took.end());
  const auto at = [&](double share) {
    return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))];
  };
  std::printf("{\"rate\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"round_trips\": %zu}\n",
              static_cast<double>(took.size()) / seconds, at(0.5), at(0.99), took.size());
}

double us_since(steady::time_point t) { return std::chrono::duration<double, std::micro>(steady::now() - t).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: tenon_net_load PORT CONNECTIONS SECONDS BYTES [RATE]\n", stderr);
    return 64;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto n = static_cast<std::size_t>(std::atoi(argv[2]));
  const double seconds = std::atof(argv[3]);
  const auto bytes = static_cast<std::size_t>(std::atoi(argv[4]));
  const double rate = argc > 5 ? std::atof(argv[5]) : 0;
  std::vector<double> took;
  took.reserve(1 << 22U);
  const auto length = std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));

  if (bytes == 0) {
    const auto end = steady::now() + length;
    for (auto begun = steady::now(); begun < end; begun = steady::now()) {
      const int fd = dial(port);
      // The other side sees the end, and closes: then it has been accepted.
      ::shutdown(fd, SHUT_WR);
      char rest[16];
      while (::read(fd, rest, sizeof rest) > 0) {
      }
      ::close(fd);
      took.push_back(us_since(begun));
    }
    print(took, seconds);
    return 0;
  }

  const int poll = ::epoll_create1(0);
  std::vector<connection> all(n);
  std::deque<connection*> idle;
  const std::string text(bytes, 'x');
  std::vector<char> block(std::max<std::size_t>(bytes, 4096));
  for (connection& c : all) {
    c.fd = dial(port);
    epoll_event e{.events = EPOLLIN, .data = {.ptr = &c}};
    if (::epoll_ctl(poll, EPOLL_CTL_ADD, c.fd, &e) != 0) die("epoll_ctl");
    idle.push_back(&c);
  }
  const auto start = steady::now();  // when all are connected
  const auto end = start + length;
  std::uint64_t begun = 0;
  const auto send = [&](connection& c, steady::time_point when) {
    c.begun = when;
    c.missing = bytes;
    ++begun;
    if (::send(c.fd, text.data(), bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes)) die("send");
  };
  if (rate == 0) {
    for (connection* c : idle) send(*c, steady::now());
    idle.clear();
  }
  std::vector<epoll_event> events(256);
  for (auto now = steady::now(); now < end; now = steady::now()) {
    if (rate != 0) {
      for (;;) {
        const auto due = start + std::chrono::duration_cast<steady::duration>(
                                     std::chrono::duration<double>(static_cast<double>(begun) / rate));
        if (due > now || idle.empty()) break;
        connection* c = idle.front();
        idle.pop_front();
        send(*c, due);
      }
    }
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), rate != 0 ? 0 : 100);
    for (int i = 0; i < ready; ++i) {
      auto& c = *static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const ssize_t got = ::recv(c.fd, block.data(), std::min(block.size(), c.missing), 0);
      if (got <= 0) die("recv");
      c.missing -= static_cast<std::size_t>(got);
      if (c.missing != 0) continue;
      took.push_back(us_since(c.begun));
      if (rate == 0) {
        send(c, steady::now());
      } else {
        idle.push_back(&c);
      }
    }
  }
  print(took, seconds);
}
