// What bench/net asks of Boost.Asio: `tenon_net_asio echo|http`, with C++20 coroutines and a thread for each processor. Prints the port that it listens on.

#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
// Its code is looked at, not thrown: an exception for every connection that ends would be measured with it.
constexpr auto token = asio::experimental::as_tuple(asio::use_awaitable);

asio::awaitable<void> echo(tcp::socket peer) {
  std::vector<char> block(16 * 1024);
  for (;;) {
    const auto [why, n] = co_await peer.async_read_some(asio::buffer(block), token);
    if (why) co_return;
    const auto [failed, written] = co_await asio::async_write(peer, asio::buffer(block.data(), n), token);
    if (failed) co_return;
  }
}

asio::awaitable<void> answer(tcp::socket peer) {
  static const std::string large(64 * 1024, 'x');
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    const auto [why, n] = co_await http::async_read(peer, buffer, request, token);
    if (why) co_return;
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.body() = request.target() == "/64k" ? large : "hello\n";
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    const auto [failed, written] = co_await http::async_write(peer, response, token);
    if (failed || !request.keep_alive()) co_return;
  }
}

asio::awaitable<void> serve(tcp::acceptor at, bool is_echo) {
  for (;;) {
    auto [why, peer] = co_await at.async_accept(token);
    if (why) continue;
    peer.set_option(tcp::no_delay(true));
    const auto ex = peer.get_executor();
    asio::co_spawn(ex, is_echo ? echo(std::move(peer)) : answer(std::move(peer)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context io;
  tcp::acceptor at(io, {asio::ip::address_v4::loopback(), 0});
  std::cout << at.local_endpoint().port() << std::endl;
  asio::co_spawn(io, serve(std::move(at), argc > 1 && std::strcmp(argv[1], "echo") == 0), asio::detached);
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back([&io] { io.run(); });
  io.run();
}
