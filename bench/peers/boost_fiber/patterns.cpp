#include <deque>
#include <vector>

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/unbuffered_channel.hpp>

#include "../../micro/harness.hpp"
#include "rows.hpp"
#include "stacks.hpp"

namespace bench::boost_fiber {

namespace {

using buffered = boost::fibers::buffered_channel<std::int64_t>;
using channel = boost::fibers::unbuffered_channel<std::int64_t>;

constexpr std::int64_t sieve_primes = 500;
constexpr std::int64_t sieve_last = 3571;   // the 500th prime
constexpr std::int64_t sieve_sum = 824693;  // of the first 500 primes

constexpr std::int64_t skynet_leaves = 1'000'000;
constexpr std::int64_t skynet_fanout = 10;

// As in Boost's own skynet: results through buffered channels with room for all of a node's children, and each child
// run as it is started. Over unbuffered channels, or with launch::post, most of the million fibers are alive at once,
// on two touched pages of stack each.
void skynet(buffered& result, std::int64_t number, std::int64_t leaves) {
  if (leaves == 1) {
    result.push(number);
    return;
  }
  buffered sums(16);
  const std::int64_t below = leaves / skynet_fanout;
  for (std::int64_t i = 0; i < skynet_fanout; ++i) {
    const std::int64_t first = number + i * below;
    start([&sums, first, below] { skynet(sums, first, below); }, boost::fibers::launch::dispatch).detach();
  }
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < skynet_fanout; ++i) sum += sums.value_pop();
  result.push(sum);
}

}  // namespace

void ring_1000(std::int64_t n) {
  std::deque<channel> channels(ring_size);
  std::vector<boost::fibers::fiber> fibers;
  for (std::int64_t i = 0; i + 1 < ring_size; ++i) {
    fibers.push_back(start([&in = channels[i], &out = channels[i + 1]] {
      for (const std::int64_t v : in) out.push(v + 1);
      out.close();
    }));
  }
  std::int64_t token = 0;
  for (std::int64_t lap = 0; lap < n / ring_size; ++lap) {
    channels.front().push(token);
    token = channels.back().value_pop() + 1;
  }
  channels.front().close();
  for (auto& f : fibers) f.join();
  expect("the token", token, n);
}

void sieve_range(std::int64_t) {
  std::deque<channel> channels(1);
  std::vector<boost::fibers::fiber> fibers;
  fibers.push_back(start([&out = channels.front()] {
    for (std::int64_t v = 2; v <= sieve_last; ++v) out.push(v);
    out.close();
  }));
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < sieve_primes; ++i) {
    auto& in = channels.back();
    const std::int64_t prime = in.value_pop();
    sum += prime;
    auto& out = channels.emplace_back();
    fibers.push_back(start([&in, &out, prime] {
      for (const std::int64_t v : in) {
        if (v % prime != 0) out.push(v);
      }
      out.close();
    }));
  }
  std::int64_t more = 0;
  for ([[maybe_unused]] const std::int64_t v : channels.back()) ++more;
  for (auto& f : fibers) f.join();
  expect("the sum of the primes", sum, sieve_sum);
  expect("the number of primes after the 500th", more, 0);
}

void skynet_1m(std::int64_t) {
  buffered result(2);
  skynet(result, 0, skynet_leaves);
  expect("the sum of the leaves", result.value_pop(), sum_below(skynet_leaves));
}

}  // namespace bench::boost_fiber
