// httpd: a server of HTTP/1.1 and WebSocket on Boost.Beast, with TLS if it is given a certificate.
//
// Notice: Beast's synchronous calls on `tn::asio_stream`, a goroutine for each connection; no callback, and no thread that waits. `net::serve` accepts, limits and
// drains. Every wait has a deadline, so that a client which sends a byte a minute, or reads none, goes.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <boost/asio/ssl/context.hpp>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "access_log.hpp"
#include "session.hpp"
#include "site.hpp"

namespace tn = tenon;
using namespace std::chrono_literals;

namespace {

struct options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string root;
  std::string certificate;
  std::string key;
  std::size_t max_connections = 10'000;
  unsigned grace = 10;
  bool quiet = false;
  httpd::limits most;
};

// Each by itself: what TLS takes on the stack, a connection without does not have.
[[gnu::noinline]] tn::error serve_plain(const tn::context& ctx, const httpd::service& service,
                                        tn::net::tcp_stream& socket) {
  httpd::plain_stream peer(socket);
  return httpd::session(ctx, service, socket, peer).serve();
}

[[gnu::noinline]] tn::error serve_tls(const tn::context& ctx, const httpd::service& service,
                                      tn::net::tcp_stream& socket, boost::asio::ssl::context& tls) {
  httpd::tls_stream peer(socket, tls);
  peer.next_layer().expires_after(service.most.header);
  boost::system::error_code ec;
  peer.handshake(boost::asio::ssl::stream_base::server, ec);
  if (ec) return tn::error(tn::from_asio(ec).code(), "TLS handshake with " + socket.peer().to_string());
  return httpd::session(ctx, service, socket, peer).serve();
}

tn::error serve(tn::group& root, const options& chosen) {
  const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
  std::optional<boost::asio::ssl::context> tls;
  if (!chosen.certificate.empty()) {
    tls.emplace(boost::asio::ssl::context::tls_server);
    tls->use_certificate_chain_file(chosen.certificate);
    tls->use_private_key_file(chosen.key, boost::asio::ssl::context::pem);
  }
  const httpd::site pages(chosen.root);
  const std::string host = chosen.address.find(':') == std::string::npos ? chosen.address : "[" + chosen.address + "]";
  auto at = tn::net::tcp_listener::listen(host + ":" + std::to_string(chosen.port));
  if (!at) return at.err();
  std::cout << "listening on " << at->local().value().to_string() << (tls ? " (https)" : " (http)") << std::endl;

  httpd::access_log log(!chosen.quiet);
  tn::group writer(root.ctx());
  writer.go({.name = "access log"}, [&log](const tn::context& ctx) { return log.write(ctx); });

  const httpd::service service{pages, log, chosen.most, told.ctx()};
  tn::group connections(root.ctx(), [&](const tn::error& e) {
    if (!chosen.quiet) std::clog << "a connection: " + e.message() + "\n";
  });
  tn::net::serve_counters counters;
  tn::error e =
      tn::net::serve(told.ctx(), connections, *at,
                     [&](const tn::context& ctx, tn::net::tcp_stream socket) -> tn::error {
                       return tls ? serve_tls(ctx, service, socket, *tls) : serve_plain(ctx, service, socket);
                     },
                     {.max_connections = chosen.max_connections, .grace = chosen.grace * 1s, .counters = &counters});
  log.close(tn::within(root.ctx(), 1s), std::to_string(counters.accepted) + " connections\n");
  tn::error unwritten = writer.finish(1s);
  return e ? e : unwritten;
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app(
      "A server of HTTP/1.1: /, /files/... below a folder, POST /json, /stream?n=N, and WebSocket on any path, which says back what it gets.",
      "httpd");
  app.add_option("-b,--bind", chosen.address, "the address to listen on")->capture_default_str();
  app.add_option("-p,--port", chosen.port, "0: a free one")->capture_default_str();
  app.add_option("-r,--root", chosen.root, "the folder of /files/ (default: none)")->check(CLI::ExistingDirectory);
  auto* certificate =
      app.add_option("--certificate", chosen.certificate, "https: the chain, PEM")->check(CLI::ExistingFile);
  auto* key = app.add_option("--key", chosen.key, "https: its private key, PEM")->check(CLI::ExistingFile);
  certificate->needs(key);
  key->needs(certificate);
  app.add_option("--max-connections", chosen.max_connections, "more wait until one has gone; 0: no limit")
      ->capture_default_str();
  app.add_option("--idle", chosen.most.idle, "seconds that a connection may wait for its next request")
      ->default_val(60);
  app.add_option("--header-timeout", chosen.most.header, "seconds for the whole of a header")->default_val(10);
  app.add_option("--body-timeout", chosen.most.body, "seconds for a body, or a piece of an answer")->default_val(60);
  app.add_option("--max-body", chosen.most.body_bytes, "bytes of a body or a message")->capture_default_str();
  app.add_option("--grace", chosen.grace, "seconds that requests have after SIGINT or SIGTERM")->capture_default_str();
  app.add_flag("-q,--quiet", chosen.quiet, "no access log");
  CLI11_PARSE(app, argc, argv);
  (void)tn::net::raise_descriptor_limit();  // a descriptor for each connection
  (void)std::signal(SIGPIPE, SIG_IGN);      // whoever read the access log may have gone: an error of a write
  try {
    return tn::run([&](tn::group& root) { return serve(root, chosen); });
  } catch (const std::exception& e) {
    std::cerr << "httpd: " << e.what() << '\n';
    return 1;
  }
}
