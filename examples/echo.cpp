// A server for TCP's echo, as it would run behind a service manager: `echo [PORT [GRACE]]`.
//
// Each connection is served by a goroutine of one group, and fails by itself: a client that resets its connection ends no other's. SIGINT
// or SIGTERM ends the accepting; the connections that there are have GRACE seconds (10) to finish, then they are cut. A second
// SIGINT ends the program at once.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

#include <sys/resource.h>

#include <tenon/tenon.hpp>

#include "guide/loopback.hpp"

namespace tn = tenon;

tn::error serve(const tn::context& ctx, loopback::connection peer) {
  char block[16 * 1024];
  for (;;) {
    const auto n = peer.read(ctx, block);
    if (!n) return n.err();
    if (*n == 0) return nullptr;  // the client has said all that it had to say
    if (tn::error e = peer.write(ctx, std::string_view(block, *n))) return e;
  }
}

/// A descriptor for each connection: as many as this process may have.
void raise_the_limit_of_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char** argv) {
  raise_the_limit_of_descriptors();
  const auto number = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  const std::chrono::seconds grace(argc > 2 ? std::atoi(argv[2]) : 10);
  return tn::run([&](tn::group& root) -> tn::error {
    const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
    loopback::listener at(number);
    std::cout << "listening on 127.0.0.1:" << at.number() << std::endl;

    std::atomic<int> failed = 0;
    // Under the root: `told` ends the accepting alone.
    tn::group connections(root.ctx(), [&](const tn::error&) { ++failed; });
    int served = 0;
    for (;;) {
      auto peer = at.accept(told.ctx());
      if (!peer) {
        if (told.ctx().is_canceled()) break;
        return peer.err();
      }
      ++served;
      connections.go([p = *std::move(peer)](tn::context ctx) mutable { return serve(ctx, std::move(p)); });
    }

    std::cout << tn::cause(told.ctx()).message() << "; " << connections.active() << " connections go on" << std::endl;
    tn::error e = connections.finish(grace);
    std::cout << "served " << served << " connections, of which " << failed << " failed" << std::endl;
    return e;
  });
}
