// Boost.Beast over streams of net: HTTP and WebSocket by its synchronous calls, and by its asynchronous ones under `use_goroutine`.

#include <gtest/gtest.h>

#if defined(TENON_ASIO_BOOST)

#include <chrono>
#include <string>
#include <utility>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/asio.hpp"

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using namespace std::chrono_literals;
using tenon::asio_stream;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::use_goroutine;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon_test::asio_error_code;
using stream = asio_stream<tcp_stream>;

static_assert(beast::is_sync_stream<stream>::value);
static_assert(beast::has_get_executor<stream>::value);

/// A server for one connection, and what asks it.
void with_server(const std::function<void(stream&)>& serve,
                 const std::function<void(const context&, tcp_stream)>& ask) {
  tenon::run([&](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    group g(root);
    g.go([&](const context& ctx) {
      stream peer(at.accept(ctx).value());
      serve(peer);
    });
    ask(root, tcp_stream::connect(root, at.local().value()).value());
    EXPECT_FALSE(g.wait());
  });
}

// Go: http.ReadRequest, http.Response.Write, keep-alive
TEST(Beast, ServesRequestsOneAfterTheOther) {
  with_server(
      [](stream& peer) {
        beast::flat_buffer buffer;
        for (;;) {
          http::request<http::string_body> request;
          asio_error_code ec;
          http::read(peer, buffer, request, ec);
          if (ec == http::error::end_of_stream) return;
          ASSERT_FALSE(ec) << ec.message();
          http::response<http::string_body> response(http::status::ok, request.version());
          response.body() = std::string(request.target()) + ": " + request.body();
          response.prepare_payload();
          response.keep_alive(request.keep_alive());
          http::write(peer, response, ec);
          ASSERT_FALSE(ec) << ec.message();
        }
      },
      [](const context&, tcp_stream to) {
        asio_stream server(std::move(to));
        beast::flat_buffer buffer;
        for (const std::string body : {"first", "", "third"}) {
          http::request<http::string_body> request(http::verb::post, "/echo", 11);
          request.body() = body;
          request.prepare_payload();
          http::write(server, request);
          http::response<http::string_body> response;
          http::read(server, buffer, response);
          EXPECT_EQ(response.result(), http::status::ok);
          EXPECT_EQ(response.body(), "/echo: " + body);
        }
      });
}

TEST(Beast, RefusesAHeaderOverTheLimit) {
  with_server(
      [](stream& peer) {
        beast::flat_buffer buffer;
        http::request_parser<http::string_body> parser;
        parser.header_limit(1024);
        asio_error_code ec;
        http::read(peer, buffer, parser, ec);
        EXPECT_EQ(ec, http::error::header_limit);
      },
      [](const context& ctx, tcp_stream to) {
        EXPECT_FALSE(to.write_all(ctx, "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"));
      });
}

// Slowloris: the header as a whole has a deadline.
TEST(Beast, GivesUpAHeaderThatDoesNotEnd) {
  const auto answered = tenon::make_chan<void>(1, "the server never waits");
  with_server(
      [&](stream& peer) {
        beast::flat_buffer buffer;
        http::request_parser<http::string_body> parser;
        asio_error_code ec;
        peer.expires_after(20ms);
        http::read_header(peer, buffer, parser, ec);
        EXPECT_EQ(ec, asio::error::timed_out);
        answered.send();
      },
      [&](const context& ctx, tcp_stream to) {
        EXPECT_FALSE(to.write_all(ctx, "GET / HTTP/1.1\r\n"));
        while (!answered.try_recv()) {
          if (to.write_all(ctx, "X: y\r\n")) break;
          tenon::sleep_for(1ms);
        }
      });
}

