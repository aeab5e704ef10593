// kv: a server of Redis' protocol that keeps texts in memory. `redis-cli` and `redis-benchmark` take it for one.
//
// A goroutine serves each connection: it reads what there is, carries all of it out, and writes the replies at once. One that has
// subscribed to channels has another for its messages. SIGINT or SIGTERM ends the accepting; the connections have a grace period.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "connection.hpp"
#include "database.hpp"

namespace tn = tenon;
using namespace std::chrono_literals;

namespace {

struct options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 6379;
  std::size_t max_connections = 10'000;
  unsigned grace = 5;
  bool verbose = false;
};

tn::error serve(tn::group& root, const options& chosen) {
  const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
  const std::string host = chosen.address.find(':') == std::string::npos ? chosen.address : "[" + chosen.address + "]";
  auto at = tn::net::tcp_listener::listen(host + ":" + std::to_string(chosen.port));
  if (!at) return at.err();
  std::cout << "listening on " << at->local().value().to_string() << std::endl;

  kv::database db;
  tn::group sweeper(root.ctx());
  sweeper.go({.name = "sweeper"}, [&db](const tn::context& ctx) { db.sweep(ctx); });
  // Each by itself: a client that resets its connection is no concern of the others'.
  tn::group connections(root.ctx(), [&](const tn::error& e) {
    if (chosen.verbose) std::clog << "a connection: " + e.message() + "\n";
  });
  tn::net::serve_counters counters;
  tn::error e =
      tn::net::serve(told.ctx(), connections, *at,
                     [&db](const tn::context& ctx, tn::net::tcp_stream peer) {
                       return kv::connection(ctx, db, std::move(peer)).serve();
                     },
                     {.max_connections = chosen.max_connections, .grace = chosen.grace * 1s, .counters = &counters});
  std::cout << counters.accepted << " connections, " << db.commands << " commands" << std::endl;
  return e;
}

}  // namespace

namespace kv {

void database::sweep(const tn::context& ctx) {
  while (tn::sleep_for(ctx, 100ms)) {
    // In pieces, so that nobody waits long for the lock.
    while (keys.with([](store& all) { return all.sweep(store::clock::now(), 1000); }) == 1000) tn::yield();
  }
}

}  // namespace kv

int main(int argc, char** argv) {
  options chosen;
  CLI::App app("A server of Redis' protocol that keeps texts in memory, with expiry, pipelining and pub/sub.", "kv");
  app.add_option("-b,--bind", chosen.address, "the address to listen on")->capture_default_str();
  app.add_option("-p,--port", chosen.port, "0: a free one")->capture_default_str();
  app.add_option("--max-connections", chosen.max_connections, "more wait until one has gone; 0: no limit")
      ->capture_default_str();
  app.add_option("--grace", chosen.grace, "seconds that connections have after SIGINT or SIGTERM")
      ->capture_default_str();
  app.add_flag("-v,--verbose", chosen.verbose, "say what connections failed with");
  CLI11_PARSE(app, argc, argv);
  (void)tn::net::raise_descriptor_limit();  // a descriptor for each connection
  return tn::run([&](tn::group& root) { return serve(root, chosen); });
}
