// Sockets: a client that sends a byte now and then, so that its connection never looks idle.
//
// The request as a whole has a deadline, which no single byte puts off. Notice: `within` makes it of the context that is there, for one
// call; what ended the call is told from its error; and meanwhile other clients, each with a goroutine of its own, are served.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

// [snippet]
tn::error serve(const tn::context& ctx, tn::net::unix_stream peer, std::chrono::nanoseconds patience) {
  auto request = peer.read_until(tn::within(ctx, patience), "\n\n", 8 * 1024);
  if (request.err() == tn::deadline_exceeded()) return peer.write_all(tn::within(ctx, 1s), "408 too slow\n");
  if (!request) return request.err();
  return peer.write_all(tn::within(ctx, 1s), "200 welcome\n");
}
// [/snippet]

/// Sends the request, again and again without its end if that is not to come, until there is an answer.
tn::result<std::string> ask(const tn::context& ctx, tn::net::unix_stream server, bool ends) {
  if (tn::error e = server.write_all(ctx, ends ? "GET /\n\n" : "G")) return e;
  tn::group g(ctx);
  if (!ends) {
    g.go([&server](tn::context c) {
      while (tn::sleep_for(c, 1ms) && !server.write_all(c, "E")) {
      }
    });
  }
  return server.read_until(ctx, "\n");  // the group ends with the scope
}

int main() {
  return tn::run([](tn::context root) -> tn::error {
    for (const bool ends : {true, false}) {
      auto pair = tn::net::socket_pair();
      if (!pair) return pair.err();
      auto& [server, client] = *pair;
      tn::group g(root);
      g.go([&, &s = server](tn::context ctx) { return serve(ctx, std::move(s), ends ? 1min : 20ms); });
      auto answer = ask(root, std::move(client), ends);
      if (!answer) return answer.err();
      std::cout << (ends ? "at once: " : "byte by byte: ") << *answer;
      if (tn::error e = g.wait()) return e;
    }
    return nullptr;
  });
}
