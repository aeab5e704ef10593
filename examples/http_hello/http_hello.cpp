// The README's server of HTTP: `http_hello [PORT]`. examples/httpd is one with all that a server needs.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <tenon/asio.hpp>
#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

namespace http = boost::beast::http;
namespace tn = tenon;
using namespace std::chrono_literals;

// [snippet]
tn::error answer(tn::net::tcp_stream socket) {
  tn::asio_stream peer(std::move(socket));
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    boost::system::error_code ec;
    peer.expires_after(30s);
    http::read(peer, buffer, request, ec);  // blocks the goroutine, and nothing else
    if (ec) return ec == http::error::end_of_stream ? nullptr : tn::from_asio(ec);
    http::response<http::string_body> response(http::status::ok, request.version(), "hello\n");
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    http::write(peer, response, ec);
    if (ec || !request.keep_alive()) return tn::from_asio(ec);
  }
}

int main(int argc, char** argv) {
  return tn::run([&](tn::group& root) -> tn::error {
    auto at = tn::net::tcp_listener::listen(":" + std::string(argc > 1 ? argv[1] : "8080"));
    if (!at) return at.err();
    std::cout << "listening on " << at->local().value().to_string() << std::endl;
    tn::group connections(root.ctx(), [](const tn::error& e) { std::clog << e.message() << '\n'; });
    return tn::net::serve(root.ctx(), connections, *at, answer);  // Ctrl-C ends the root's context
  });
}
// [/snippet]
