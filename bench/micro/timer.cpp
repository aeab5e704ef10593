#include <tenon/timer.hpp>

#include <chrono>
#include <ctime>
#include <vector>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/select.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/wait_group.hpp>

#include "harness.hpp"
#include "rows.hpp"

namespace bench {

void timer_start_stop(std::int64_t n) {
  std::int64_t stopped = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (tenon::timer(std::chrono::hours(1)).stop()) ++stopped;
  }
  expect("the number of timers stopped in time", stopped, n);
}

template <std::int64_t Pending>
void among_timers(const std::function<void()>& measured) {
  std::vector<tenon::timer> pending;
  pending.reserve(static_cast<std::size_t>(Pending));
  for (std::int64_t i = 0; i < Pending; ++i) pending.emplace_back(std::chrono::hours(1) + std::chrono::microseconds(i));
  measured();
}
template void among_timers<1000>(const std::function<void()>&);
template void among_timers<1'000'000>(const std::function<void()>&);

/// What a tick costs the processor, where a hundred tickers of a millisecond each have a goroutine that takes them.
measurement ticker_load(nanoseconds target) {
  constexpr int tickers = 100;
  std::vector<std::int64_t> ticks(tickers);
  const std::clock_t began = std::clock();
  {
    auto scope =
        tenon::with_timeout(tenon::background(), std::chrono::duration_cast<std::chrono::nanoseconds>(target * 4));
    const tenon::context ctx = scope.ctx();
    tenon::wait_group wg;
    for (auto& count : ticks) {
      wg.go([&count, &ctx] {
        const tenon::ticker t(std::chrono::milliseconds(1));
        while (t.c().recv(ctx)) ++count;
      });
    }
    wg.wait();
  }
  const double cpu = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC * 1e9;
  std::int64_t all = 0;
  for (const std::int64_t count : ticks) all += count;
  const double due = tickers * (target * 4).count() / 1e6;
  if (static_cast<double>(all) < due / 2) throw wrong_result("fewer than half of the ticks came");
  return {"ns cpu", cpu / static_cast<double>(all), all};
}

}  // namespace bench
