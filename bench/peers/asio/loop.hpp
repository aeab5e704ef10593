#pragma once

/// How this program runs coroutines: all of them on one thread, whose loop and channels are told so and take no locks.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bench::asio {

using boost::system::error_code;

inline boost::asio::io_context loop(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);

// The executor's own type instead of any_io_executor, Asio's default, spares every operation an indirection.
using executor = boost::asio::io_context::executor_type;
template <class T = void>
using awaitable = boost::asio::awaitable<T, executor>;
inline constexpr boost::asio::use_awaitable_t<executor> use_awaitable;
inline constexpr auto as_tuple = boost::asio::as_tuple(use_awaitable);

template <class T>
using asio_channel = boost::asio::experimental::channel<executor, void(error_code, T)>;

/// Its senders say that they have ended with a last message, error::eof: in Boost 1.81 close loses what is buffered.
template <class T>
struct channel : asio_channel<T> {
  explicit channel(std::size_t capacity = 0) : asio_channel<T>(loop, capacity) {}
};

template <class T>
struct message {
  error_code error;
  T value{};

  /// False where it would have to wait. An operation that may wait goes through the loop even if it need not.
  bool try_from(channel<T>& ch) {
    return ch.try_receive([this](error_code e, T&& v) {
      error = e;
      value = std::move(v);
    });
  }
};

inline void start(awaitable<> coroutine) {
  boost::asio::co_spawn(loop, std::move(coroutine), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

/// Returns when all that was started has ended.
inline void run() {
  loop.restart();
  loop.run();
}

inline constexpr auto itself = [](std::int64_t i) { return i; };

/// Sends make(first), make(first + step) … below last.
template <class T, class Make>
awaitable<> send_numbers(channel<T>& ch, std::int64_t first, std::int64_t last, std::int64_t step, Make make) {
  for (std::int64_t i = first; i < last; i += step) {
    T value = make(i);
    if (!ch.try_send(error_code(), std::move(value))) {  // then it has not been moved from
      co_await ch.async_send(error_code(), std::move(value), use_awaitable);
    }
  }
}

template <class T>
awaitable<> send_end(channel<T>& ch) {
  co_await ch.async_send(boost::asio::error::eof, T(), use_awaitable);
}

template <class T, class Make>
awaitable<> send_and_end(channel<T>& ch, std::int64_t first, std::int64_t last, Make make) {
  co_await send_numbers(ch, first, last, 1, make);
  co_await send_end(ch);
}

/// Calls f with each value until the sender has ended.
template <class T, class F>
awaitable<> receive_all(channel<T>& ch, F f) {
  for (message<T> m;;) {
    if (!m.try_from(ch)) std::tie(m.error, m.value) = co_await ch.async_receive(as_tuple);
    if (m.error) co_return;
    f(m.value);
  }
}

/// Sends on what f makes of each value, or nothing where f makes nothing of it, until the sender has ended; ends then.
template <class F>
awaitable<> pass_on(channel<std::int64_t>& in, channel<std::int64_t>& out, F f) {
  for (message<std::int64_t> m;;) {
    if (!m.try_from(in)) std::tie(m.error, m.value) = co_await in.async_receive(as_tuple);
    if (m.error) break;
    const std::optional<std::int64_t> v = f(m.value);
    if (v && !out.try_send(error_code(), *v)) co_await out.async_send(error_code(), *v, use_awaitable);
  }
  co_await send_end(out);
}

}  // namespace bench::asio
