#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "../../micro/busy.hpp"
#include "rows.hpp"

namespace bench::threads {

namespace {

/// Runs f on so many threads, and returns when all have ended.
template <class F>
void on_threads(std::int64_t count, const F& f) {
  std::vector<std::jthread> threads;
  for (std::int64_t i = 0; i < count; ++i) threads.emplace_back(std::cref(f));
}

}  // namespace

void mutex_uncontended(std::int64_t n) {
  std::mutex mu;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::lock_guard lock(mu);
    ++count;
  }
  expect("the counter", count, n);
}

template <std::int64_t Contenders, std::int64_t Inside>
void mutex_contended(std::int64_t n) {
  const std::int64_t spins = Inside == 0 ? 0 : spins_per_us() * Inside / 1000;
  std::mutex mu;
  std::int64_t count = 0;
  on_threads(Contenders, [&, n] {
    for (std::int64_t i = 0; i < n / Contenders; ++i) {
      const std::lock_guard lock(mu);
      ++count;
      spin(spins);
    }
  });
  expect("the counter", count, n);
}
template void mutex_contended<2, 0>(std::int64_t);
template void mutex_contended<2, 100>(std::int64_t);
template void mutex_contended<2, 1000>(std::int64_t);
template void mutex_contended<8, 0>(std::int64_t);
template void mutex_contended<8, 100>(std::int64_t);
template void mutex_contended<8, 1000>(std::int64_t);
template void mutex_contended<64, 0>(std::int64_t);
template void mutex_contended<64, 100>(std::int64_t);
template void mutex_contended<64, 1000>(std::int64_t);

void rwmutex_90_10(std::int64_t n) {
  std::shared_mutex mu;
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::atomic<std::int64_t> torn = 0;
  on_threads(contenders, [&, n] {
    std::int64_t unequal = 0;
    for (std::int64_t i = 0; i < n / contenders; ++i) {
      if (i % 10 == 0) {
        const std::unique_lock lock(mu);
        ++a;
        ++b;
      } else {
        const std::shared_lock lock(mu);
        if (a != b) ++unequal;
      }
    }
    torn += unequal;
  });
  expect("the number of torn reads", torn, 0);
  expect("the number of writes", a, n / 10);
}

void cond_ping_pong(std::int64_t n) {
  std::mutex mu;
  std::condition_variable changed;
  std::int64_t turn = 0;
  const auto play = [&, n](std::int64_t mine) {
    for (std::int64_t i = 0; i < n; ++i) {
      {
        std::unique_lock lock(mu);
        changed.wait(lock, [&] { return turn % 2 == mine; });
        ++turn;
      }
      changed.notify_one();
    }
  };
  {
    const std::jthread other(play, 1);
    play(0);
  }
  expect("the number of turns", turn, 2 * n);
}

void semaphore_4(std::int64_t n) {
  std::counting_semaphore<4> units(4);
  std::atomic<std::int64_t> count = 0;
  on_threads(contenders, [&, n] {
    for (std::int64_t i = 0; i < n / contenders; ++i) {
      units.acquire();
      count.fetch_add(1, std::memory_order_relaxed);
      units.release();
    }
  });
  expect("the counter", count, n);
}

}  // namespace bench::threads
