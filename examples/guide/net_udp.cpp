// Sockets: a question by UDP, which may get lost on its way.
//
// So it is asked again after a while, and given up in the end. Notice: the bound of one attempt is `within`, the bound of them all is the
// caller's context, and an answer that comes to an earlier attempt is as good as any.

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

// [snippet]
tn::result<std::string> ask(const tn::context& ctx, tn::net::udp_socket& server, std::string_view question) {
  char answer[1500];
  for (;;) {
    if (tn::error e = server.send(ctx, question)) return e;
    auto got = server.receive_from(tn::within(ctx, 20ms), answer);
    if (got) return std::string(answer, got->size);
    if (got.err() != tn::deadline_exceeded() || ctx.is_canceled()) return got.err();
  }
}
// [/snippet]

/// Answers every third question. The others are lost.
tn::error serve(tn::context ctx, tn::net::udp_socket& at) {
  char question[1500];
  for (int asked = 1;; ++asked) {
    auto got = at.receive_from(ctx, question);
    if (!got) return got.err();
    if (asked % 3 != 0) continue;
    const std::string answer = "the answer to " + std::string(question, got->size);
    if (tn::error e = at.send_to(ctx, answer, got->from)) return e;
  }
}

int main() {
  return tn::run([](tn::context root) -> tn::error {
    auto at = tn::net::udp_socket::bind("127.0.0.1:0");
    if (!at) return at.err();
    auto client = tn::net::udp_socket::connect(at->local().value());
    if (!client) return client.err();
    tn::group g(root);
    g.go([&at](tn::context ctx) { return serve(ctx, *at); });
    auto answer = ask(root, *client, "everything");
    if (!answer) return answer.err();
    std::cout << *answer << '\n';
    return nullptr;
  });
}
