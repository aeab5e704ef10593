#pragma once

// One connection: requests are read and answered one after the other. All of it is plain synchronous Beast; what waits is the goroutine.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>

#include <tenon/asio.hpp>
#include <tenon/blocking.hpp>
#include <tenon/context.hpp>
#include <tenon/net/tcp_stream.hpp>

#include "access_log.hpp"
#include "site.hpp"

namespace httpd {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tenon::error;
using tenon::net::tcp_stream;
using plain_stream = tenon::asio_stream<tcp_stream&>;
using tls_stream = asio::ssl::stream<plain_stream>;

struct limits {
  std::chrono::seconds idle{60};    // between two requests
  std::chrono::seconds header{10};  // from its first byte to its last
  std::chrono::seconds body{60};    // to read it; and to write an answer, or a piece of one
  std::uint32_t header_bytes = 8 * 1024;
  std::uint64_t body_bytes = 1 << 20U;
};

/// What all sessions share.
struct service {
  const site& pages;
  access_log& log;
  limits most;
  /// When it ends, connections that wait for a request are closed, and the others after their answer. A WebSocket is closed as soon as no message is on its way
  /// back: 1001, going away.
  tenon::context accepting;
};

template <class Peer>  // plain_stream or tls_stream
class session {
 public:
  session(const tenon::context& ctx, const service& of, tcp_stream& socket, Peer& peer)
      : ctx_(ctx), of_(of), socket_(socket), peer_(peer) {
    wire().use(ctx);
  }

  error serve() {
    while (request_comes() && answer_one()) {
    }
    if (!failed_ && !upgraded_) end();
    return failed_;
  }

 private:
  /// True if there may be another. Not inlined: what a request takes on the stack, a connection that waits for its first does not have.
  [[gnu::noinline]] bool answer_one() {
    const auto begun = std::chrono::steady_clock::now();
    http::request_parser<http::string_body> parser;
    parser.header_limit(of_.most.header_bytes);
    parser.body_limit(of_.most.body_bytes);
    if (!read(parser)) return false;
    request r = parser.release();
    if (beast::websocket::is_upgrade(r)) {
      upgraded_ = true;
      failed_ = talk(std::move(r));
      return false;
    }
    if (of_.accepting.is_canceled()) r.keep_alive(false);
    wire().expires_after(of_.most.body);
    access_.request = std::string(r.method_string()) + " " + std::string(r.target());
    const bool keeps = answer(r);
    access_.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    of_.log.add(ctx_, access_);
    return keeps;
  }

  plain_stream& wire() {
    if constexpr (std::is_same_v<Peer, plain_stream>) {
      return peer_;
    } else {
      return peer_.next_layer();
    }
  }

  /// Remembers what ended the connection, if that is a failure. False.
  bool fail(const boost::system::error_code& ec) {
    failed_ = tenon::from_asio(ec);
    return false;
  }
  bool fail(error e) {
    failed_ = std::move(e);
    return false;
  }

  /// Waits for the first bytes. False: there will be none.
  bool request_comes() {
    if (buffer_.size() != 0) return true;
    buffer_.shrink_to_fit();
    const auto bound = tenon::with_timeout(of_.accepting, of_.most.idle);
    const tenon::context& idle = bound.ctx();
    error why;
    if constexpr (std::is_same_v<Peer, plain_stream>) {
      std::string first;  // connections that wait are many, and hold no buffer
      why = socket_.append_some(idle, first, 4096).err();
      buffer_.commit(asio::buffer_copy(buffer_.prepare(first.size()), asio::buffer(first)));
    } else {
      boost::system::error_code ec;
      wire().use(idle);
      wire().expires_never();
      buffer_.commit(peer_.read_some(buffer_.prepare(4096), ec));
      wire().use(ctx_);
      if (ec == asio::ssl::error::stream_truncated) ec = asio::error::eof;
      why = tenon::from_asio(ec);
    }
    if (!why) return true;
    const bool orderly = why == tenon::net::eof() || idle.is_canceled();
    return orderly ? false : fail(std::move(why));
  }

