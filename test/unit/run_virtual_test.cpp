// The virtual clock and the seeded order.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "support/panics.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::testing::run_virtual;

TEST(RunVirtual, TimeTakesNoTimeAndIsExact) {
  run_virtual([] {
    const auto began = tenon::now();
    tenon::sleep_for(1000h);
    EXPECT_EQ(tenon::now() - began, 1000h);
    tenon::ticker ticker(1s);
    for (int i = 1; i <= 100; ++i) EXPECT_EQ(*ticker.c().recv() - began, 1000h + i * 1s);
    const auto scope = tenon::with_timeout(tenon::background(), 5s);
    (void)scope.ctx().done().recv();
    EXPECT_EQ(scope.ctx().err(), tenon::deadline_exceeded());
    EXPECT_EQ(tenon::now() - began, 1000h + 105s);
  });
}

TEST(RunVirtual, TheClockStandsStillWhileAnybodyCanRun) {
  run_virtual([](tenon::group& g) {
    const auto began = tenon::now();
    bool over = false;
    g.go([&] {
      for (int i = 0; i < 1000; ++i) tenon::yield();
      EXPECT_EQ(tenon::now(), began);
      over = true;
    });
    tenon::sleep_for(1ns);
    EXPECT_TRUE(over);
  });
}

TEST(RunVirtual, StartsAtTheSameMomentEachTime) {
  tenon::time_point first;
  run_virtual([&] { first = tenon::now(); });
  run_virtual([&] {
    EXPECT_EQ(tenon::now(), first);
    tenon::sleep_for(1h);
  });
  run_virtual([&] { EXPECT_EQ(tenon::now(), first); });
  EXPECT_LT(tenon::now(), first) << "outside it is the real clock";
}

// What twenty goroutines do in which order, with a select and sleeps among it.
std::string course(std::uint64_t seed) {
  std::string log;
  run_virtual(
      [&](tenon::group& g) {
        const auto a = tenon::make_chan<int>(2, "the test reads all");
        const auto b = tenon::make_chan<int>(2, "the test reads all");
        for (int i = 0; i < 20; ++i) {
          g.go([&, i] {
            if (i % 3 == 0) tenon::sleep_for(std::chrono::milliseconds(i % 2));
            (i % 2 == 0 ? a : b).send(i);
          });
        }
        auto from_a = tenon::recv(a);
        auto from_b = tenon::recv(b);
        for (int i = 0; i < 20; ++i) {
          tenon::select(from_a, from_b);
          log += std::to_string(from_a ? *from_a : *from_b) + ' ';
        }
      },
      seed);
  return log;
}

TEST(RunVirtual, TheSameSeedTakesTheSameCourse) {
  std::set<std::string> courses;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string one = course(seed);
    for (int again = 0; again < 3; ++again) ASSERT_EQ(course(seed), one) << "seed " << seed;
    courses.insert(one);
  }
  EXPECT_GE(courses.size(), 45U) << "other seeds try other orders";
}

TEST(RunVirtual, EverybodyCanBeNext) {
  std::set<int> first;
  for (std::uint64_t seed = 0; seed < 200 && first.size() < 5; ++seed) {
    run_virtual(
        [&](tenon::group& g) {
          std::atomic<int> winner = -1;
          g.go_n(5, [&](int i) {
            int none = -1;
            winner.compare_exchange_strong(none, i);
          });
          tenon::sleep_for(1ns);
          first.insert(winner);
        },
        seed);
  }
  EXPECT_EQ(first.size(), 5U);
}

TEST(RunVirtual, ManyMoreThanAQueueHolds) {
  std::atomic<int> ran = 0;
  run_virtual([&](tenon::group& g) {
    for (int i = 0; i < 2000; ++i) {
      g.go([&, i] {
        tenon::sleep_for(std::chrono::seconds(i % 7));
        ++ran;
      });
    }
  });
  EXPECT_EQ(ran, 2000);
}

TEST(RunVirtual, ABlockingCallHoldsTheClock) {
  run_virtual([](tenon::group& g) {
    const auto began = tenon::now();
    const auto ready = tenon::make_chan<void>();
    g.go([&] {
      tenon::blocking([] {
        while (tenon::read_metrics().idle_threads == 0) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(5ms);  // time to go on wrongly in
      });
      EXPECT_EQ(tenon::now(), began);
      ready.close();
    });
    auto late = tenon::recv(tenon::after(1h));
    auto done = tenon::recv(ready);
    tenon::select(late, done);
    EXPECT_TRUE(done);
  });
}

TEST(RunVirtual, TimersOfAnOutsideThreadAreVirtualToo) {
  run_virtual([] {
    std::atomic<bool> over = false;
    std::thread outside([&] {
      tenon::sleep_for(1h);
      over = true;
    });
    while (!over) tenon::sleep_for(1min);
    outside.join();
  });
}

TEST(RunVirtual, ReturnsAndThrowsAsRunDoes) {
  EXPECT_EQ(run_virtual([] { return 7; }), 7);
  EXPECT_THROW(run_virtual([] { throw std::runtime_error("out"); }), std::runtime_error);
  tenon::run([] { EXPECT_PANIC(run_virtual([] {}), "tenon: run_virtual called while another run is active"); });
}

}  // namespace
