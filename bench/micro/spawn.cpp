#include <tenon/go.hpp>

#include <vector>

#include <tenon/chan.hpp>
#include <tenon/group.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

void spawn_join(std::int64_t n) {
  const auto ended = tenon::make_chan<std::int64_t>();
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto g = tenon::go([&ended, i] { ended.send(i); });
    sum += *ended.recv();
  }
  expect("the sum of what the goroutines sent", sum, sum_below(n));
}

void spawn_batch(std::int64_t n) {
  std::vector<std::int64_t> runs(batch_size);
  for (std::int64_t batch = 0; batch < n / batch_size; ++batch) {
    tenon::wait_group wg;
    for (auto& r : runs) wg.go([&r] { ++r; });
    wg.wait();
  }
  for (const auto r : runs) expect("the number of runs of one goroutine of the batch", r, n / batch_size);
}

void group_100(std::int64_t n) {
  std::vector<std::int64_t> runs(group_size);
  for (std::int64_t round = 0; round < n / group_size; ++round) {
    tenon::group g(tenon::background());
    for (auto& r : runs) {
      g.go([&r]() -> tenon::error {
        ++r;
        return nullptr;
      });
    }
    if (const tenon::error e = g.wait()) throw wrong_result(std::string(e.message()));
  }
  for (const auto r : runs) expect("the number of runs of one task of the group", r, n / group_size);
}

}  // namespace bench
