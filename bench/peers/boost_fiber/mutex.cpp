#include <mutex>
#include <vector>

#include <boost/fiber/mutex.hpp>

#include "../../micro/harness.hpp"
#include "rows.hpp"
#include "stacks.hpp"

namespace bench::boost_fiber {

void mutex_uncontended(std::int64_t n) {
  boost::fibers::mutex mu;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::lock_guard lock(mu);
    ++count;
  }
  expect("the counter", count, n);
}

void mutex_contended(std::int64_t n) {
  boost::fibers::mutex mu;
  std::int64_t count = 0;
  std::vector<boost::fibers::fiber> fibers;
  for (std::int64_t c = 0; c < contenders; ++c) {
    fibers.push_back(start([&mu, &count, n] {
      for (std::int64_t i = 0; i < n / contenders; ++i) {
        const std::lock_guard lock(mu);
        ++count;
      }
    }));
  }
  for (auto& f : fibers) f.join();
  expect("the counter", count, n);
}

}  // namespace bench::boost_fiber
