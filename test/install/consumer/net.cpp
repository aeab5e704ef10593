// What a project that takes tenon::net does with it: a server, a client, a deadline.
#include <chrono>
#include <iostream>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](const tn::context& root) -> tn::error {
    auto at = tn::net::tcp_listener::listen("127.0.0.1:0");
    if (!at) return at.err();
    const auto here = at->local();
    if (!here) return here.err();
    tn::group g(root);
    g.go([&at](const tn::context& ctx) -> tn::error {
      auto peer = at->accept(ctx);
      if (!peer) return peer.err();
      auto line = peer->read_until(ctx, "\n");
      return line ? peer->write_all(ctx, *line) : line.err();
    });
    auto server = tn::net::dial(tn::within(root, std::chrono::seconds(20)), here->to_string());
    if (!server) return server.err();
    if (tn::error e = server->write_all(root, "42\n")) return e;
    auto answer = server->read_until(root, "\n");
    if (!answer) return answer.err();
    std::cout << *answer;
    return g.wait();
  });
}
