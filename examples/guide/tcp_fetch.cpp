// Guide: "errgroup", over TCP: many addresses, at most three at a time, all within a deadline.
//
// One of the addresses refuses the connection, another accepts it and never answers. Notice: the first failure ends the wait
// for the one that hangs, because that waits for its socket under the group's context; without a failure the deadline
// does. Nobody is left behind either way.

#include <atomic>
#include <iostream>
#include <string>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

tn::result<std::string> fetch(const tn::context& ctx, const std::string& address) {
  auto server = tn::net::dial(ctx, address);
  if (!server) return server.err();
  if (tn::error e = server->write_all(ctx, "GET /\n")) return e;
  return server->read_until(ctx, "\n");
}

// [snippet]
tn::error fetch_all(tn::context ctx, const std::vector<std::string>& addresses, std::atomic<int>& pages) {
  tn::group g(ctx);
  g.set_limit(3);
  for (const std::string& address : addresses) {
    g.go([address, &pages](tn::context c) -> tn::error {
      auto page = fetch(c, address);
      if (!page) return page.err();
      ++pages;
      return nullptr;
    });
  }
  return g.wait();
}
// [/snippet]

/// Answers every request, until its context ends.
tn::error serve(tn::context ctx, tn::net::tcp_listener& at) {
  for (;;) {
    auto peer = at.accept(ctx);
    if (!peer) return nullptr;
    if (peer->read_until(ctx, "\n")) (void)peer->write_all(ctx, "a page\n");
  }
}

tn::net::tcp_listener listen() { return tn::net::tcp_listener::listen("127.0.0.1:0").value(); }
std::string address_of(const tn::net::tcp_listener& at) { return at.local().value().to_string(); }

int main() {
  return tn::run([](tn::context root) {
    tn::net::tcp_listener good = listen();
    tn::net::tcp_listener silent = listen();           // accepted by the kernel, and never answered
    const std::string refuses = address_of(listen());  // which is closed again

    tn::group server(root);
    server.go([&good](tn::context ctx) { return serve(ctx, good); });

    std::atomic<int> pages = 0;
    tn::error e = fetch_all(root, std::vector<std::string>(10, address_of(good)), pages);
    std::cout << pages << " pages, " << e.message() << '\n';

    e = fetch_all(root, {address_of(silent), address_of(silent), refuses}, pages);
    std::cout << "with one that refuses: " << (e.is(std::errc::connection_refused) ? "refused" : e.message()) << '\n';

    auto scope = tn::with_timeout(root, 20ms);
    e = fetch_all(scope.ctx(), {address_of(silent), address_of(good)}, pages);
    std::cout << "with one that is silent: " << e.message() << '\n';
  });
}
