// The echo server of examples/ under clients that reset their connections, and under a signal while it has much to deliver.

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::result;
using tenon::net::tcp_stream;
using tenon_test::ending;
using tenon_test::program;
using tenon_test::program_command;

/// How many descriptors this process may have, once it has asked for all.
rlim_t descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

/// The port that the server has printed.
std::uint16_t port_of(program& server) {
  if (!server.await_output("listening on 127.0.0.1:") || !server.await_output("\n")) return 0;
  const std::string& out = server.output();
  return static_cast<std::uint16_t>(std::stoi(out.substr(out.find_last_of(':') + 1)));
}

result<tcp_stream> dial(const context& ctx, std::uint16_t port) {
  return tcp_stream::connect(ctx, {tenon::net::ip_address::loopback_v4(), port});
}

// Go: none: the guide's server, where the first failure cancels them all
TEST(Echo, AThirdOfTheConnectionsIsResetAndTheOthersDoNotNotice) {
  const int n = static_cast<int>(tenon_test::scaled_goroutines(10'000));
  if (descriptors() < static_cast<rlim_t>(n) + 100) GTEST_SKIP() << "this process may have too few descriptors";
  program server(program_command("echo", {}));
  const std::uint16_t port = port_of(server);
  ASSERT_NE(port, 0);
  std::atomic<int> answered = 0;
  std::atomic<int> wrong = 0;
  tenon::run([&](const context& root) {
    // All are connected before the first says a word, and the resets come while the others are in the middle of theirs.
    tenon::group clients(root);
    tenon::semaphore dialing(500);
    tenon::wait_group connected;
    connected.add(n);
    for (int i = 0; i < n; ++i) {
      clients.go([&, i](const context& ctx) -> error {
        (void)dialing.acquire(ctx);
        auto c = dial(ctx, port);
        dialing.release();
        connected.done();
        if (!c) return c.err();
        if (!connected.wait(ctx)) return ctx.err();
        const std::string text = "client " + std::to_string(i);
        for (int round = 0; round < 3; ++round) {
          if (error e = c->write_all(ctx, {text, "\n"})) return e;
          if (i % 3 == 0 && round == 1) {
            return c->set_linger(0s);  // its end is a reset, not an end of the stream
          }
          auto line = c->read_until(ctx, "\n");
          if (!line) return line.err();
          if (*line != text + '\n') ++wrong;
        }
        ++answered;
        return nullptr;
      });
    }
    const error e = clients.wait();
    EXPECT_FALSE(e) << e.message();
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(answered, n - (n + 2) / 3);
  server.send_signal(SIGTERM);
  const ending& e = server.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_NE(e.out.find("served " + std::to_string(n) + " connections"), std::string::npos) << e.describe();
}

class EchoUnder : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Signal, EchoUnder, testing::Values(SIGINT, SIGTERM),
                         [](const auto& p) { return std::string(p.param == SIGINT ? "Int" : "Term"); });

// Go: http.Server.Shutdown
TEST_P(EchoUnder, DeliversToASlowReaderWhatItHasBegun) {
  const std::size_t size = tenon_test::scaled(50, 5) << 20U;
  program server(program_command("echo", {"0", "300"}));
  const std::uint16_t port = port_of(server);
  ASSERT_NE(port, 0);
  std::size_t got = 0;
  bool right = true;
  tenon::run([&](const context& root) {
    auto dialed = dial(root, port);
    ASSERT_TRUE(dialed) << dialed.err().message();
    tcp_stream& c = *dialed;
    tenon::group g(root);
    g.go([&](const context& ctx) -> error {
      std::string block(64 * 1024, '\0');
      for (std::size_t at = 0; at < size; at += block.size()) {
        for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>((at + i) % 251);
        if (error e = c.write_all(ctx, block)) return e;
      }
      return c.shutdown(tenon::net::shut::write);
    });
    g.go([&](const context& ctx) -> error {
      std::string block(64 * 1024, '\0');
      bool told = false;
      for (;;) {
        const auto n = c.read_some(ctx, block);
        if (!n) return n.err() == tenon::net::eof() ? nullptr : n.err();
        for (std::size_t i = 0; i < *n; ++i) right = right && block[i] == static_cast<char>((got + i) % 251);
        got += *n;
        if (!told) server.send_signal(GetParam());
        told = true;
        tenon::sleep_for(1ms);  // a slow reader: the buffers between are full, and the server waits in its write
      }
    });
    const error e = g.wait();
    EXPECT_FALSE(e) << e.message();
  });
  EXPECT_EQ(got, size);
  EXPECT_TRUE(right);
  const ending& e = server.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_NE(e.out.find("; 1 connections go on\nserved 1 connections, of which 0 failed\n"), std::string::npos)
      << e.describe();
}

}  // namespace
