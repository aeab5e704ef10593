// Guide: "errgroup", over TCP: a server and its client in one program.
//
// One goroutine accepts, one serves each connection, all of them members of one group. Notice: they read as if they
// blocked, and none holds up a thread; the end of the context ends the accept and the reads that wait, and the group's
// end sees every one of them go. With a handler for failures a client that resets its connection ends no other's.

#include <iostream>
#include <string>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::error serve_one(const tn::context& ctx, tn::net::tcp_stream peer) {
  for (;;) {
    auto line = peer.read_until(ctx, "\n");
    if (!line) return line.err() == tn::net::eof() ? nullptr : line.err();  // the client has gone
    if (tn::error e = peer.write_all(ctx, {"you said: ", *line})) return e;
  }
}

tn::error serve(tn::context ctx, tn::net::tcp_listener& at) {
  tn::group connections(ctx, [](const tn::error& e) { std::clog << e.message() << '\n'; });  // each by itself
  for (;;) {
    auto peer = at.accept(connections.ctx());
    if (!peer) return peer.err();
    connections.go([p = *std::move(peer)](tn::context c) mutable { return serve_one(c, std::move(p)); });
  }
}
// [/snippet]

tn::error talk(const tn::context& ctx, const std::string& address) {
  auto server = tn::net::dial(ctx, address);
  if (!server) return server.err();
  for (const char* text : {"hello\n", "goodbye\n"}) {
    if (tn::error e = server->write_all(ctx, text)) return e;
    auto answer = server->read_until(ctx, "\n");
    if (!answer) return answer.err();
    std::cout << *answer;
  }
  return nullptr;
}

int main() {
  return tn::run([](tn::context root) -> tn::error {
    auto at = tn::net::tcp_listener::listen("127.0.0.1:0");
    if (!at) return at.err();
    tn::group server(root);
    server.go([&at](tn::context ctx) { return serve(ctx, *at); });
    if (tn::error e = talk(root, at->local().value().to_string())) return e;
    server.cancel();
    if (tn::error e = server.wait()) return e;
    std::cout << "the server has stopped\n";
    return nullptr;
  });
}
