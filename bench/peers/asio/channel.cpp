#include <array>
#include <memory>

#include "loop.hpp"
#include "rows.hpp"

namespace bench::asio {

namespace {

template <class T, class Make, class Number>
void carry(std::int64_t n, std::size_t capacity, Make make, Number number) {
  channel<T> ch(capacity);
  std::int64_t sum = 0;
  start(send_and_end(ch, 0, n, make));
  start(receive_all(ch, [&sum, number](const T& v) { sum += number(v); }));
  run();
  expect("the sum of the values", sum, sum_below(n));
}

/// Its first and its last element are the number.
template <std::size_t Words>
void carry_array(std::int64_t n) {
  using elements = std::array<std::int64_t, Words>;
  carry<elements>(
      n, 128,
      [](std::int64_t i) {
        elements v{};
        v.front() = v.back() = i;
        return v;
      },
      [](const elements& v) { return (v.front() + v.back()) / 2; });
}

}  // namespace

void unbuffered(std::int64_t n) { carry<std::int64_t>(n, 0, itself, itself); }
void buffered_128(std::int64_t n) { carry<std::int64_t>(n, 128, itself, itself); }
void chan_64(std::int64_t n) { carry_array<8>(n); }
void chan_1k(std::int64_t n) { carry_array<128>(n); }
void chan_ptr(std::int64_t n) {
  carry<std::unique_ptr<std::int64_t>>(
      n, 128, [](std::int64_t i) { return std::make_unique<std::int64_t>(i); },
      [](const std::unique_ptr<std::int64_t>& v) { return *v; });
}

namespace {

awaitable<> play(channel<std::int64_t>& ping, channel<std::int64_t>& pong, std::int64_t n, std::int64_t& v) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (!ping.try_send(error_code(), v)) co_await ping.async_send(error_code(), v, use_awaitable);
    v = co_await pong.async_receive(use_awaitable);  // it cannot be there yet
  }
  co_await send_end(ping);
  co_await pong.async_receive(as_tuple);  // the other has ended
}

awaitable<> to_itself(channel<std::int64_t>& ch, std::int64_t n, std::int64_t& sum) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (!ch.try_send(error_code(), i)) co_await ch.async_send(error_code(), i, use_awaitable);
    message<std::int64_t> m;
    if (!m.try_from(ch)) m.value = co_await ch.async_receive(use_awaitable);
    sum += m.value;
  }
}

awaitable<> send_quarter(channel<std::int64_t>& ch, std::int64_t first, std::int64_t n, int& senders) {
  co_await send_numbers(ch, first, n, 4, itself);
  if (--senders > 0) co_return;
  for (int receiver = 0; receiver < 4; ++receiver) co_await send_end(ch);
}

}  // namespace

void ping_pong(std::int64_t n) {
  channel<std::int64_t> ping;
  channel<std::int64_t> pong;
  std::int64_t v = 0;
  start(pass_on(ping, pong, [](std::int64_t i) { return i + 1; }));
  start(play(ping, pong, n, v));
  run();
  expect("the token", v, n);
}

void buffered_uncontended(std::int64_t n) {
  channel<std::int64_t> ch(1);
  std::int64_t sum = 0;
  start(to_itself(ch, n, sum));
  run();
  expect("the sum of the values", sum, sum_below(n));
}

void mpmc_4x4(std::int64_t n) {
  channel<std::int64_t> ch(128);
  int senders = 4;
  std::array<std::int64_t, 4> sums{};
  for (std::int64_t s = 0; s < 4; ++s) start(send_quarter(ch, s, n, senders));
  for (auto& sum : sums) start(receive_all(ch, [&sum](std::int64_t v) { sum += v; }));
  run();
  expect("the sum of the values", sums[0] + sums[1] + sums[2] + sums[3], sum_below(n));
}

namespace {

awaitable<> receive_some(channel<std::int64_t>& ch, std::int64_t n, std::int64_t& sum) {
  for (std::int64_t i = 0; i < n; ++i) {
    message<std::int64_t> m;
    if (!m.try_from(ch)) m.value = co_await ch.async_receive(use_awaitable);
    sum += m.value;
  }
}

}  // namespace

void fan_in_100(std::int64_t n) {
  channel<std::int64_t> ch(128);
  std::int64_t sum = 0;
  for (std::int64_t s = 0; s < fan_in; ++s) start(send_numbers(ch, 0, n / fan_in, 1, itself));
  start(receive_some(ch, n, sum));
  run();
  expect("the sum of the values", sum, fan_in * sum_below(n / fan_in));
}

}  // namespace bench::asio
