// Sockets under load: a close among reads and writes while others get its number, reads that are given up and made again, servers that are
// closed while clients come.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "stress/workers_case.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::eof;
using tenon::net::errc;
using tenon::net::ip_address;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon_test::random_source;
using tenon_test::scaled;
using tenon_test::seed_in_use;
using tenon_test::watchdog;

/// What a call ends with when this side or the other has closed.
bool is_an_end(const error& e) {
  return e == eof() || e.is(errc::closed) || e.is(std::errc::broken_pipe) || e.is(std::errc::connection_reset);
}

using NetStress = tenon_test::workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, NetStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Every pair has a byte of its own. A call that met the number of a closed socket again, which another pair has by then, would
// read that one's, or write to it.
TEST_P(NetStress, ACloseAmongOthersNeverMeetsTheNextFile) {
  const seed_in_use seed;
  const std::size_t rounds = scaled(150, 20);
  std::atomic<std::size_t> strangers = 0;
  in_run([&](const context& root) {
    group all(root);
    all.go_n(8, [&](const context& ctx, int who) -> error {
      random_source random(seed.of(static_cast<std::uint64_t>(who)));
      const char mine = static_cast<char>('a' + who);
      for (std::size_t round = 0; round < rounds; ++round) {
        auto [a, b] = tenon::net::socket_pair().value();
        const auto read = [&](tenon::net::stream& s) -> error {
          std::array<char, 300> block{};
          for (;;) {
            const auto n = s.read_some(ctx, block);
            if (!n) return is_an_end(n.err()) ? nullptr : n.err();
            for (std::size_t i = 0; i < *n; ++i) strangers += block[i] != mine ? 1 : 0;
          }
        };
        const auto write = [&](tenon::net::stream& s) -> error {
          const std::string block(500, mine);
          for (;;) {
            error e = s.write_all(ctx, block);
            if (e) return is_an_end(e) ? nullptr : e;
          }
        };
        group users(ctx);
        for (auto* s : {&a, &b}) {
          users.go([&read, s] { return read(*s); });
          users.go([&write, s] { return write(*s); });
        }
        for (auto n = random.below(20); n > 0; --n) tenon::yield();
        if (error e = a.close()) return e;
        if (error e = users.wait()) return e;
        watchdog::step();
      }
      return nullptr;
    });
    const error e = all.wait();
    EXPECT_FALSE(e) << e.message();
  });
  EXPECT_EQ(strangers, 0U);
}

// A deadline in the middle of a number costs nothing: the next read has all of it, and in order.
TEST_P(NetStress, ReadsThatAreGivenUpLoseNothing) {
  const seed_in_use seed;
  const auto count = static_cast<std::uint32_t>(scaled(20'000, 500));
  in_run([&](const context& root) {
    auto [a, b] = tenon::net::socket_pair().value();
    group g(root);
    const auto rest = tenon::make_chan<void>();  // closed when the first half of a number has been given up
    g.go([&, &a = a](const context& ctx) -> error {
      random_source random(seed.of(0));
      std::vector<char> all(std::size_t{4} * count);
      for (std::uint32_t i = 0; i < count; ++i) std::memcpy(&all[std::size_t{4} * i], &i, 4);
      for (std::size_t at = 0; at < all.size();) {
        const std::size_t n = std::min(all.size() - at, 1 + random.below(9));
        if (error e = a.write_all(ctx, {all.data() + at, at == 0 ? 2 : n})) return e;
        at += at == 0 ? 2 : n;
        (void)rest.recv(ctx);
        if (random.one_in(4)) tenon::yield();
      }
      return nullptr;
    });
    std::uint32_t given_up = 0;
    g.go([&, &b = b](const context& ctx) -> error {
      random_source random(seed.of(1));
      for (std::uint32_t i = 0; i < count;) {
        std::array<char, 4> number{};
        const auto scope = tenon::with_cancel(ctx);
        group other(ctx);
        if (given_up == 0 || random.one_in(8)) other.go([&] { scope.cancel(); });
        if (error e = b.read_exactly(scope.ctx(), number); e == tenon::canceled()) {
          if (++given_up == 1) rest.close();
          continue;
        } else if (e) {
          return e;
        }
        std::uint32_t got = 0;
        std::memcpy(&got, number.data(), 4);
        if (got != i) return error(std::to_string(got) + " in place of " + std::to_string(i));
        ++i;
        watchdog::step();
      }
      return nullptr;
    });
    const error e = g.wait();
    EXPECT_FALSE(e) << e.message();
    EXPECT_GT(given_up, 0U);
  });
}

// A listener is closed while clients come: each is served, refused or cut off, and nobody waits for ever.
TEST_P(NetStress, AListenerIsClosedWhileClientsCome) {
  const seed_in_use seed;
  const std::size_t rounds = scaled(100, 10);
  std::atomic<std::size_t> served = 0;
  in_run([&](const context& root) {
    random_source random(seed.of(0));
    for (std::size_t round = 0; round < rounds; ++round) {
      auto at = tcp_listener::listen("127.0.0.1:0").value();
      const auto here = at.local().value();
      group servers(root);
      group connections(root, [](const error& e) { ADD_FAILURE() << e.message(); });
      servers.go_n(3, [&](const context& ctx) -> error {
        for (;;) {
          auto peer = at.accept(ctx);
          if (!peer) return peer.err().is(errc::closed) ? nullptr : peer.err();
          connections.go([p = *std::move(peer)](const context& c) mutable -> error {
            auto line = p.read_until(c, "\n");
            if (!line) return line.err() == eof() ? nullptr : line.err();
            return p.write_all(c, *line);
          });
        }
      });
      group clients(root);
      clients.go_n(20, [&](const context& ctx) -> error {
        auto s = tcp_stream::connect(ctx, here);
        if (!s) return s.err().is(std::errc::connection_refused) || is_an_end(s.err()) ? nullptr : s.err();
        error e = s->write_all(ctx, "hello\n");
        auto line = e ? tenon::result<std::string>(e) : s->read_until(ctx, "\n");
        if (line) {
          ++served;
          return nullptr;
        }
        e = line.err();
        return is_an_end(e) ? nullptr : e;
      });
      for (auto n = random.below(60); n > 0; --n) tenon::yield();
      EXPECT_FALSE(at.close());
      watchdog::step();
      for (group* g : {&servers, &clients, &connections}) {
        const error e = g->wait();
        EXPECT_FALSE(e) << e.message();
      }
    }
  });
  EXPECT_GT(served, 0U);
}

}  // namespace
