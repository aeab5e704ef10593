// Asynchronous operations of Asio's, called from goroutines: what they return, and what ends them.

#include <tenon/asio/use_goroutine.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/asio.hpp"
#include "support/callers.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::driven_io_context;
using tenon::error;
using tenon::group;
using tenon::result;
using tenon::use_goroutine;
using tenon_test::asio_error_code;
using tenon_test::asio_system_error;
using tcp = asio::ip::tcp;

/// An operation that completes in `io` with these values.
template <class Signature, class... Values>
auto complete(asio::io_context& io, Values... values) {
  return asio::async_initiate<const tenon::use_goroutine_t, Signature>(
      [&io](auto handler, auto... with) {
        asio::post(io, [h = std::move(handler), ... w = std::move(with)]() mutable { std::move(h)(std::move(w)...); });
      },
      use_goroutine, std::move(values)...);
}

/// The two ends of a connection between Asio's own sockets.
std::pair<tcp::socket, tcp::socket> connection(asio::io_context& io) {
  tcp::acceptor at(io, {asio::ip::address_v4::loopback(), 0});
  tcp::socket client(io);
  client.connect(at.local_endpoint());
  return {std::move(client), at.accept()};
}

// Go: <-time.After(d)
TEST(UseGoroutine, ReturnsWhenTheOperationHasCompleted) {
  tenon::run([](const context& root) {
    driven_io_context io;
    asio::steady_timer at(io, 1ms);
    static_assert(std::is_same_v<decltype(at.async_wait(use_goroutine)), error>);
    EXPECT_FALSE(at.async_wait(use_goroutine));
    at.expires_after(1ms);
    EXPECT_FALSE(at.async_wait(use_goroutine(root)));
    EXPECT_GE(std::chrono::steady_clock::now(), at.expiry());
  });
}

TEST(UseGoroutine, ReturnsWhatTheOperationCompletesWith) {
  tenon::run([](const context&) {
    driven_io_context io;
    const asio_error_code good;
    const asio_error_code bad = asio::error::connection_reset;
    complete<void()>(io);
    EXPECT_EQ(complete<void(int)>(io, 7), 7);
    EXPECT_EQ(complete<void(int, std::string)>(io, 7, std::string("a")), std::tuple(7, std::string("a")));
    EXPECT_FALSE(complete<void(asio_error_code)>(io, good));
    EXPECT_TRUE(complete<void(asio_error_code)>(io, bad).is(std::errc::connection_reset));
    EXPECT_EQ(complete<void(asio_error_code, int)>(io, good, 7).value(), 7);
    EXPECT_TRUE(complete<void(asio_error_code, int)>(io, bad, 7).err().is(std::errc::connection_reset));
    const auto two = complete<void(asio_error_code, int, std::string)>(io, good, 7, std::string("a"));
    EXPECT_EQ(two.value(), std::tuple(7, std::string("a")));
    auto moved = complete<void(asio_error_code, std::unique_ptr<int>)>(io, good, std::make_unique<int>(7));
    EXPECT_EQ(**moved, 7);
    EXPECT_FALSE(complete<void(std::exception_ptr)>(io, std::exception_ptr()));
    const auto failure = std::make_exception_ptr(std::runtime_error("why"));
    EXPECT_THROW(complete<void(std::exception_ptr)>(io, failure).rethrow(), std::runtime_error);
    EXPECT_THROW((void)(complete<void(std::exception_ptr, int)>(io, failure, 7).value()), std::runtime_error);
  });
}

TEST(UseGoroutine, SaysTheEndOfAStreamAsNetDoes) {
  tenon::run([](const context&) {
    driven_io_context io;
    auto [a, b] = connection(io);
    a.close();
    char one[1];
    EXPECT_EQ(b.async_read_some(asio::buffer(one), use_goroutine).err(), tenon::net::eof());
  });
}

// Go: ctx.Err()
TEST(UseGoroutine, EndsWithTheContext) {
  tenon::run([](const context& root) {
    driven_io_context io;
    asio::steady_timer never(io, 1h);
    EXPECT_EQ(never.async_wait(use_goroutine(tenon::within(root, 1ms))), tenon::deadline_exceeded());

    const auto scope = tenon::with_cancel(root);
    group g(root);
    error e;
    g.go([&] { e = never.async_wait(use_goroutine(scope.ctx())); });
    for (int i = 0; i < 100; ++i) tenon::yield();
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(e, tenon::canceled());
    EXPECT_EQ(never.async_wait(use_goroutine(scope.ctx())), tenon::canceled()) << "it is not started";
    EXPECT_EQ(never.cancel(), 0U);
  });
}

