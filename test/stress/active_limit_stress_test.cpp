// The number of active workers changes all the time, as the monitor changes it where it measures, only much more often: whoever
// retires gives away what it has, and nobody goes to sleep over it. With 2 and 8 workers.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "sched/scheduler.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;

void hold_active_limit(unsigned n) { tenon::detail::the_scheduler().hold_active_limit(n); }

/// Changes the limit until it goes out of scope.
class flipper {
 public:
  explicit flipper(unsigned most)
      : thread_([this, most] {
          const tenon_test::seed_in_use seed;
          tenon_test::random_source random(seed.of(0));
          while (!stop_.load(std::memory_order_relaxed)) {
            hold_active_limit(1 + static_cast<unsigned>(random.below(most)));
            const auto pause = std::chrono::nanoseconds(random.below(random.one_in(4) ? 200'000 : 5'000));
            const auto until = std::chrono::steady_clock::now() + pause;
            while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
          }
          hold_active_limit(0);
        }) {}
  flipper(const flipper&) = delete;
  flipper& operator=(const flipper&) = delete;
  ~flipper() {
    stop_ = true;
    tenon::blocking([this] { thread_.join(); });
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class ActiveLimitStress : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run(
        [&](const tenon::context&) {
          const flipper flips(GetParam());
          f();
        },
        {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, ActiveLimitStress, testing::Values(2U, 8U), testing::PrintToStringParamName());

TEST_P(ActiveLimitStress, APipelineFlowsOn) {
  const std::int64_t values = static_cast<std::int64_t>(tenon_test::scaled(100'000));
  in_run([&] {
    std::vector<tenon::chan<std::int64_t>> links;
    for (int i = 0; i <= 10; ++i) links.push_back(tenon::make_chan<std::int64_t>());
    tenon::wait_group wg;
    wg.go([&] {
      for (std::int64_t i = 0; i < values; ++i) links[0].send(i);
      links[0].close();
    });
    for (std::size_t stage = 0; stage < 10; ++stage) {
      wg.go([&, stage] {
        for (const std::int64_t v : links[stage]) links[stage + 1].send(v + 1);
        links[stage + 1].close();
      });
    }
    std::int64_t sum = 0;
    for (const std::int64_t v : links[10]) sum += v;
    wg.wait();
    EXPECT_EQ(sum, values * (values - 1) / 2 + 10 * values);
  });
}

TEST_P(ActiveLimitStress, BurstsOfSpawnsAreJoined) {
  const std::size_t bursts = tenon_test::scaled(3'000);
  in_run([&] {
    std::atomic<std::size_t> ended = 0;
    for (std::size_t i = 0; i < bursts; ++i) {
      tenon::wait_group wg;
      for (int k = 0; k < 30; ++k) wg.go([&] { ended.fetch_add(1, std::memory_order_relaxed); });
      wg.wait();
    }
    EXPECT_EQ(ended, 30 * bursts);
  });
}

/// Goroutines that never let their worker rest, until it goes out of scope.
class crowd {
 public:
  explicit crowd(unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
      wg_.go([this] {
        while (!stop_.load(std::memory_order_relaxed)) tenon::yield();
      });
    }
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  ~crowd() {
    stop_ = true;
    wg_.wait();
  }

 private:
  std::atomic<bool> stop_ = false;
  tenon::wait_group wg_;
};

// The tests above pass also if what a retired worker has lies about until the limit changes again. Here it does not change back.

// A timer belongs to the worker that started it.
TEST_P(ActiveLimitStress, TimersOfARetiredWorkerFireBesideABusyOne) {
  const std::size_t rounds = tenon_test::scaled(20, 2);
  tenon::run(
      [&](const tenon::context&) {
        for (std::size_t i = 0; i < rounds; ++i) {
          const crowd busy(2 * GetParam());
          tenon::wait_group sleepers;
          for (unsigned k = 0; k < 4 * GetParam(); ++k) sleepers.go([] { tenon::sleep_for(5ms); });
          hold_active_limit(GetParam());
          tenon::sleep_for(1ms);
          hold_active_limit(1);
          sleepers.wait();
        }
        hold_active_limit(0);
      },
      {.workers = GetParam()});
}

TEST_P(ActiveLimitStress, WhatARetiredWorkerHadGoesOnBesideABusyOne) {
  const std::size_t rounds = tenon_test::scaled(100, 5);
  tenon::run(
      [&](const tenon::context&) {
        for (std::size_t i = 0; i < rounds; ++i) {
          std::vector<std::atomic<unsigned>> steps(8 * std::size_t{GetParam()});
          std::atomic<bool> stop = false;
          tenon::wait_group wg;
          for (auto& mine : steps) {
            wg.go([&] {
              while (!stop.load(std::memory_order_relaxed)) {
                ++mine;
                tenon::yield();
              }
            });
          }
          hold_active_limit(GetParam());
          tenon::sleep_for(200us);
          hold_active_limit(1);
          tenon::sleep_for(200us);
          for (auto& mine : steps) {
            for (const unsigned before = mine; mine == before;) tenon::yield();
          }
          stop = true;
          wg.wait();
        }
        hold_active_limit(0);
      },
      {.workers = GetParam()});
}

TEST_P(ActiveLimitStress, TimersFireWhileTheLimitChanges) {
  const std::size_t rounds = tenon_test::scaled(300);
  in_run([&] {
    const crowd busy(3);
    tenon::wait_group sleepers;
    for (int i = 0; i < 20; ++i) {
      sleepers.go([&, i] {
        for (std::size_t k = 0; k < rounds; ++k) tenon::sleep_for((i + 1) * 10us);
      });
    }
    sleepers.wait();
  });
}

TEST_P(ActiveLimitStress, WhatAThreadSendsArrives) {
  const std::int64_t values = static_cast<std::int64_t>(tenon_test::scaled(20'000));
  in_run([&] {
    const auto there = tenon::make_chan<std::int64_t>();
    const auto back = tenon::make_chan<std::int64_t>();
    std::thread outside([&] {
      for (std::int64_t i = 0; i < values; ++i) {
        there.send(i);
        (void)back.recv();
      }
      there.close();
    });
    std::int64_t sum = 0;
    for (const std::int64_t v : there) {
      sum += v;
      back.send(v);
    }
    tenon::blocking([&] { outside.join(); });
    EXPECT_EQ(sum, values * (values - 1) / 2);
  });
}

}  // namespace
