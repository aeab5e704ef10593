#include <tenon/chan.hpp>

#include <array>
#include <memory>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/go.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

namespace {

void one_to_one(std::int64_t n, const tenon::chan<std::int64_t>& ch) {
  auto producer = tenon::go([ch, n] {
    for (std::int64_t i = 0; i < n; ++i) ch.send(i);
    ch.close();
  });
  std::int64_t sum = 0;
  for (const std::int64_t v : ch) sum += v;
  producer.join();
  expect("the sum of the values", sum, sum_below(n));
}

}  // namespace

void unbuffered(std::int64_t n) { one_to_one(n, tenon::make_chan<std::int64_t>()); }

void buffered_128(std::int64_t n) {
  one_to_one(n, tenon::make_chan<std::int64_t>(128, "its receiver drains it until it is closed"));
}

namespace {

/// As one_to_one, and each operation would end with a context.
void one_to_one_ctx(std::int64_t n, const tenon::chan<std::int64_t>& ch) {
  const auto scope = tenon::with_cancel(tenon::background());
  const tenon::context& ctx = scope.ctx();
  auto producer = tenon::go([ch, &ctx, n] {
    for (std::int64_t i = 0; i < n; ++i) {
      if (!ch.send(ctx, i)) return;
    }
    ch.close();
  });
  std::int64_t sum = 0;
  while (const auto v = ch.recv(ctx)) sum += *v;
  producer.join();
  expect("the sum of the values", sum, sum_below(n));
}

}  // namespace

void unbuffered_ctx(std::int64_t n) { one_to_one_ctx(n, tenon::make_chan<std::int64_t>()); }

void buffered_ctx(std::int64_t n) {
  one_to_one_ctx(n, tenon::make_chan<std::int64_t>(128, "its receiver drains it until it is closed"));
}

namespace {

template <class T, class Make, class Number>
void carry(std::int64_t n, Make make, Number number) {
  const auto ch = tenon::make_chan<T>(128, "its receiver drains it until it is closed");
  auto producer = tenon::go([ch, n, make] {
    for (std::int64_t i = 0; i < n; ++i) ch.send(make(i));
    ch.close();
  });
  std::int64_t sum = 0;
  while (const auto v = ch.recv()) sum += number(*v);
  producer.join();
  expect("the sum of the values", sum, sum_below(n));
}

/// Its first and its last element are the number.
template <std::size_t Words>
void carry_array(std::int64_t n) {
  using elements = std::array<std::int64_t, Words>;
  carry<elements>(
      n,
      [](std::int64_t i) {
        elements v{};
        v.front() = v.back() = i;
        return v;
      },
      [](const elements& v) { return (v.front() + v.back()) / 2; });
}

}  // namespace

void chan_64(std::int64_t n) { carry_array<8>(n); }
void chan_1k(std::int64_t n) { carry_array<128>(n); }
void chan_ptr(std::int64_t n) {
  carry<std::unique_ptr<std::int64_t>>(
      n, [](std::int64_t i) { return std::make_unique<std::int64_t>(i); },
      [](const std::unique_ptr<std::int64_t>& v) { return *v; });
}

void fan_in_100(std::int64_t n) {
  const auto ch = tenon::make_chan<std::int64_t>(128, "its receiver drains it");
  tenon::wait_group senders;
  for (std::int64_t s = 0; s < fan_in; ++s) {
    senders.go([ch, n] {
      for (std::int64_t i = 0; i < n / fan_in; ++i) ch.send(i);
    });
  }
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += *ch.recv();
  senders.wait();
  expect("the sum of the values", sum, fan_in * sum_below(n / fan_in));
}

void ping_pong(std::int64_t n) {
  auto ping = tenon::make_chan<std::int64_t>();
  auto pong = tenon::make_chan<std::int64_t>();
  auto other = tenon::go([ping, pong] {
    for (const std::int64_t v : ping) pong.send(v + 1);
  });
  std::int64_t v = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ping.send(v);
    v = *pong.recv();
  }
  ping.close();
  other.join();
  expect("the token", v, n);
}

void buffered_uncontended(std::int64_t n) {
  auto ch = tenon::make_chan<std::int64_t>(1);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ch.send(i);
    sum += *ch.recv();
  }
  expect("the sum of the values", sum, sum_below(n));
}

void mpmc_4x4(std::int64_t n) {
  auto ch = tenon::make_chan<std::int64_t>(128, "its receivers drain it until it is closed");
  tenon::wait_group senders;
  for (std::int64_t s = 0; s < 4; ++s) {
    senders.go([ch, s, n] {
      for (std::int64_t i = s; i < n; i += 4) ch.send(i);
    });
  }
  std::array<std::int64_t, 4> sums{};
  tenon::wait_group receivers;
  for (auto& total : sums) {
    receivers.go([ch, &total] {
      std::int64_t sum = 0;
      for (const std::int64_t v : ch) sum += v;
      total = sum;
    });
  }
  senders.wait();
  ch.close();
  receivers.wait();
  expect("the sum of the values", sums[0] + sums[1] + sums[2] + sums[3], sum_below(n));
}

}  // namespace bench
