#include <vector>

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/operations.hpp>

#include "../../micro/harness.hpp"
#include "rows.hpp"
#include "stacks.hpp"

namespace bench::boost_fiber {

void yield(std::int64_t n) {
  const auto yields = [n](std::int64_t& count) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
      boost::this_fiber::yield();
      ++count;
    }
  };
  std::int64_t mine = 0;
  std::int64_t others = 0;
  auto other = start([&] { yields(others); });
  yields(mine);
  other.join();
  expect("the number of yields", mine + others, n);
}

void spawn_join(std::int64_t n) {
  boost::fibers::buffered_channel<std::int64_t> ended(2);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    start([&ended, i] { ended.push(i); }, boost::fibers::launch::dispatch).detach();
    sum += ended.value_pop();
  }
  expect("the sum of what the fibers sent", sum, sum_below(n));
}

void spawn_batch(std::int64_t n) {
  std::vector<std::int64_t> runs(batch_size);
  std::vector<boost::fibers::fiber> fibers;
  fibers.reserve(batch_size);
  for (std::int64_t batch = 0; batch < n / batch_size; ++batch) {
    for (auto& r : runs) fibers.push_back(start([&r] { ++r; }));
    for (auto& f : fibers) f.join();
    fibers.clear();
  }
  for (const auto r : runs) expect("the number of runs of one fiber of the batch", r, n / batch_size);
}

}  // namespace bench::boost_fiber
