#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <stop_token>
#include <thread>
#include <vector>

#include "rows.hpp"

namespace bench::threads {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A stop token is what a thread has for a context.
void context_poll(std::int64_t n) {
  const std::stop_source source;
  const std::stop_token token = source.get_token();
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!token.stop_requested()) ++live;
  }
  expect("the number of polls before the end", live, n);
}

/// A ticker is a thread that sleeps until the next tick; one that it is late for is lost, as with Go's.
measurement ticker_load(nanoseconds target) {
  constexpr int tickers = 100;
  std::vector<std::int64_t> ticks(tickers);
  const std::clock_t began = std::clock();
  {
    std::vector<std::jthread> threads;
    const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(target * 4);
    for (auto& count : ticks) {
      threads.emplace_back([&count, end] {
        for (auto next = clock::now() + milliseconds(1); next < end; ++count) {
          std::this_thread::sleep_until(next);
          next = std::max(next + milliseconds(1), clock::now());
        }
      });
    }
  }
  const double cpu = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC * 1e9;
  std::int64_t all = 0;
  for (const std::int64_t count : ticks) all += count;
  const double due = tickers * (target * 4).count() / 1e6;
  if (static_cast<double>(all) < due / 2) throw wrong_result("fewer than half of the ticks came");
  return {"ns cpu", cpu / static_cast<double>(all), all};
}

void beside_a_hog(const std::function<void()>& measured) {
  std::atomic<bool> stop = false;
  std::jthread hog([&stop] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  measured();
  stop = true;
}

/// How late four threads wake that sleep a millisecond at a time: the value at so many of a thousand parts.
template <int PerThousand>
measurement wake(nanoseconds target) {
  constexpr int sleepers = 4;
  const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(target * 10);
  std::vector<std::vector<double>> each(sleepers);
  {
    std::vector<std::jthread> threads;
    for (auto& late : each) {
      late.reserve(1 << 16);
      threads.emplace_back([&late, end] {
        for (auto now = clock::now(); now < end;) {
          const auto due = now + milliseconds(1);
          std::this_thread::sleep_for(milliseconds(1));
          now = clock::now();
          late.push_back(nanoseconds(now - due).count());
        }
      });
    }
  }
  std::vector<double> all;
  for (const auto& late : each) all.insert(all.end(), late.begin(), late.end());
  std::sort(all.begin(), all.end());
  return {"ns", std::max(all[all.size() * PerThousand / 1000], 1.0), static_cast<std::int64_t>(all.size())};
}
template measurement wake<500>(nanoseconds);
template measurement wake<990>(nanoseconds);
template measurement wake<999>(nanoseconds);

}  // namespace bench::threads