  /// False: it was refused, or the client has gone.
  template <class Parser>
  bool read(Parser& parser) {
    boost::system::error_code ec;
    wire().expires_after(of_.most.header);
    beast::http::read_header(peer_, buffer_, parser, ec);
    const auto& head = parser.get();
    if (!ec && head.version() >= 11 && beast::iequals(head[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_on(http::status::continue_, head.version());
      http::write(peer_, go_on, ec);
    }
    if (!ec) {
      wire().expires_after(of_.most.body);
      http::read(peer_, buffer_, parser, ec);
    }
    if (!ec) return true;
    if (ec == http::error::end_of_stream) return false;
    if (ec == http::error::header_limit) return refuse(http::status::request_header_fields_too_large);
    if (ec == http::error::body_limit) return refuse(http::status::payload_too_large);
    if (ec == asio::error::timed_out) return refuse(http::status::request_timeout);
    if (ec == http::error::partial_message) return fail(ec);
    if (ec.category() == make_error_code(http::error::bad_method).category()) return refuse(http::status::bad_request);
    return fail(ec);
  }

  bool refuse(http::status why) {
    const std::string_view text(http::obsolete_reason(why).data(), http::obsolete_reason(why).size());
    text_response refusal = site::text(why, 11, false, std::string(text) + "\n");
    wire().expires_after(of_.most.body);
    boost::system::error_code ec;
    http::write(peer_, refusal, ec);
    access_.request = "-";
    access_.status = refusal.result_int();
    access_.bytes = refusal.body().size();
    of_.log.add(ctx_, access_);
    return ec ? fail(ec) : false;
  }

  /// True if the client may ask for more.
  bool answer(const request& r) {
    response a = of_.pages.answer(r);
    const bool only_head = r.method() == http::verb::head;
    return std::visit([&](auto& kind) { return write(kind, only_head) && r.keep_alive(); }, a);
  }

  bool write(text_response& a, bool only_head) {
    access_.status = a.result_int();
    access_.bytes = only_head ? 0 : a.body().size();
    http::response_serializer<http::string_body> all(a);
    boost::system::error_code ec;
    if (only_head) {
      http::write_header(peer_, all, ec);
    } else {
      http::write(peer_, all, ec);
    }
    return ec ? fail(ec) : true;
  }

  bool write_head(http::response<http::empty_body>& head) {
    access_.status = head.result_int();
    access_.bytes = 0;
    http::response_serializer<http::empty_body> all(head);
    boost::system::error_code ec;
    http::write_header(peer_, all, ec);
    return ec ? fail(ec) : true;
  }

  bool write(file_response& a, bool only_head) {
    if (!write_head(a.head)) return false;
    if (only_head) return true;
    if constexpr (std::is_same_v<Peer, plain_stream>) {
      // The system copies; the deadline is for a piece of it.
      while (access_.bytes < a.size) {
        std::uint64_t written = 0;
        const std::uint64_t piece = std::min<std::uint64_t>(a.size - access_.bytes, 256 << 10U);
        error e = socket_.send_file(tenon::within(ctx_, of_.most.body), a.file.get(), access_.bytes, piece, &written);
        access_.bytes += written;
        if (e) return fail(std::move(e));
      }
      return true;
    } else {
      std::vector<char> block(64 * 1024);
      while (access_.bytes < a.size) {
        // What has been added to the file since its length was said would be taken for the next answer.
        const std::size_t most = std::min<std::uint64_t>(block.size(), a.size - access_.bytes);
        const ssize_t n = tenon::blocking(
            [&] { return ::pread(a.file.get(), block.data(), most, static_cast<off_t>(access_.bytes)); });
        if (n <= 0) return fail(error("a file became shorter while it was sent"));
        if (!write_piece(asio::buffer(block.data(), static_cast<std::size_t>(n)))) return false;
        access_.bytes += static_cast<std::uint64_t>(n);
      }
      return true;
    }
  }

  bool write(stream_response& a, bool only_head) {
    if (!write_head(a.head)) return false;
    const bool chunked = a.head.chunked();  // if not, its end is the connection's
    if (only_head) return chunked;
    while (const auto piece = a.next()) {
      const asio::const_buffer bytes = asio::buffer(*piece);
      if (!(chunked ? write_piece(http::make_chunk(bytes)) : write_piece(bytes))) return false;
      access_.bytes += piece->size();
    }
    return chunked && write_piece(http::make_chunk_last());
  }

  template <class Buffers>
  bool write_piece(const Buffers& buffers) {
    wire().expires_after(of_.most.body);
    boost::system::error_code ec;
    asio::write(peer_, buffers, ec);
    return ec ? fail(ec) : true;
  }

  /// WebSocket: every message comes back, until the client has had enough, or the server is to end.
  error talk(request r) {
    beast::websocket::stream<Peer&> ws(peer_);
    ws.read_message_max(of_.most.body_bytes);
    boost::system::error_code ec;
    ws.accept(r, ec);
    access_ = {access_.peer, "WebSocket " + std::string(r.target()), ec ? 400U : 101U, 0, {}};
    of_.log.add(ctx_, access_);
    beast::flat_buffer message;
    while (!ec) {
      wire().use(of_.accepting);
      wire().expires_after(of_.most.idle);
      ws.read(message, ec);
      wire().use(ctx_);
      wire().expires_after(of_.most.body);
      if (ec) break;
      ws.text(ws.got_text());
      ws.write(message.data(), ec);
      message.consume(message.size());
    }
    if (ec == asio::error::operation_aborted && !ctx_.is_canceled()) {
      // For Beast a read that was ended is the connection's end: the frame goes past it. 1001: going away.
      constexpr std::array<unsigned char, 4> going_away{0x88, 2, 1001 >> 8, 1001 & 0xff};
      if (write_piece(asio::buffer(going_away))) end();
      return failed_;
    }
    const bool orderly = ec == beast::websocket::error::closed || ec == beast::websocket::error::message_too_big;
    return orderly ? nullptr : tenon::from_asio(ec);
  }

  /// The client is told that there is no more, and read until it has said so too: closed with something unread, it might not get the last answer.
  void end() {
    wire().expires_after(std::chrono::seconds(1));
    boost::system::error_code ec;
    if constexpr (!std::is_same_v<Peer, plain_stream>) peer_.shutdown(ec);
    (void)socket_.shutdown(tenon::net::shut::write);
    std::vector<char> rest(4096);
    for (ec = {}; !ec;) (void)wire().read_some(asio::buffer(rest), ec);
  }

  const tenon::context ctx_;
  const service& of_;
  tcp_stream& socket_;
  Peer& peer_;
  beast::flat_buffer buffer_;
  access access_{socket_.peer().to_string(), "", 0, 0, {}};
  error failed_;
  bool upgraded_ = false;
};

}  // namespace httpd
