#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <tenon/go.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

namespace {

/// How late four goroutines wake that sleep a millisecond at a time, sorted.
std::vector<double> lateness(nanoseconds target) {
  using clock = std::chrono::steady_clock;
  constexpr int sleepers = 4;
  const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(target * 10);
  std::vector<std::vector<double>> each(sleepers);
  tenon::wait_group wg;
  for (auto& late : each) {
    late.reserve(1 << 16);
    wg.go([&late, end] {
      for (auto now = clock::now(); now < end;) {
        const auto due = now + std::chrono::milliseconds(1);
        tenon::sleep_for(std::chrono::milliseconds(1));
        now = clock::now();
        late.push_back(nanoseconds(now - due).count());
      }
    });
  }
  wg.wait();
  std::vector<double> all;
  for (const auto& late : each) all.insert(all.end(), late.begin(), late.end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

void beside_a_hog(const std::function<void()>& measured) {
  std::atomic<bool> stop = false;
  auto hog = tenon::go([&stop] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  measured();
  stop = true;
  hog.join();
}

template <int PerThousand>
measurement wake(nanoseconds target) {
  const auto all = lateness(target);
  return {"ns", std::max(all[all.size() * PerThousand / 1000], 1.0), static_cast<std::int64_t>(all.size())};
}
template measurement wake<500>(nanoseconds);
template measurement wake<990>(nanoseconds);
template measurement wake<999>(nanoseconds);

}  // namespace bench