TEST(Beast, SpeaksWebSocketBothWays) {
  with_server(
      [](stream& peer) {
        websocket::stream<stream&> ws(peer);
        ws.accept();
        beast::flat_buffer buffer;
        for (;;) {
          asio_error_code ec;
          ws.read(buffer, ec);
          if (ec == websocket::error::closed) return;
          ASSERT_FALSE(ec) << ec.message();
          ws.text(ws.got_text());
          ws.write(buffer.data(), ec);
          ASSERT_FALSE(ec) << ec.message();
          buffer.consume(buffer.size());
        }
      },
      [](const context&, tcp_stream to) {
        websocket::stream<stream> ws(std::move(to));
        ws.handshake("localhost", "/");
        beast::flat_buffer buffer;
        for (const std::size_t size : {0U, 5U, 100'000U}) {
          const std::string text(size, 'x');
          ws.write(asio::buffer(text));
          ws.read(buffer);
          EXPECT_EQ(beast::buffers_to_string(buffer.data()), text);
          buffer.consume(buffer.size());
        }
        ws.close(websocket::close_code::normal);
      });
}

TEST(Beast, RefusesAWebSocketFrameOverTheLimit) {
  with_server(
      [](stream& peer) {
        websocket::stream<stream&> ws(peer);
        ws.read_message_max(1000);
        ws.accept();
        beast::flat_buffer buffer;
        asio_error_code ec;
        ws.read(buffer, ec);
        EXPECT_EQ(ec, websocket::error::message_too_big);
      },
      [](const context&, tcp_stream to) {
        websocket::stream<stream> ws(std::move(to));
        ws.handshake("localhost", "/");
        asio_error_code ec;
        ws.write(asio::buffer(std::string(2000, 'x')), ec);
        beast::flat_buffer buffer;
        ws.read(buffer, ec);
        EXPECT_EQ(ws.reason().code, websocket::close_code::too_big);
      });
}

// The server's side is Beast's own asynchronous stream.
TEST(Beast, SpeaksWebSocketByItsAsynchronousCalls) {
  tenon::run([](const context& root) {
    tenon::driven_io_context io;
    asio::ip::tcp::acceptor at(io, {asio::ip::address_v4::loopback(), 0});
    group g(root);
    g.go([&](const context& ctx) -> error {
      auto peer = at.async_accept(use_goroutine(ctx));
      if (!peer) return peer.err();
      websocket::stream<beast::tcp_stream> ws(*std::move(peer));
      if (error e = ws.async_accept(use_goroutine(ctx))) return e;
      beast::flat_buffer buffer;
      for (;;) {
        const auto n = ws.async_read(buffer, use_goroutine(ctx));
        if (!n) return n.err().code() == make_error_code(websocket::error::closed) ? nullptr : n.err();
        if (error e = ws.async_write(buffer.data(), use_goroutine(ctx)).err()) return e;
        buffer.consume(buffer.size());
      }
    });
    const tenon::net::endpoint to{tenon::net::ip_address::loopback_v4(), at.local_endpoint().port()};
    websocket::stream<stream> ws(tcp_stream::connect(root, to).value());
    ws.handshake("localhost", "/");
    beast::flat_buffer buffer;
    for (int i = 0; i < 100; ++i) {
      const std::string text = std::to_string(i);
      ws.write(asio::buffer(text));
      ws.read(buffer);
      EXPECT_EQ(beast::buffers_to_string(buffer.data()), text);
      buffer.consume(buffer.size());
    }
    ws.close(websocket::close_code::normal);
    EXPECT_FALSE(g.wait());
  });
}

TEST(Beast, AnAsynchronousReadEndsWithTheContext) {
  tenon::run([](const context& root) {
    tenon::driven_io_context io;
    asio::ip::tcp::acceptor at(io, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(io);
    client.connect(at.local_endpoint());
    beast::tcp_stream server(at.accept());
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    EXPECT_EQ(http::async_read(server, buffer, request, use_goroutine(tenon::within(root, 1ms))).err(),
              tenon::deadline_exceeded());
  });
}

}  // namespace

#endif
