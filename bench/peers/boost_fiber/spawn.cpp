#include <vector>

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
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    start([&count] { ++count; }, boost::fibers::launch::dispatch).join();
  }
  expect("the number of fibers that ran", count, n);
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
