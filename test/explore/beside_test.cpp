// What shuttle explores in bench/peers/explore_rust, between the operations of tenon's primitives: docs/exploration.md has both figures.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <mutex>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

#include "explore/explored.hpp"

using tenon::testing::strategy;
using tenon_test::require;
using tenon_test::wait_for_all;

namespace {

void explored(const char* name, strategy by, void (*program)(tenon::group&)) {
  const auto began = std::chrono::steady_clock::now();
  const tenon::testing::explored e =
      tenon::testing::explore(program, {.by = by, .schedules = 100'000, .time = std::chrono::minutes(2)});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(e.failure, "") << name;
  EXPECT_EQ(e.all, by == strategy::exhaustive) << name;
  std::printf("figures: %s: %zu schedules in %.3f s\n", name, e.schedules, took.count());
}

void mutex(tenon::group& g) {
  tenon::mutex mu;
  int n = 0;
  const auto add = [&] {
    const std::lock_guard hold(mu);
    ++n;
  };
  for (int i = 0; i < 2; ++i) g.go(add);
  add();
  wait_for_all(g);
  require(n == 3, "one was lost");
}

void channel(tenon::group& g) {
  const auto c = tenon::make_chan<int>(2, "as many as are sent");
  g.go([&] { c.send(1); });
  g.go([&] { c.send(2); });
  const int one = *c.recv();
  require(one + *c.recv() == 3, "a value was lost");
  wait_for_all(g);
}

}  // namespace

TEST(BesideShuttle, Mutex) {
  explored("mutex, random", strategy::random, &mutex);
  explored("mutex, exhaustive", strategy::exhaustive, &mutex);
}

TEST(BesideShuttle, Channel) {
  explored("channel, random", strategy::random, &channel);
  explored("channel, exhaustive", strategy::exhaustive, &channel);
}
