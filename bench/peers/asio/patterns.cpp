#include <algorithm>
#include <deque>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "loop.hpp"
#include "rows.hpp"

namespace bench::asio {

namespace {

using numbers = channel<std::int64_t>;

constexpr std::int64_t sieve_primes = 500;
constexpr std::int64_t sieve_last = 3571;   // the 500th prime
constexpr std::int64_t sieve_sum = 824693;  // of the first 500 primes

constexpr std::int64_t skynet_leaves = 1'000'000;
constexpr std::int64_t skynet_fanout = 10;

constexpr auto increased = [](std::int64_t v) { return v + 1; };

awaitable<> go_around(numbers& first, numbers& last, std::int64_t laps, std::int64_t& token) {
  for (std::int64_t lap = 0; lap < laps; ++lap) {
    if (!first.try_send(error_code(), token)) co_await first.async_send(error_code(), token, use_awaitable);
    token = co_await last.async_receive(use_awaitable) + 1;
  }
  co_await send_end(first);
  co_await last.async_receive(as_tuple);  // all have ended
}

awaitable<> sieve(std::deque<numbers>& channels, std::int64_t& sum, std::int64_t& more) {
  for (std::int64_t i = 0; i < sieve_primes; ++i) {
    auto& in = channels.back();
    const std::int64_t prime = co_await in.async_receive(use_awaitable);
    sum += prime;
    start(pass_on(in, channels.emplace_back(), [prime](std::int64_t v) -> std::optional<std::int64_t> {
      if (v % prime == 0) return std::nullopt;
      return v;
    }));
  }
  co_await receive_all(channels.back(), [&more](std::int64_t) { ++more; });
}

// Children refer to their parent's channel: the parent waits for them.
awaitable<> skynet(numbers& result, std::int64_t number, std::int64_t leaves) {
  std::int64_t sum = number;
  if (leaves > 1) {
    numbers sums;
    const std::int64_t below = leaves / skynet_fanout;
    for (std::int64_t i = 0; i < skynet_fanout; ++i) start(skynet(sums, number + i * below, below));
    sum = 0;
    for (std::int64_t i = 0; i < skynet_fanout; ++i) {
      message<std::int64_t> m;
      if (!m.try_from(sums)) m.value = co_await sums.async_receive(use_awaitable);
      sum += m.value;
    }
  }
  if (!result.try_send(error_code(), sum)) co_await result.async_send(error_code(), sum, use_awaitable);
}

}  // namespace

template <std::int64_t Size>
void ring(std::int64_t n) {
  std::deque<numbers> channels(Size);
  for (std::size_t i = 0; i + 1 < channels.size(); ++i) start(pass_on(channels[i], channels[i + 1], increased));
  std::int64_t token = 0;
  start(go_around(channels.front(), channels.back(), n / Size, token));
  run();
  expect("the token", token, n);
}
template void ring<100>(std::int64_t);
template void ring<1000>(std::int64_t);
template void ring<10'000>(std::int64_t);
template void ring<100'000>(std::int64_t);

void pipeline_10(std::int64_t n) {
  constexpr std::int64_t stages = 10;
  std::deque<numbers> channels(stages + 1);
  start(send_and_end(channels.front(), 0, n, itself));
  for (std::size_t i = 0; i + 1 < channels.size(); ++i) start(pass_on(channels[i], channels[i + 1], increased));
  std::int64_t sum = 0;
  start(receive_all(channels.back(), [&sum](std::int64_t v) { sum += v; }));
  run();
  expect("the sum of the values", sum, sum_below(n) + stages * n);
}

void sieve_range(std::int64_t) {
  std::deque<numbers> channels;
  start(send_and_end(channels.emplace_back(), 2, sieve_last + 1, itself));
  std::int64_t sum = 0;
  std::int64_t more = 0;
  start(sieve(channels, sum, more));
  run();
  expect("the sum of the primes", sum, sieve_sum);
  expect("the number of primes after the 500th", more, 0);
}

void skynet_1m(std::int64_t) {
  numbers result(1);
  start(skynet(result, 0, skynet_leaves));
  run();
  message<std::int64_t> m;
  m.try_from(result);
  expect("the sum of the leaves", m.value, sum_below(skynet_leaves));
}

namespace {

/// Moves what is less than the pivot to the front, and returns where the rest begins. Never all or nothing.
std::int64_t* split(std::int64_t* first, std::int64_t* last) {
  const std::int64_t pivot =
      std::max(std::min(first[0], last[-1]), std::min(std::max(first[0], last[-1]), first[(last - first) / 2]));
  std::int64_t* i = first;
  std::int64_t* j = last - 1;
  for (;;) {
    while (*i < pivot) ++i;
    while (pivot < *j) --j;
    if (i >= j) return i == first ? i + 1 : i;
    std::swap(*i++, *j--);
  }
}

void quicksort(boost::asio::thread_pool& pool, std::int64_t* first, std::int64_t* last) {
  constexpr std::int64_t few = 2048;
  while (last - first > few) {
    std::int64_t* const middle = split(first, last);
    boost::asio::post(pool, [&pool, first, middle] { quicksort(pool, first, middle); });
    first = middle;
  }
  std::sort(first, last);
}

}  // namespace

void quicksort_1m(std::int64_t) {
  std::vector<std::int64_t> values(1'000'000);
  std::uint64_t seed = 1;
  std::uint64_t sum = 0;
  for (auto& v : values) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    v = static_cast<std::int64_t>(seed >> 1U);
    sum += static_cast<std::uint64_t>(v);
  }
  boost::asio::thread_pool pool(sorters);
  boost::asio::post(pool, [&] { quicksort(pool, values.data(), values.data() + values.size()); });
  pool.join();  // when all that was posted has run
  for (const auto v : values) sum -= static_cast<std::uint64_t>(v);
  expect("what the sum has changed by", static_cast<std::int64_t>(sum), 0);
  if (!std::is_sorted(values.begin(), values.end())) throw wrong_result("the numbers are not sorted");
}

}  // namespace bench::asio
