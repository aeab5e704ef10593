// A server for TCP's echo, as it would run behind a service manager: `echo [PORT [GRACE]]`.
//
// Each connection is served by a goroutine of one group, and fails by itself: a client that resets its connection ends no other's. SIGINT
// or SIGTERM ends the accepting; the connections that there are have GRACE seconds (10) to finish, then they are cut. A second
// SIGINT ends the program at once.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

tn::error echo(const tn::context& ctx, tn::net::tcp_stream peer) {
  for (;;) {
    std::string text;  // none while it waits: connections that say nothing are many
    const auto n = peer.append_some(ctx, text, 64 * 1024);
    if (!n) return n.err() == tn::net::eof() ? nullptr : n.err();  // the client has said all that it had to say
    if (tn::error e = peer.write_all(ctx, text)) return e;
  }
}

int main(int argc, char** argv) {
  (void)tn::net::raise_descriptor_limit();  // a descriptor for each connection
  const std::string port = argc > 1 ? argv[1] : "0";
  const std::chrono::seconds grace(argc > 2 ? std::atoi(argv[2]) : 10);
  return tn::run([&](tn::group& root) -> tn::error {
    const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
    auto at = tn::net::tcp_listener::listen("127.0.0.1:" + port);
    if (!at) return at.err();
    std::cout << "listening on " << at->local().value().to_string() << std::endl;

    std::atomic<int> failed = 0;
    // Under the root: `told` ends the accepting alone.
    tn::group connections(root.ctx(), [&](const tn::error&) { ++failed; });
    tn::net::serve_counters counters;
    tn::error e = tn::net::serve(told.ctx(), connections, *at, echo,
                                 {.grace = grace,
                                  .on_drain =
                                      [&] {
                                        std::cout << tn::cause(told.ctx()).message() << "; " << connections.active()
                                                  << " connections go on" << std::endl;
                                      },
                                  .counters = &counters});
    std::cout << "served " << counters.accepted << " connections, of which " << failed << " failed" << std::endl;
    return e;
  });
}