TEST(UseGoroutine, EndsWithTheGoroutinesOwnContext) {
  tenon::run([](const context& root) {
    driven_io_context io;
    auto [a, b] = connection(io);
    group g(root);
    error e;
    char block[100];
    g.go([&, &a = a] { e = asio::async_read(a, asio::buffer(block), use_goroutine).err(); });
    for (int i = 0; i < 100; ++i) tenon::yield();
    g.cancel();
    (void)g.wait();
    EXPECT_EQ(e, tenon::canceled());
  });
}

TEST(UseGoroutine, EndsWithTheContextUnderAnExecutorThatIsBoundToIt) {
  tenon::run([](const context& root) {
    driven_io_context io;
    asio::steady_timer never(io, 1h);
    const auto strand = asio::make_strand(io);
    EXPECT_EQ(never.async_wait(asio::bind_executor(strand, use_goroutine(tenon::within(root, 1ms)))),
              tenon::deadline_exceeded());
    asio_error_code ec;
    never.async_wait(asio::redirect_error(asio::bind_executor(strand, use_goroutine(tenon::within(root, 1ms))), ec));
    EXPECT_EQ(ec, asio::error::operation_aborted) << "Asio's own, where Asio says it";
  });
}

TEST(UseGoroutine, EndsACoroutineWithTheContextAndItsError) {
  tenon::run([](const context& root) {
    driven_io_context io;
    const auto waits = []() -> asio::awaitable<void> {
      asio::steady_timer never(co_await asio::this_coro::executor, 1h);
      co_await never.async_wait(asio::use_awaitable);
    };
    EXPECT_EQ(asio::co_spawn(io, waits(), use_goroutine(tenon::within(root, 1ms))), tenon::deadline_exceeded());
    const auto fails_when_it_is_to_end = []() -> asio::awaitable<int> {
      asio::steady_timer never(co_await asio::this_coro::executor, 1h);
      asio_error_code ec;
      co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      throw std::runtime_error("why");
    };
    const auto of_its_own = asio::co_spawn(io, fails_when_it_is_to_end(), use_goroutine(tenon::within(root, 1ms)));
    EXPECT_THROW(of_its_own.err().rethrow(), std::runtime_error) << "what it says itself stays";
  });
}

// The cancel comes when the operation has succeeded already, or takes no notice.
TEST(UseGoroutine, ReturnsASuccessThoughItsContextHasEnded) {
  tenon::run([](const context& root) {
    driven_io_context io;
    const auto scope = tenon::with_cancel(root);
    const auto outcome = asio::async_initiate<const tenon::use_goroutine_t, void(asio_error_code, int)>(
        [&](auto handler) {
          asio::post(io, [&, h = std::move(handler)]() mutable {
            scope.cancel();
            asio::post(io, [h2 = std::move(h)]() mutable { std::move(h2)(asio_error_code(), 7); });
          });
        },
        use_goroutine(scope.ctx()));
    EXPECT_EQ(outcome.value(), 7);
  });
}

TEST(UseGoroutine, CancelsRaceWithCompletions) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          driven_io_context io;
          asio::steady_timer at(io);
          int completed = 0;
          for (int i = 0; i < 500; ++i) {
            at.expires_after(std::chrono::microseconds(i % 50));
            const error e = at.async_wait(use_goroutine(tenon::within(root, std::chrono::microseconds(25))));
            EXPECT_TRUE(!e || e == tenon::deadline_exceeded()) << e.message();
            completed += e ? 0 : 1;
          }
          at.expires_after(0ms);
          EXPECT_FALSE(at.async_wait(use_goroutine)) << completed;
        },
        {.workers = workers});
  }
}

TEST(UseGoroutine, FailsWhenItsIoContextHasGone) {
  tenon::run([](const context& root) {
    auto io = std::make_unique<asio::io_context>();  // which nobody runs
    const auto begun = tenon::make_chan<void>();
    group g(root);
    error e;
    bool threw = false;
    g.go([&] {
      e = asio::async_initiate<const tenon::use_goroutine_t, void(asio_error_code)>(
          [&](auto handler) {
            asio::post(*io, [h = std::move(handler)]() mutable { std::move(h)(asio_error_code()); });
            begun.send();
          },
          use_goroutine);
    });
    g.go([&] {
      try {
        asio::async_initiate<const tenon::use_goroutine_t, void()>(
            [&](auto handler) {
              asio::post(*io, [h = std::move(handler)]() mutable { std::move(h)(); });
              begun.send();
            },
            use_goroutine);
      } catch (const asio_system_error& dropped) {
        threw = dropped.code() == asio::error::operation_aborted;
      }
    });
    (void)begun.recv();
    (void)begun.recv();
    io.reset();
    EXPECT_FALSE(g.wait());
    EXPECT_TRUE(e.is(std::errc::operation_canceled)) << e.message();
    EXPECT_TRUE(threw);
  });
}

