// What bench/net asks of tenon: `tenon_net_tenon echo|http`. Prints the port that it listens on.
//
// echo says back what it gets. http answers "/" with a short text and "/64k" with 64 KB. Neither has more than the peers' have.

#include <cstring>
#include <iostream>
#include <string>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <tenon/asio.hpp>
#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace {

namespace http = boost::beast::http;
namespace tn = tenon;

tn::error echo(const tn::context& ctx, tn::net::tcp_stream peer) {
  std::string text;
  for (;;) {
    text.clear();
    const auto n = peer.append_some(ctx, text, 16 * 1024);
    if (!n) return n.err();
    if (tn::error e = peer.write_all(ctx, text)) return e;
  }
}

tn::error answer(tn::net::tcp_stream socket) {
  static const std::string small = "hello\n";
  static const std::string large(64 * 1024, 'x');
  tn::asio_stream peer(std::move(socket));
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    boost::system::error_code ec;
    http::read(peer, buffer, request, ec);
    if (ec) return tn::from_asio(ec);
    const std::string& text = request.target() == "/64k" ? large : small;
    http::response<http::span_body<const char>> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.body() = {text.data(), text.size()};
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    http::write(peer, response, ec);
    if (ec || !request.keep_alive()) return tn::from_asio(ec);
  }
}

}  // namespace

int main(int argc, char** argv) {
  (void)tn::net::raise_descriptor_limit();
  const bool is_echo = argc > 1 && std::strcmp(argv[1], "echo") == 0;
  return tn::run([&](tn::group& root) -> tn::error {
    auto at = tn::net::tcp_listener::listen("127.0.0.1:0");
    if (!at) return at.err();
    std::cout << at->local().value().port << std::endl;
    tn::group connections(root.ctx(), [](const tn::error&) {});
    return is_echo ? tn::net::serve(root.ctx(), connections, *at, echo)
                   : tn::net::serve(root.ctx(), connections, *at, answer);
  });
}
