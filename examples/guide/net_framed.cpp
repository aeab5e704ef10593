// Sockets: messages over a stream of bytes, each with its length before it.
//
// The client sends all its questions, says with `shutdown` that there are no more, and reads the answers to the end. Notice: a read
// of an exact number of bytes has no loop around it; the length and the message go out in one system call; the end of the
// stream is an error of its own, told from a failure.

#include <array>
#include <cctype>
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
using length = std::array<unsigned char, 2>;

tn::error send_message(const tn::context& ctx, tn::net::tcp_stream& to, const std::string& text) {
  const length size{static_cast<unsigned char>(text.size() >> 8U), static_cast<unsigned char>(text.size())};
  return to.write_all(ctx, {size, text});
}

tn::result<std::string> next_message(const tn::context& ctx, tn::net::tcp_stream& from) {
  length size{};
  if (tn::error e = from.read_exactly(ctx, size)) return e;  // eof(): the peer has said all
  std::string text(size[0] * 256U + size[1], '\0');
  if (tn::error e = from.read_exactly(ctx, text)) return e;
  return text;
}
// [/snippet]

tn::error answer(const tn::context& ctx, tn::net::tcp_stream peer) {
  for (;;) {
    auto question = next_message(ctx, peer);
    if (!question) return question.err() == tn::net::eof() ? nullptr : question.err();
    for (char& c : *question) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (tn::error e = send_message(ctx, peer, *question)) return e;
  }
}

tn::error ask(const tn::context& ctx, const std::string& address) {
  auto server = tn::net::dial(ctx, address);
  if (!server) return server.err();
  for (const char* text : {"a message", "", "and one that is longer"}) {
    if (tn::error e = send_message(ctx, *server, text)) return e;
  }
  if (tn::error e = server->shutdown(tn::net::shut::write)) return e;
  for (;;) {
    auto message = next_message(ctx, *server);
    if (message.err() == tn::net::eof()) break;
    if (!message) return message.err();
    std::cout << message->size() << ": " << *message << '\n';
  }
  return nullptr;
}

int main() {
  return tn::run([](tn::context root) -> tn::error {
    auto at = tn::net::tcp_listener::listen("127.0.0.1:0");
    if (!at) return at.err();
    tn::group g(root);
    g.go([&at](tn::context ctx) -> tn::error {
      auto peer = at->accept(ctx);
      return peer ? answer(ctx, *std::move(peer)) : peer.err();
    });
    if (tn::error e = ask(root, at->local().value().to_string())) return e;
    return g.wait();
  });
}
