#include "download.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <tenon/asio.hpp>
#include <tenon/net/net.hpp>

namespace fetch {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tenon::error;
using answer = http::response<http::string_body>;
using plain_stream = tenon::asio_stream<tenon::net::tcp_stream>;

template <class Peer>
tenon::result<answer> ask(Peer& peer, const url& from, std::size_t most_bytes) {
  http::request<http::empty_body> request(http::verb::get, from.target, 11);
  request.set(http::field::host, from.authority());
  request.set(http::field::user_agent, "tenon-fetch");
  request.set(http::field::accept, "*/*");
  request.keep_alive(false);
  boost::system::error_code ec;
  http::write(peer, request, ec);
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(most_bytes);
    if (!ec) http::read(peer, buffer, parser, ec);
    if (ec) return tenon::from_asio(ec);
    // Interim answers (103 Early Hints, say) come before the one that counts; after 101 the protocol is another.
    const unsigned status = parser.get().result_int();
    if (status / 100 != 1 || status == 101) return parser.release();
  }
}

tenon::result<answer> ask(const tenon::context& ctx, const url& from, client& c) {
  auto socket = tenon::net::dial(
      ctx, from.host.find(':') == std::string::npos ? from.host + ":" + from.port : "[" + from.host + "]:" + from.port);
  if (!socket) return socket.err();
  plain_stream wire(*std::move(socket));
  wire.use(ctx);
  if (!from.is_secure) return ask(wire, from, c.most_bytes);
  asio::ssl::stream<plain_stream&> peer(wire, c.trust);
  SSL_set_tlsext_host_name(peer.native_handle(), from.host.c_str());
  peer.set_verify_mode(asio::ssl::verify_peer);
  peer.set_verify_callback(asio::ssl::host_name_verification(from.host));
  boost::system::error_code ec;
  peer.handshake(asio::ssl::stream_base::client, ec);
  if (ec) return error(tenon::from_asio(ec).code(), "TLS");
  return ask(peer, from, c.most_bytes);
}

}  // namespace

tenon::result<page> client::get(const tenon::context& ctx, url from) {
  for (int redirections = 0; redirections <= 10; ++redirections) {
    auto got = ask(ctx, from, *this);
    // The context's end is the reason, whatever the libraries on top of the stream made of it.
    if (!got) return ctx.is_canceled() ? ctx.err() : got.err();
    const unsigned status = got->result_int();
    if (status / 100 == 2) return page{std::move(from), std::move(got->body())};
    const auto location = (*got)[http::field::location];
    if (status / 100 != 3 || location.empty()) return error(std::to_string(status) + " " + std::string(got->reason()));
    auto next = from.resolve({location.data(), location.size()});
    if (!next) return next.err();
    if (from.is_secure && !next->is_secure) return error("it leads from https to http: " + next->to_string());
    from = *std::move(next);
  }
  return error("more than ten redirections");
}

}  // namespace fetch
