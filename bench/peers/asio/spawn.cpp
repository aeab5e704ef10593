#include <vector>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>

#include "loop.hpp"
#include "rows.hpp"

namespace bench::asio {

using boost::asio::deferred;  // where nothing comes back it is cheaper to wait for than use_awaitable

namespace {

awaitable<> yields(std::int64_t n, std::int64_t& count) {
  for (std::int64_t i = 0; i < n; ++i) {
    co_await boost::asio::post(loop, deferred);
    ++count;
  }
}

awaitable<> increment(std::int64_t& count) {
  ++count;
  co_return;
}

awaitable<> send_one(channel<std::int64_t>& ch, std::int64_t value) {
  if (!ch.try_send(error_code(), value)) co_await ch.async_send(error_code(), value, use_awaitable);
}

awaitable<> spawn_and_receive(std::int64_t n, std::int64_t& sum) {
  channel<std::int64_t> ended;
  for (std::int64_t i = 0; i < n; ++i) {
    start(send_one(ended, i));
    sum += co_await ended.async_receive(use_awaitable);
  }
}

}  // namespace

void yield(std::int64_t n) {
  std::int64_t mine = 0;
  std::int64_t others = 0;
  start(yields(n / 2, others));
  start(yields(n / 2, mine));
  run();
  expect("the number of yields", mine + others, n);
}

void spawn_join(std::int64_t n) {
  std::int64_t sum = 0;
  start(spawn_and_receive(n, sum));
  run();
  expect("the sum of what the coroutines sent", sum, sum_below(n));
}

void spawn_batch(std::int64_t n) {
  std::vector<std::int64_t> runs(batch_size);
  for (std::int64_t batch = 0; batch < n / batch_size; ++batch) {
    for (auto& r : runs) start(increment(r));
    run();
  }
  for (const auto r : runs) expect("the number of runs of one coroutine of the batch", r, n / batch_size);
}

namespace {

awaitable<> run_groups(std::int64_t rounds, std::vector<std::int64_t>& runs) {
  using boost::asio::experimental::make_parallel_group;
  for (std::int64_t round = 0; round < rounds; ++round) {
    std::vector<decltype(boost::asio::co_spawn(loop, increment(runs[0]), deferred))> tasks;
    tasks.reserve(runs.size());
    for (auto& r : runs) tasks.push_back(boost::asio::co_spawn(loop, increment(r), deferred));
    const auto [order, errors] = co_await make_parallel_group(std::move(tasks))
                                     .async_wait(boost::asio::experimental::wait_for_one_error(), use_awaitable);
    for (const std::size_t task : order) {
      if (errors[task]) std::rethrow_exception(errors[task]);
    }
  }
}

}  // namespace

void group_100(std::int64_t n) {
  std::vector<std::int64_t> runs(group_size);
  start(run_groups(n / group_size, runs));
  run();
  for (const auto r : runs) expect("the number of runs of one task of the group", r, n / group_size);
}

}  // namespace bench::asio