// The context's end and that of the io_context, before the waiter has run again.
TEST(UseGoroutine, FailsWhenItsIoContextHasGoneAndItsContextHasEnded) {
  tenon::run(
      [](const context& root) {
        auto io = std::make_unique<asio::io_context>();  // which nobody runs
        const auto scope = tenon::with_cancel(root);
        group g(root);
        error e;
        g.go([&] {
          e = asio::async_initiate<const tenon::use_goroutine_t, void(asio_error_code)>(
              [&](auto handler) {
                const auto ex = asio::get_associated_executor(handler, io->get_executor());
                asio::post(ex, [h = std::move(handler)]() mutable { std::move(h)(asio_error_code()); });
              },
              use_goroutine(scope.ctx()));
        });
        tenon_test::settle();
        scope.cancel();
        io.reset();
        EXPECT_FALSE(g.wait());
        EXPECT_TRUE(e.is(std::errc::operation_canceled)) << e.message();
      },
      {.workers = 1});
}

/// The start of an operation of an object with an executor.
struct throws_in_executor {
  using executor_type = asio::io_context::executor_type;
  executor_type ex;
  [[nodiscard]] executor_type get_executor() const noexcept { return ex; }
  void operator()(auto&&) const { throw std::runtime_error("not started"); }
};

TEST(UseGoroutine, ThrowsWhatTheStartOfTheOperationThrows) {
  tenon::run([](const context&) {
    driven_io_context io;
    using token = const tenon::use_goroutine_t;
    EXPECT_THROW(
        (asio::async_initiate<token, void()>([](auto&&) { throw std::runtime_error("not started"); }, use_goroutine)),
        std::runtime_error);
    EXPECT_THROW((asio::async_initiate<token, void()>(throws_in_executor{io.get_executor()}, use_goroutine)),
                 std::runtime_error);
  });
}

TEST(UseGoroutine, CanBeWrappedWhereAnErrorComesWithPartOfAValue) {
  tenon::run([](const context&) {
    driven_io_context io;
    for (const bool as_tuple : {false, true}) {
      auto [a, b] = connection(io);
      asio::write(a, asio::buffer("part", 4));
      a.close();
      char ten[10];
      asio_error_code ec;
      std::size_t n = 0;
      if (as_tuple) {
        std::tie(ec, n) = asio::async_read(b, asio::buffer(ten), asio::experimental::as_tuple(use_goroutine));
      } else {
        n = asio::async_read(b, asio::buffer(ten), asio::redirect_error(use_goroutine, ec));
      }
      EXPECT_EQ(ec, asio::error::eof);
      EXPECT_EQ(n, 4U);
    }
  });
}

/// Completes with whether it was started in its executor.
struct says_where_it_starts {
  using executor_type = asio::io_context::executor_type;
  executor_type ex;
  [[nodiscard]] executor_type get_executor() const noexcept { return ex; }
  void operator()(auto&& handler) const {
    asio::post(ex, [h = std::move(handler), there = ex.running_in_this_thread()]() mutable {
      std::move(h)(asio_error_code(), there);
    });
  }
};

TEST(UseGoroutine, StartsInTheExecutorOfTheObjectHoweverItIsWrapped) {
  tenon::run([](const context&) {
    driven_io_context io;
    const auto starts_there = [&](auto&& token) {
      return asio::async_initiate<decltype(token), void(asio_error_code, bool)>(says_where_it_starts{io.get_executor()},
                                                                                token);
    };
    asio_error_code ec;
    EXPECT_TRUE(starts_there(use_goroutine).value());
    EXPECT_TRUE(std::get<1>(starts_there(asio::experimental::as_tuple(use_goroutine))));
    EXPECT_TRUE(starts_there(asio::redirect_error(use_goroutine, ec)));
    EXPECT_TRUE(starts_there(asio::redirect_error(asio::bind_executor(io.get_executor(), use_goroutine), ec)));
    // As Beast does: the first argument leads to the object.
    const says_where_it_starts object{io.get_executor()};
    EXPECT_TRUE(
        (asio::async_initiate<const tenon::use_goroutine_t, void(asio_error_code, bool)>(
             [](auto handler, const says_where_it_starts* of) { (*of)(std::move(handler)); }, use_goroutine, &object))
            .value());
    const auto strand = asio::make_strand(io);
    EXPECT_TRUE(starts_there(asio::bind_executor(strand, use_goroutine)).value());
    driven_io_context elsewhere;  // not the object's, but the one that is bound
    EXPECT_FALSE(starts_there(asio::bind_executor(elsewhere.get_executor(), use_goroutine)).value());
  });
}

