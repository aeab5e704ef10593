#include "channel.hpp"

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "rows.hpp"

namespace bench::threads {

namespace {

template <class T, class Make, class Number>
void carry(std::int64_t n, std::size_t capacity, Make make, Number number) {
  channel<T> ch(capacity);
  const std::jthread producer([&ch, n, make] {
    for (std::int64_t i = 0; i < n; ++i) ch.send(make(i));
    ch.close();
  });
  std::int64_t sum = 0;
  while (const auto v = ch.recv()) sum += number(*v);
  expect("the sum of the values", sum, sum_below(n));
}

void carry_numbers(std::int64_t n, std::size_t capacity) {
  const auto same = [](std::int64_t i) { return i; };
  carry<std::int64_t>(n, capacity, same, same);
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

void unbuffered(std::int64_t n) { carry_numbers(n, 0); }
void buffered_128(std::int64_t n) { carry_numbers(n, 128); }
void chan_64(std::int64_t n) { carry_array<8>(n); }
void chan_1k(std::int64_t n) { carry_array<128>(n); }
void chan_ptr(std::int64_t n) {
  carry<std::unique_ptr<std::int64_t>>(
      n, 128, [](std::int64_t i) { return std::make_unique<std::int64_t>(i); },
      [](const std::unique_ptr<std::int64_t>& v) { return *v; });
}

void ping_pong(std::int64_t n) {
  channel<std::int64_t> ping;
  channel<std::int64_t> pong;
  const std::jthread other([&] {
    while (const auto v = ping.recv()) pong.send(*v + 1);
  });
  std::int64_t v = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ping.send(v);
    v = *pong.recv();
  }
  ping.close();
  expect("the token", v, n);
}

void buffered_uncontended(std::int64_t n) {
  channel<std::int64_t> ch(1);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ch.send(i);
    sum += *ch.recv();
  }
  expect("the sum of the values", sum, sum_below(n));
}

void mpmc_4x4(std::int64_t n) {
  channel<std::int64_t> ch(128);
  std::vector<std::jthread> senders;
  for (std::int64_t s = 0; s < 4; ++s) {
    senders.emplace_back([&ch, s, n] {
      for (std::int64_t i = s; i < n; i += 4) ch.send(i);
    });
  }
  std::array<std::int64_t, 4> sums{};
  std::vector<std::jthread> receivers;
  for (auto& total : sums) {
    receivers.emplace_back([&ch, &total] {
      std::int64_t sum = 0;
      while (const auto v = ch.recv()) sum += *v;
      total = sum;
    });
  }
  senders.clear();
  ch.close();
  receivers.clear();
  expect("the sum of the values", sums[0] + sums[1] + sums[2] + sums[3], sum_below(n));
}

void fan_in_100(std::int64_t n) {
  channel<std::int64_t> ch(128);
  std::vector<std::jthread> senders;
  for (std::int64_t s = 0; s < fan_in; ++s) {
    senders.emplace_back([&ch, n] {
      for (std::int64_t i = 0; i < n / fan_in; ++i) ch.send(i);
    });
  }
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += *ch.recv();
  senders.clear();
  expect("the sum of the values", sum, fan_in * sum_below(n / fan_in));
}

}  // namespace bench::threads
