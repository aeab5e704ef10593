#include <tenon/chan.hpp>
#include <tenon/go.hpp>
#include <tenon/select.hpp>
#include <tenon/wait_group.hpp>

#include <vector>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

void select_2(std::int64_t n) {
  auto a = tenon::make_chan<std::int64_t>();
  auto b = tenon::make_chan<std::int64_t>();
  auto sender = tenon::go([a, b, n] {
    for (std::int64_t i = 0; i < n / 2; ++i) {
      a.send(i);
      b.send(i);
    }
  });
  std::int64_t sum_a = 0;
  std::int64_t sum_b = 0;
  auto from_a = tenon::recv(a);
  auto from_b = tenon::recv(b);
  for (std::int64_t i = 0; i < n; ++i) {
    tenon::select(from_a, from_b);
    if (from_a) {
      sum_a += *from_a;
    } else {
      sum_b += *from_b;
    }
  }
  sender.join();
  expect("the sum of the first channel's values", sum_a, sum_below(n / 2));
  expect("the sum of the second channel's values", sum_b, sum_below(n / 2));
}

template <std::size_t Width>
void select_wide(std::int64_t n) {
  const std::int64_t each = n / static_cast<std::int64_t>(Width);
  std::vector<tenon::recv_case<std::int64_t>> cases;
  cases.reserve(Width);
  std::vector<tenon::select_case*> all;
  tenon::wait_group producers;
  for (std::size_t c = 0; c < Width; ++c) {
    const auto ch = tenon::make_chan<std::int64_t>();
    all.push_back(&cases.emplace_back(tenon::recv(tenon::chan(ch))));
    producers.go([ch, each] {
      for (std::int64_t i = 0; i < each; ++i) ch.send(i);
    });
  }
  std::vector<std::int64_t> sums(Width);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::size_t fired = tenon::select(all);
    sums[fired] += *cases[fired];
  }
  producers.wait();
  for (const std::int64_t sum : sums) expect("the sum of one channel's values", sum, sum_below(each));
}
template void select_wide<8>(std::int64_t);
template void select_wide<64>(std::int64_t);

void select_send(std::int64_t n) {
  auto to = tenon::make_chan<std::int64_t>();
  auto from = tenon::make_chan<std::int64_t>();
  auto consumer = tenon::go([&to, n] {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n / 2; ++i) sum += *to.recv();
    return sum;
  });
  auto producer = tenon::go([&from, n] {
    for (std::int64_t i = 0; i < n / 2; ++i) from.send(i);
  });
  std::int64_t sent = 0;
  std::int64_t sum = 0;
  auto out = tenon::send(to, 0);
  auto in = tenon::recv(from);
  for (std::int64_t i = 0; i < n; ++i) {
    tenon::select(out, in);
    if (out) {
      out.set(++sent);
    } else {
      sum += *in;
    }
  }
  producer.join();
  expect("the number of values sent", sent, n / 2);
  expect("the sum of the values sent", consumer.join(), sum_below(n / 2));
  expect("the sum of the values received", sum, sum_below(n / 2));
}

void select_default(std::int64_t n) {
  auto a = tenon::make_chan<std::int64_t>();
  auto b = tenon::make_chan<std::int64_t>();
  std::int64_t misses = 0;
  auto from_a = tenon::recv(a);
  auto from_b = tenon::recv(b);
  for (std::int64_t i = 0; i < n; ++i) {
    if (tenon::select(from_a, from_b, tenon::otherwise) == 2) ++misses;
  }
  expect("the number of times that the default was chosen", misses, n);
}

}  // namespace bench
