#include <tenon/net/dial.hpp>

// Names and what they stand for: resolve and dial. Without a name server: nothing is asked for that /etc/hosts does not have.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/pipe_ends.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::net::dial;
using tenon::net::endpoint;
using tenon::net::errc;
using tenon::net::ip_address;
using tenon::net::resolve;
using tenon::net::tcp_listener;

// Go: net.Resolver
TEST(NetResolve, ReadsAddressesByItself) {
  // Outside of a run: nothing is looked up.
  const context none = tenon::background();
  EXPECT_EQ(resolve(none, "192.0.2.1", "80").value(), std::vector{*endpoint::parse("192.0.2.1:80")});
  EXPECT_EQ(resolve(none, "::1", "0").value(), std::vector{*endpoint::parse("[::1]:0")});
}

TEST(NetResolve, FindsThisMachine) {
  tenon::run([](const context& root) {
    for (const char* host : {"localhost", ""}) {
      const auto found = resolve(root, host, "80");
      ASSERT_TRUE(found) << found.err().message();
      EXPECT_TRUE(
          std::ranges::all_of(*found, [](const endpoint& e) { return e.address.is_loopback() && e.port == 80; }));
      EXPECT_EQ(std::set<endpoint>(found->begin(), found->end()).size(), found->size()) << "each once";
    }
  });
}

TEST(NetResolve, RefusesServicesThatAreNone) {
  tenon::run([](const context& root) {
    using namespace std::string_view_literals;
    for (const auto service : {""sv, "65536"sv, "99999999999"sv, "+80"sv, " 80"sv, "-65456"sv, "80\0"sv, "http\0"sv}) {
      EXPECT_TRUE(resolve(root, "127.0.0.1", service).err().is(errc::no_such_service)) << service;
    }
    for (const auto service : {"80"sv, "http"sv}) {
      EXPECT_TRUE(resolve(root, "localhost\0.example"sv, service).err().is(errc::no_such_host)) << service;
    }
    EXPECT_FALSE(resolve(root, "127.0.0.1", "no such service at all"));
  });
}

TEST(NetResolve, EndsAtOnceWithItsContext) {
  tenon::run([](const context& root) {
    const auto scope = tenon::with_cancel(root);
    scope.cancel();
    EXPECT_EQ(resolve(scope.ctx(), "localhost", "80").err(), tenon::canceled());
  });
}

// Go: net.Dial
TEST(NetDial, ConnectsToANameOrAnAddress) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const std::string port = std::to_string(at.local().value().port);
    for (const std::string host : {"127.0.0.1", "localhost", ""}) {
      auto s = dial(root, host + ':' + port);
      ASSERT_TRUE(s) << s.err().message();
      EXPECT_EQ(s->peer().address, ip_address::loopback_v4());
      EXPECT_TRUE(at.accept(root));
    }
  });
}

TEST(NetDial, SaysWhatItTried) {
  tenon::run([](const context& root) {
    std::string gone;
    {
      auto was = tcp_listener::listen("127.0.0.1:0").value();
      gone = was.local().value().to_string();
    }
    const error e = dial(root, gone).err();
    EXPECT_TRUE(e.is(std::errc::connection_refused)) << e.message();
    EXPECT_EQ(e.message(), "dial " + gone + ": connect " + gone + ": Connection refused");
    EXPECT_TRUE(dial(root, "127.0.0.1").err().is(errc::not_an_address));
    EXPECT_TRUE(dial(root, "127.0.0.1:65536").err().is(errc::no_such_service));
    EXPECT_TRUE(dial(root, "::1:80").err().is(errc::not_an_address));
  });
}

/// How many connections wait to be accepted at a port of 127.0.0.1.
unsigned waiting_at(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    unsigned local = 0;
    unsigned state = 0;
    unsigned waiting = 0;
    constexpr unsigned listening = 10;
    if (std::sscanf(line.c_str(), " %*d: %*x:%x %*x:%*x %x %*x:%x", &local, &state, &waiting) == 3 && local == port &&
        state == listening) {
      return waiting;
    }
  }
  return 0;
}

/// A listener that does not answer any more: what it had room for has been taken.
struct silent_listener {
  explicit silent_listener(const context& root) {
    const endpoint here = at.local().value();
    first = tenon::net::tcp_stream::connect(root, here).value();
    while (waiting_at(here.port) == 0) tenon::yield();  // known at this end, and not yet at the other
  }
  tcp_listener at = tcp_listener::listen("127.0.0.1:0", {.backlog = 0}).value();
  tenon::net::tcp_stream first;
};

// Go: net.Dialer, dualStack; RFC 8305
TEST(NetDial, TriesTheNextAddressBesideOneThatDoesNotAnswer) {
  tenon::run([](const context& root) {
    silent_listener silent(root);
    auto good = tcp_listener::listen("127.0.0.1:0").value();
    const endpoint order[] = {silent.at.local().value(), good.local().value()};
    auto s = dial(root, order, {.attempt_delay = 1ms});
    ASSERT_TRUE(s) << s.err().message();
    EXPECT_EQ(s->peer(), order[1]);
  });
}

TEST(NetDial, TriesTheNextAddressAtOnceWhenOneFails) {
  tenon::run([](const context& root) {
    endpoint gone;
    {
      auto was = tcp_listener::listen("127.0.0.1:0").value();
      gone = was.local().value();
    }
    auto good = tcp_listener::listen("127.0.0.1:0").value();
    const endpoint order[] = {gone, gone, good.local().value()};
    auto s = dial(root, order, {.attempt_delay = 24h});  // which nobody waits for
    ASSERT_TRUE(s) << s.err().message();
    EXPECT_EQ(s->peer(), order[2]);
    const endpoint all_gone[] = {gone, gone};
    EXPECT_TRUE(dial(root, all_gone).err().is(std::errc::connection_refused));
    EXPECT_TRUE(dial(root, std::span<const endpoint>()).err().is(errc::not_an_address));
  });
}

// A watch that a bare close has left tells of a file that had the number before.
TEST(NetTcpStream, AnEventOfAnotherFileIsNoConnection) {
  tenon::run([](const context& root) {
    silent_listener silent(root);
    const endpoint here = silent.at.local().value();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    EXPECT_EQ(tenon::wait_readable(tenon::within(root, 1ms), ends[0]), tenon::deadline_exceeded());
    const int copy = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    ::close(ends[0]);
    tenon::group g(root);
    bool connected = false;
    g.go([&](const context& ctx) { connected = bool(tenon::net::tcp_stream::connect(ctx, here)); });
    while (::fcntl(ends[0], F_GETFD) == -1) tenon::yield();  // the lowest that is free
    for (int i = 0; i < 100; ++i) tenon::yield();
    ::close(ends[1]);  // the end of the pipe, which both directions hear of
    const tenon_test::pipe_ends marker;
    marker.put();
    EXPECT_EQ(tenon::wait_readable(marker.out), nullptr);  // which is told after it
    for (int i = 0; i < 100; ++i) tenon::yield();
    g.cancel();
    EXPECT_EQ(g.wait(), nullptr);
    EXPECT_FALSE(connected);
    ::close(copy);
  });
}

TEST(NetDial, EndsWithItsContext) {
  tenon::run([](const context& root) {
    silent_listener silent(root);
    const std::string here = silent.at.local().value().to_string();
    const auto scope = tenon::with_cancel(root);
    tenon::group g(root);
    error e;
    g.go([&] { e = dial(scope.ctx(), here).err(); });
    for (int i = 0; i < 100; ++i) tenon::yield();
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(e, tenon::canceled()) << e.message();
  });
}

}  // namespace