TEST(UseGoroutine, LetsOneReadWhileAnotherWrites) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [](const context& root) {
          driven_io_context io;
          auto [a, b] = connection(io);
          const std::string much(1 << 20U, 'x');
          std::array<std::string, 2> got;
          group g(root);
          int i = 0;
          for (tcp::socket* s : {&a, &b}) {
            std::string& into = got[static_cast<std::size_t>(i++)];
            into.resize(much.size());
            g.go([s, &much] { return asio::async_write(*s, asio::buffer(much), use_goroutine).err(); });
            g.go([s, &into] {
              const auto wrapped = asio::experimental::as_tuple(use_goroutine);
              return tenon::from_asio(std::get<0>(asio::async_read(*s, asio::buffer(into), wrapped)));
            });
          }
          EXPECT_FALSE(g.wait());
          EXPECT_EQ(got[0], much);
          EXPECT_EQ(got[1], much);
        },
        {.workers = workers});
  }
}

TEST(UseGoroutine, IsForManyAtOnce) {
  tenon::run([](const context& root) {
    driven_io_context io;
    group g(root);
    for (int i = 0; i < 1000; ++i) {
      g.go([&io, i] {
        asio::steady_timer at(io, std::chrono::microseconds(i % 100));
        return at.async_wait(use_goroutine);
      });
    }
    EXPECT_FALSE(g.wait());
  });
}

TEST(UseGoroutine, BlocksAPlainThread) {
  tenon::run([](const context&) {
    driven_io_context io;
    error e = tenon::canceled();
    tenon_test::os_thread t([&] {
      asio::steady_timer at(io, 1ms);
      e = at.async_wait(use_goroutine);
    });
    t.join();
    EXPECT_FALSE(e);
  });
}

TEST(UseGoroutine, TakesResolversSignalsAndCoroutines) {
  tenon::run([](const context& root) {
    driven_io_context io;
    tcp::resolver names(io);
    const auto found = names.async_resolve("127.0.0.1", "80", asio::ip::resolver_base::numeric_host, use_goroutine);
    EXPECT_EQ(found.value().begin()->endpoint().port(), 80);

    asio::signal_set signals(io, SIGUSR2);
    group g(root);
    result<int> got = tenon::canceled();
    g.go([&] { got = signals.async_wait(use_goroutine); });
    for (int i = 0; i < 100; ++i) tenon::yield();
    (void)std::raise(SIGUSR2);
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(got.value(), SIGUSR2);

    const auto twice = [](int n) -> asio::awaitable<int> {
      asio::steady_timer at(co_await asio::this_coro::executor, 1ms);
      co_await at.async_wait(asio::use_awaitable);
      co_return 2 * n;
    };
    EXPECT_EQ(asio::co_spawn(io, twice(21), use_goroutine).value(), 42);
    const auto fails = []() -> asio::awaitable<void> {
      throw std::runtime_error("why");
      co_return;
    };
    EXPECT_THROW(asio::co_spawn(io, fails(), use_goroutine).rethrow(), std::runtime_error);
  });
}

// What Asio's side sends, goroutines receive.
TEST(UseGoroutine, HandsAnAsioChannelOverToATenonChannel) {
  tenon::run([](const context& root) {
    driven_io_context io;
    using channel = asio::experimental::channel<void(asio_error_code, int)>;
    channel theirs(io, 1);
    const auto ours = tenon::make_chan<int>();
    group g(root);
    g.go([&](const context& ctx) -> error {
      const tenon::sender to(ours);
      for (;;) {
        const auto v = theirs.async_receive(use_goroutine(ctx));
        if (!v) return v.err();
        if (!ours.send(ctx, *v)) return ctx.err();
      }
    });
    asio::co_spawn(
        io,
        [&theirs]() -> asio::awaitable<void> {
          for (int i = 1; i <= 100; ++i) co_await theirs.async_send(asio_error_code(), i, asio::use_awaitable);
        },
        asio::detached);
    for (int i = 1; i <= 100; ++i) EXPECT_EQ(ours.recv(), i);
    g.cancel();
    EXPECT_FALSE(g.wait());
  });
}

}  // namespace
