#include <tenon/net/serve.hpp>

// Servers: a goroutine a connection, the limit, shortages, the two-level end.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::net::errc;
using tenon::net::serve_counters;
using tenon::net::serve_options;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;

/// Answers line by line until the client has said all.
error answer(const context& ctx, tcp_stream peer) {
  for (;;) {
    auto line = peer.read_until(ctx, "\n");
    if (!line) return line.err() == eof() ? nullptr : line.err();
    if (error e = peer.write_all(ctx, {"you said: ", *line})) return e;
  }
}

/// A server that `stop` tells to end, and what `clients` do to it. Returns what `serve` does.
error with_server(
    const serve_options& options,
    const std::function<void(const context&, const tenon::net::endpoint&, const std::function<void()>& stop)>& clients,
    std::function<error(const context&, tcp_stream)> f = answer) {
  error outcome;
  tenon::run([&](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const auto told = tenon::with_cancel(root);
    std::atomic<int> failed = 0;
    group connections(root, [&](const error&) { ++failed; });
    group server(root);
    const tenon::net::endpoint here = at.local().value();
    server.go([&] { outcome = serve(told.ctx(), connections, at, f, options); });
    clients(root, here, [&] { told.cancel(); });
    told.cancel();
    EXPECT_FALSE(server.wait());
    EXPECT_FALSE(at.is_open());
    EXPECT_EQ(connections.active(), 0U);
  });
  return outcome;
}

std::string ask(const context& ctx, tcp_stream& to, const std::string& line) {
  EXPECT_FALSE(to.write_all(ctx, {line, "\n"}));
  return to.read_until(ctx, "\n").value_or("no answer");
}

// Go: http.Server
TEST(NetServe, GivesEachConnectionAGoroutine) {
  serve_counters counters;
  const error e = with_server({.counters = &counters}, [](const context& ctx, const auto& at, const auto&) {
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(tcp_stream::connect(ctx, at).value());
    for (auto& c : clients) EXPECT_EQ(ask(ctx, c, "hello"), "you said: hello\n");
    for (auto& c : clients) EXPECT_EQ(ask(ctx, c, "again"), "you said: again\n");
  });
  EXPECT_FALSE(e) << e.message();
  EXPECT_EQ(counters.accepted, 10U);
  EXPECT_EQ(counters.waits_for_limit, 0U);
  EXPECT_EQ(counters.shortages, 0U);
}

TEST(NetServe, AResetEndsNoOtherConnection) {
  const error e = with_server({}, [](const context& ctx, const auto& at, const auto&) {
    auto good = tcp_stream::connect(ctx, at).value();
    auto bad = tcp_stream::connect(ctx, at).value();
    EXPECT_EQ(ask(ctx, bad, "hello"), "you said: hello\n");
    EXPECT_FALSE(bad.set_linger(0s));
    EXPECT_FALSE(bad.close());
    EXPECT_EQ(ask(ctx, good, "still there"), "you said: still there\n");
  });
  EXPECT_FALSE(e);
}

// Go: netutil.LimitListener
TEST(NetServe, AcceptsNoMoreThanTheLimitAndLosesNone) {
  serve_counters counters;
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  const error e = with_server(
      {.max_connections = 3, .counters = &counters},
      [&](const context& ctx, const auto& at, const auto&) {
        group g(ctx);
        g.go_n(20, [&](const context& c) {
          auto to = tcp_stream::connect(c, at).value();
          while (counters.waits_for_limit == 0) tenon::yield();  // as none has asked, none of the first three has gone
          EXPECT_EQ(ask(c, to, "hello"), "you said: hello\n");
        });
        EXPECT_FALSE(g.wait());
      },
      [&](const context& ctx, tcp_stream peer) {
        const int n = ++now;
        for (int m = most; m < n && !most.compare_exchange_weak(m, n);) {
        }
        error why = answer(ctx, std::move(peer));
        --now;
        return why;
      });
  EXPECT_FALSE(e);
  EXPECT_EQ(counters.accepted, 20U);
  EXPECT_GE(counters.waits_for_limit, 1U);
  EXPECT_LE(most, 3);
}

// Go: Server.Shutdown
TEST(NetServe, LetsConnectionsFinishAndRefusesNewOnes) {
  const error e = with_server({.grace = 1h}, [](const context& ctx, const auto& at, const auto& stop) {
    auto client = tcp_stream::connect(ctx, at).value();
    EXPECT_EQ(ask(ctx, client, "hello"), "you said: hello\n");
    stop();
    while (tcp_stream::connect(ctx, at)) tenon::yield();
    EXPECT_EQ(ask(ctx, client, "and now"), "you said: and now\n");
  });
  EXPECT_FALSE(e);
}

