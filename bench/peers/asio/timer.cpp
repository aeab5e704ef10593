#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "loop.hpp"
#include "rows.hpp"

namespace bench::asio {

namespace {

using clock = std::chrono::steady_clock;
using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor>;
using std::chrono::milliseconds;

}  // namespace

/// A timer runs from async_wait on, and is known to have been stopped when the loop has called its handler, which it is
/// let do from time to time.
void timer_start_stop(std::int64_t n) {
  const auto work = boost::asio::make_work_guard(loop);
  loop.restart();
  std::int64_t stopped = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    timer t(loop, std::chrono::hours(1));
    t.async_wait([&stopped](error_code e) {
      if (e == boost::asio::error::operation_aborted) ++stopped;
    });
    t.cancel();
    if (i % 100 == 99) loop.poll();
  }
  loop.poll();
  expect("the number of timers stopped in time", stopped, n);
}

template <std::int64_t Pending>
void among_timers(const std::function<void()>& measured) {
  std::deque<timer> pending;
  for (std::int64_t i = 0; i < Pending; ++i) {
    pending.emplace_back(loop, std::chrono::hours(1) + std::chrono::microseconds(i)).async_wait([](error_code) {});
  }
  measured();
}
template void among_timers<1000>(const std::function<void()>&);
template void among_timers<1'000'000>(const std::function<void()>&);

namespace {

/// A tick that it is late for is lost, as with Go's.
awaitable<> tick(clock::time_point end, std::int64_t& count) {
  timer t(loop);
  for (auto next = clock::now() + milliseconds(1); next < end; ++count) {
    t.expires_at(next);
    co_await t.async_wait(use_awaitable);
    next = std::max(next + milliseconds(1), clock::now());
  }
}

awaitable<> sleep_and_wake(clock::time_point end, std::vector<double>& late) {
  timer t(loop);
  for (auto now = clock::now(); now < end;) {
    const auto due = now + milliseconds(1);
    t.expires_after(milliseconds(1));
    co_await t.async_wait(use_awaitable);
    now = clock::now();
    late.push_back(nanoseconds(now - due).count());
  }
}

}  // namespace

measurement ticker_load(nanoseconds target) {
  constexpr int tickers = 100;
  std::vector<std::int64_t> ticks(tickers);
  const std::clock_t began = std::clock();
  const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(target * 4);
  for (auto& count : ticks) start(tick(end, count));
  run();
  const double cpu = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC * 1e9;
  std::int64_t all = 0;
  for (const std::int64_t count : ticks) all += count;
  const double due = tickers * (target * 4).count() / 1e6;
  if (static_cast<double>(all) < due / 2) throw wrong_result("fewer than half of the ticks came");
  return {"ns cpu", cpu / static_cast<double>(all), all};
}

/// How late four coroutines wake that sleep a millisecond at a time: the value at so many of a thousand parts.
template <int PerThousand>
measurement wake(nanoseconds target) {
  constexpr int sleepers = 4;
  const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(target * 10);
  std::vector<double> all;  // the coroutines share a thread
  all.reserve(sleepers << 16);
  for (int i = 0; i < sleepers; ++i) start(sleep_and_wake(end, all));
  run();
  std::sort(all.begin(), all.end());
  return {"ns", std::max(all[all.size() * PerThousand / 1000], 1.0), static_cast<std::int64_t>(all.size())};
}
template measurement wake<500>(nanoseconds);
template measurement wake<990>(nanoseconds);
template measurement wake<999>(nanoseconds);

}  // namespace bench::asio
