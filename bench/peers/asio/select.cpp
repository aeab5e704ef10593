#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include "loop.hpp"
#include "rows.hpp"

namespace bench::asio {

namespace {

/// Both channels may have given a value before the group cancels the slower receive. So a wait can bring two, and
/// operator||, which keeps the first, would lose one.
awaitable<> receive_from_both(channel<std::int64_t>& a, channel<std::int64_t>& b, std::int64_t n, std::int64_t& sum_a,
                              std::int64_t& sum_b) {
  using namespace boost::asio::experimental;
  using boost::asio::deferred;
  for (std::int64_t received = 0; received < n;) {
    message<std::int64_t> from_a;
    message<std::int64_t> from_b;
    bool has_a = from_a.try_from(a);
    bool has_b = !has_a && from_b.try_from(b);
    if (!has_a && !has_b) {
      std::tie(std::ignore, from_a.error, from_a.value, from_b.error, from_b.value) =
          co_await make_parallel_group(a.async_receive(deferred), b.async_receive(deferred))
              .async_wait(wait_for_one(), use_awaitable);
      has_a = !from_a.error;
      has_b = !from_b.error;
    }
    if (has_a) sum_a += from_a.value;
    if (has_b) sum_b += from_b.value;
    received += has_a + has_b;
  }
}

awaitable<> alternate(channel<std::int64_t>& a, channel<std::int64_t>& b, std::int64_t each) {
  for (std::int64_t i = 0; i < each; ++i) {
    for (auto* ch : {&a, &b}) {
      if (!ch->try_send(error_code(), i)) co_await ch->async_send(error_code(), i, use_awaitable);
    }
  }
}

}  // namespace

void select_2(std::int64_t n) {
  channel<std::int64_t> a;
  channel<std::int64_t> b;
  std::int64_t sum_a = 0;
  std::int64_t sum_b = 0;
  start(alternate(a, b, n / 2));
  start(receive_from_both(a, b, n, sum_a, sum_b));
  run();
  expect("the sum of the first channel's values", sum_a, sum_below(n / 2));
  expect("the sum of the second channel's values", sum_b, sum_below(n / 2));
}

void select_default(std::int64_t n) {
  channel<std::int64_t> a;
  channel<std::int64_t> b;
  std::int64_t misses = 0;
  message<std::int64_t> m;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!m.try_from(a) && !m.try_from(b)) ++misses;
  }
  expect("the number of times that the default was chosen", misses, n);
}

}  // namespace bench::asio