TEST(NetServe, CutsConnectionsAfterItsGrace) {
  const error e = with_server({.grace = 1ms}, [](const context& ctx, const auto& at, const auto& stop) {
    auto client = tcp_stream::connect(ctx, at).value();
    EXPECT_EQ(ask(ctx, client, "hello"), "you said: hello\n");
    stop();
    EXPECT_FALSE(client.read_until(ctx, "\n")) << "it is closed, though the client wants more";
  });
  EXPECT_FALSE(e);
}

TEST(NetServe, ACloseOfTheListenerEndsItToo) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    group connections(root);
    group g(root);
    error e = tenon::canceled();
    g.go([&] { e = serve(root, connections, at, answer); });
    for (int i = 0; i < 100; ++i) tenon::yield();
    EXPECT_FALSE(at.close());
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(e) << e.message();
  });
}

TEST(NetServe, ACloseOfTheListenerEndsItAlsoAtTheLimit) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const auto here = at.local().value();
    serve_counters counters;
    group connections(root);
    group g(root);
    error e = tenon::canceled();
    g.go([&] { e = serve(root, connections, at, answer, {.max_connections = 1, .counters = &counters}); });
    auto client = tcp_stream::connect(root, here).value();
    while (counters.waits_for_limit == 0) tenon::yield();
    EXPECT_FALSE(at.close());
    while (tcp_stream::connect(root, here)) tenon::yield();
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(e) << e.message();
  });
}

// No further client has to come for that.
TEST(NetServe, EndsWithItsGroup) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    group connections(root);
    group g(root);
    g.go([&] { (void)serve(root, connections, at, answer); });
    tenon_test::settle();
    connections.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(at.is_open());
  });
}

TEST(NetServe, EndsWithItsGroupAlsoAtTheLimit) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const auto here = at.local().value();
    serve_counters counters;
    group connections(root);
    group g(root);
    g.go([&] { (void)serve(root, connections, at, answer, {.max_connections = 1, .counters = &counters}); });
    auto client = tcp_stream::connect(root, here).value();
    while (counters.waits_for_limit == 0) tenon::yield();
    connections.cancel();  // its member gives the seat back
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(at.is_open());
  });
}

TEST(NetServe, TakesAContextThatNeverEndsForOneAtTheLimitToo) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    const auto here = at.local().value();
    serve_counters counters;
    group connections(root);
    group g(root);
    error e = tenon::canceled();
    g.go([&] { e = serve(context(), connections, at, answer, {.max_connections = 1, .counters = &counters}); });
    auto client = tcp_stream::connect(root, here).value();
    while (counters.waits_for_limit == 0) tenon::yield();
    EXPECT_FALSE(at.close());
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(e) << e.message();
  });
}

// A process that is out of descriptors says so once, waits, and serves those who waited.
TEST(NetServe, ASurvivedShortageIsSaidOnceAndLosesNoConnection) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // UndefinedBehaviorSanitizer looks at an object of a class that it has not seen yet through a pipe, for which there will be no descriptors.
  EXPECT_FALSE(error(std::make_error_code(std::errc::too_many_files_open)).is(std::errc::no_buffer_space));
  EXPECT_FALSE(error(std::error_code(EMFILE, std::system_category())).is(std::errc::no_buffer_space));
  serve_counters counters;
  int said = 0;
  const auto shortage = tenon::make_chan<error>(1, "it is said once");
  const error e = with_server({.on_shortage =
                                   [&](const error& why) {
                                     ++said;
                                     shortage.send(why);
                                   },
                               .counters = &counters},
                              [&](const context& ctx, const auto& at, const auto&) {
                                // Two sockets that are there before the limit is, and connect under it.
                                auto first = tcp_stream::connect(ctx, at).value();
                                EXPECT_EQ(ask(ctx, first, "hello"), "you said: hello\n");
                                int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
                                ::close(next);
                                rlimit tight = before;
                                tight.rlim_cur =
                                    static_cast<rlim_t>(next) + 1;  // room for the client, and none for the server
                                ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
                                auto second = tcp_stream::connect(ctx, at);
                                EXPECT_TRUE(shortage.recv().value().is(std::errc::too_many_files_open));
                                EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
                                EXPECT_EQ(ask(ctx, *second, "hello"), "you said: hello\n");
                                EXPECT_EQ(ask(ctx, first, "again"), "you said: again\n");
                              });
  EXPECT_FALSE(e) << e.message();
  EXPECT_EQ(said, 1);
  EXPECT_GE(counters.shortages, 1U);
  EXPECT_EQ(counters.accepted, 2U);
}

TEST(NetServe, FailsWhenNoConnectionWillCome) {
  tenon::run([](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    group connections(root);
    ASSERT_EQ(::shutdown(at.native_handle(), SHUT_RDWR), 0);
    serve_counters counters;
    const error e = serve(root, connections, at, answer, {.max_connections = SIZE_MAX, .counters = &counters});
    EXPECT_TRUE(e.is(std::errc::invalid_argument)) << e.message();
    EXPECT_EQ(counters.shortages, 0U) << "nothing was short";
  });
}

}  // namespace
