// Guide: "errgroup", over TCP: many addresses, at most three at a time, all within a deadline.
//
// One of the addresses refuses the connection, another accepts it and never answers. Notice: the first failure ends the wait
// for the one that hangs, because that waits for its socket under the group's context; without a failure the deadline
// does. Nobody is left behind either way.

#include <atomic>
#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "loopback.hpp"

namespace tn = tenon;
using namespace std::chrono_literals;

tn::result<std::string> fetch(const tn::context& ctx, std::uint16_t port) {
  auto server = loopback::dial(ctx, port);
  if (!server) return server.err();
  if (tn::error e = server->write_line(ctx, "GET /")) return e;
  auto page = server->read_line(ctx);
  if (!page) return page.err();
  return (*page).value_or("");
}

// [snippet]
tn::error fetch_all(tn::context ctx, const std::vector<std::uint16_t>& ports, std::atomic<int>& pages) {
  tn::group g(ctx);
  g.set_limit(3);
  for (const std::uint16_t port : ports) {
    g.go([port, &pages](tn::context c) -> tn::error {
      auto page = fetch(c, port);
      if (!page) return page.err();
      ++pages;
      return nullptr;
    });
  }
  return g.wait();
}
// [/snippet]

/// Answers every request, until its context ends.
tn::error serve(tn::context ctx, loopback::listener& at) {
  for (;;) {
    auto peer = at.accept(ctx);
    if (!peer) return nullptr;
    auto request = peer->read_line(ctx);
    if (request && *request) (void)peer->write_line(ctx, "a page");
  }
}

int main() {
  return tn::run([](tn::context root) {
    loopback::listener good;
    loopback::listener silent;  // accepted by the kernel, answered by nobody
    loopback::port refuses;

    tn::group server(root);
    server.go([&good](tn::context ctx) { return serve(ctx, good); });

    std::atomic<int> pages = 0;
    tn::error e = fetch_all(root, std::vector<std::uint16_t>(10, good.number()), pages);
    std::cout << pages << " pages, " << e.message() << '\n';

    e = fetch_all(root, {silent.number(), silent.number(), refuses.number()}, pages);
    std::cout << "with one that refuses: " << e.message() << '\n';

    auto scope = tn::with_timeout(root, 20ms);
    e = fetch_all(scope.ctx(), {silent.number(), good.number()}, pages);
    std::cout << "with one that is silent: " << e.message() << '\n';
  });
}
