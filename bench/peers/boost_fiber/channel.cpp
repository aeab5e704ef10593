#include <array>
#include <vector>

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/unbuffered_channel.hpp>

#include "../../micro/harness.hpp"
#include "rows.hpp"
#include "stacks.hpp"

namespace bench::boost_fiber {

namespace {

using buffered = boost::fibers::buffered_channel<std::int64_t>;
using unbuffered_channel = boost::fibers::unbuffered_channel<std::int64_t>;

template <class Channel>
void one_to_one(std::int64_t n, Channel& ch) {
  auto producer = start([&ch, n] {
    for (std::int64_t i = 0; i < n; ++i) ch.push(i);
    ch.close();
  });
  std::int64_t sum = 0;
  for (const std::int64_t v : ch) sum += v;
  producer.join();
  expect("the sum of the values", sum, sum_below(n));
}

}  // namespace

void unbuffered(std::int64_t n) {
  unbuffered_channel ch;
  one_to_one(n, ch);
}

// Of its 128 slots Boost's channel leaves one empty; its capacity must be a power of two.
void buffered_128(std::int64_t n) {
  buffered ch(128);
  one_to_one(n, ch);
}

void ping_pong(std::int64_t n) {
  unbuffered_channel ping;
  unbuffered_channel pong;
  auto other = start([&] {
    for (const std::int64_t v : ping) pong.push(v + 1);
    pong.close();
  });
  std::int64_t v = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ping.push(v);
    v = pong.value_pop();
  }
  ping.close();
  other.join();
  expect("the token", v, n);
}

// Two slots, of which one is left empty, are the fewest possible.
void buffered_uncontended(std::int64_t n) {
  buffered ch(2);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    ch.push(i);
    sum += ch.value_pop();
  }
  expect("the sum of the values", sum, sum_below(n));
}

void mpmc_4x4(std::int64_t n) {
  buffered ch(128);
  std::vector<boost::fibers::fiber> senders;
  for (std::int64_t s = 0; s < 4; ++s) {
    senders.push_back(start([&ch, s, n] {
      for (std::int64_t i = s; i < n; i += 4) ch.push(i);
    }));
  }
  std::array<std::int64_t, 4> sums{};
  std::vector<boost::fibers::fiber> receivers;
  for (auto& total : sums) {
    receivers.push_back(start([&ch, &total] {
      std::int64_t sum = 0;
      for (const std::int64_t v : ch) sum += v;
      total = sum;
    }));
  }
  for (auto& f : senders) f.join();
  ch.close();
  for (auto& f : receivers) f.join();
  expect("the sum of the values", sums[0] + sums[1] + sums[2] + sums[3], sum_below(n));
}

}  // namespace bench::boost_fiber
