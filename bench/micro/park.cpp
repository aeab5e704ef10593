#include <vector>

#include <tenon/chan.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

/// What a goroutine costs that is made, parks and is woken, where so many are parked at once.
template <std::int64_t Size>
void park(std::int64_t n) {
  std::vector<std::int64_t> wakes(Size);
  for (std::int64_t round = 0; round < n / Size; ++round) {
    const auto gate = tenon::make_chan<std::int64_t>();
    tenon::wait_group there;
    there.add(Size);
    tenon::wait_group all;
    for (auto& w : wakes) {
      all.go([&gate, &there, &w] {
        there.done();
        if (!gate.recv()) ++w;
      });
    }
    there.wait();
    gate.close();
    all.wait();
  }
  for (const auto w : wakes) expect("the number of times that a goroutine was woken", w, n / Size);
}
template void park<100>(std::int64_t);
template void park<1000>(std::int64_t);
template void park<10'000>(std::int64_t);
template void park<100'000>(std::int64_t);
template void park<1'000'000>(std::int64_t);

}  // namespace bench
