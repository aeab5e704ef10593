// Streams of net under Asio's synchronous calls: buffers, codes, deadlines.

#include <tenon/asio/asio_stream.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "support/asio.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::asio_stream;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::unix_stream;
using tenon_test::asio_error_code;
using tenon_test::asio_system_error;

/// Two ends, one of which owns its stream and one of which refers to it.
void with_pair(const std::function<void(const context&, asio_stream<unix_stream>&, asio_stream<unix_stream&>&)>& f) {
  tenon::run([&](const context& root) {
    auto [one, other] = tenon::net::socket_pair().value();
    asio_stream a(std::move(one));
    asio_stream b(other);
    f(root, a, b);
  });
}

TEST(AsioStream, ReadsAndWritesSequencesOfBuffers) {
  with_pair([](const context&, auto& a, auto& b) {
    std::vector<std::string> pieces;  // more than one system call takes
    std::vector<asio::const_buffer> sequence;
    std::string all;
    for (int i = 0; i < 50; ++i) pieces.push_back(std::string(static_cast<std::size_t>(i % 7), 'a'));
    for (const std::string& piece : pieces) {
      sequence.push_back(asio::buffer(piece));
      all += piece;
    }
    EXPECT_EQ(asio::write(a, sequence), all.size());
    std::string first(3, '\0');
    std::string none;
    std::string rest(all.size() - 3, '\0');
    const std::array<asio::mutable_buffer, 3> into{asio::buffer(first), asio::buffer(none), asio::buffer(rest)};
    EXPECT_EQ(asio::read(b, into), all.size());
    EXPECT_EQ(first + rest, all);
    EXPECT_EQ(b.read_some(asio::mutable_buffer()), 0U) << "no room: no wait";
    EXPECT_EQ(a.write_some(asio::const_buffer()), 0U);
  });
}

TEST(AsioStream, IsReadUpToADelimiterAndBuffered) {
  with_pair([](const context&, auto& a, auto& b) {
    asio::write(a, asio::buffer(std::string("one\r\ntwo\r\nrest")));
    std::string got;
    EXPECT_EQ(asio::read_until(b, asio::dynamic_buffer(got), "\r\n"), 5U);
    EXPECT_EQ(got.substr(0, 5), "one\r\n");

    asio::write(b, asio::buffer(std::string("through a buffer")));
    asio::buffered_stream<asio_stream<unix_stream>&> buffered(a);
    std::string text(16, '\0');
    EXPECT_EQ(asio::read(buffered, asio::buffer(text)), 16U);
    EXPECT_EQ(text, "through a buffer");
    asio::write(buffered, asio::buffer(std::string("back")));
    buffered.flush();
    got.clear();
    asio::read(b, asio::buffer(text, 4));
    EXPECT_EQ(text.substr(0, 4), "back");
  });
}

TEST(AsioStream, SetsAsiosCodes) {
  with_pair([](const context& root, auto& a, auto& b) {
    char one[1];
    asio_error_code ec;
    const auto scope = tenon::with_cancel(root);
    a.use(tenon::within(root, 1ms));
    EXPECT_EQ(a.read_some(asio::buffer(one), ec), 0U);
    EXPECT_NE(ec, asio_error_code()) << "the bound ended with its scope";
    scope.cancel();
    a.use(scope.ctx());
    (void)a.read_some(asio::buffer(one), ec);
    EXPECT_EQ(ec, asio::error::operation_aborted);
    (void)a.write_some(asio::buffer("x"), ec);
    EXPECT_EQ(ec, asio::error::operation_aborted);
    a.use(root);
    a.expires_after(1ms);
    (void)a.read_some(asio::buffer(one), ec);
    EXPECT_EQ(ec, asio::error::timed_out);
    a.expires_never();
    asio::write(a, asio::buffer("x", 1), ec);
    EXPECT_FALSE(ec);
    a.close();
    (void)a.read_some(asio::buffer(one), ec);
    EXPECT_EQ(ec, asio::error::bad_descriptor);
    EXPECT_EQ(b.read_some(asio::buffer(one), ec), 1U);
    EXPECT_FALSE(ec);
    (void)b.read_some(asio::buffer(one), ec);
    EXPECT_EQ(ec, asio::error::eof);
    (void)b.write_some(asio::buffer("x"), ec);
    EXPECT_EQ(ec, asio::error::broken_pipe);
    try {
      (void)b.read_some(asio::buffer(one));
      ADD_FAILURE() << "no exception";
    } catch (const asio_system_error& e) {
      EXPECT_EQ(e.code(), asio::error::eof);
    }
  });
}

// Go: the context of the goroutine is an argument of each call
TEST(AsioStream, EndsWithTheGoroutinesOwnContext) {
  with_pair([](const context& root, auto& a, auto&) {
    group g(root);
    asio_error_code ec;
    g.go([&] {
      char one[1];
      asio::read(a, asio::buffer(one), ec);
    });
    for (int i = 0; i < 100; ++i) tenon::yield();
    g.cancel();
    (void)g.wait();
    EXPECT_EQ(ec, asio::error::operation_aborted);
  });
}

TEST(AsioStream, DeadlinesAreOfTheClockOfTheRun) {
  tenon::testing::run_virtual([](const context&) {
    auto [one, other] = tenon::net::socket_pair().value();
    asio_stream a(std::move(one));
    char byte[1];
    asio_error_code ec;
    const auto begin = tenon::now();
    a.expires_after(1h);
    EXPECT_EQ(a.write_some(asio::buffer("x", 1), ec), 1U);
    EXPECT_FALSE(ec);
    (void)a.read_some(asio::buffer(byte), ec);
    EXPECT_EQ(ec, asio::error::timed_out);
    EXPECT_EQ(tenon::now() - begin, 1h);
  });
}

TEST(AsioStream, ADeadlineMayBeAsFarAwayAsTimeGoes) {
  with_pair([](const context&, auto& a, auto& b) {
    a.expires_after(std::chrono::nanoseconds::max());
    EXPECT_EQ(a.write_some(asio::buffer("x", 1)), 1U);
    b.expires_at(tenon::time_point::max());
    char byte[1];
    EXPECT_EQ(b.read_some(asio::buffer(byte)), 1U);
  });
}

TEST(AsioStream, ANilContextNeverEndsACall) {
  with_pair([](const context&, auto& a, auto& b) {
    char byte[1];
    asio_error_code ec;
    a.use(nullptr);
    asio::write(b, asio::buffer("x", 1));
    EXPECT_EQ(a.read_some(asio::buffer(byte)), 1U);
    a.expires_after(1ms);
    (void)a.read_some(asio::buffer(byte), ec);
    EXPECT_EQ(ec, asio::error::timed_out);
  });
}

// Slowloris: no byte puts the end off.
TEST(AsioStream, ADeadlineBoundsAllTheReadsOfACall) {
  with_pair([](const context& root, auto& a, auto& b) {
    const auto scope = tenon::with_cancel(root);
    group g(root);
    g.go([&] {
      asio_error_code ec;
      while (!ec && tenon::sleep_for(scope.ctx(), 1ms)) asio::write(a, asio::buffer("x", 1), ec);
    });
    std::string got;
    asio_error_code ec;
    b.expires_after(20ms);
    asio::read_until(b, asio::dynamic_buffer(got), "\n", ec);
    EXPECT_EQ(ec, asio::error::timed_out);
    scope.cancel();
    EXPECT_FALSE(g.wait());
  });
}

}  // namespace
