// A worker's queue, and the order in which those run that do not find room in it.

#include "sched/work_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include <tenon/tenon.hpp>

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using tenon::detail::goroutine_core;
using tenon::detail::work_queue;

goroutine_core* made_up(std::uintptr_t n) { return reinterpret_cast<goroutine_core*>(n); }

TEST(WorkQueue, GivesTheNewestInTheOrderInWhichTheyCame) {
  work_queue q;
  std::uintptr_t last = 0;
  for (int round = 0; round < 3; ++round) {  // at any place of the ring
    while (q.push_back(made_up(last + 1))) ++last;
    EXPECT_EQ(q.size(), work_queue::capacity);
    goroutine_core* newest[100];
    q.take_back(newest, 100);
    for (std::uintptr_t i = 0; i < 100; ++i) EXPECT_EQ(newest[i], made_up(last - 99 + i));
    EXPECT_EQ(q.pop_back(), made_up(last - 100));
    EXPECT_EQ(q.pop_front(), made_up(last - work_queue::capacity + 1));
    while (q.pop_front() != nullptr) {
    }
  }
}

constexpr std::size_t many = 700;  // more than twice what a queue holds

/// Who ran first, second and so on.
struct order {
  std::vector<std::size_t> who = std::vector<std::size_t>(many);
  std::atomic<std::size_t> n{0};
};

/// Starts so many goroutines, each of which waits by `wait(i)`, and has run then.
void start_waiters(tenon::group& root, order& ran, const std::function<void(std::size_t)>& wait) {
  for (std::size_t i = 0; i < many; ++i) {
    root.go([&ran, wait, i] {
      wait(i);
      ran.who[ran.n++] = i;
    });
    if (i % 4 == 0) tenon::yield();  // who keeps the only worker for long gets a second one beside it
  }
}

/// Repeats it: a machine that stops us for long may be the reason for a second worker, too.
bool any_of_many(const std::function<bool()>& is_right) {
  for (int i = 0; i < 30; ++i) {
    if (is_right()) return true;
  }
  return false;
}

const tenon::run_options one_worker = [] {
  tenon::run_options options;
  options.workers = 1;
  return options;
}();

TEST(WorkQueue, TimersThatAreDueAtOnceRunInTurn) {
  auto ahead = 20ms;
  EXPECT_TRUE(any_of_many([&] {
    order ran;
    bool in_time = false;
    tenon::run(
        [&](tenon::group& root) {
          const auto at = steady_clock::now() + ahead;
          start_waiters(root, ran, [at](std::size_t i) { tenon::sleep_until(at + std::chrono::nanoseconds(i)); });
          while (tenon::read_metrics().waiting < many && steady_clock::now() < at) tenon::yield();
          in_time = steady_clock::now() < at;
          tenon::sleep_until(at - 1ms);
          while (steady_clock::now() < at + 10us) {  // the worker looks when all are due
          }
        },
        one_worker);
    if (!in_time) ahead = std::min(2 * ahead, 2000ms);
    std::size_t places = 0;  // by how many somebody runs earlier or later
    for (std::size_t i = 0; i < many; ++i) places = std::max(places, ran.who[i] > i ? ran.who[i] - i : i - ran.who[i]);
    return in_time && places <= work_queue::capacity;
  }));
}

TEST(WorkQueue, OfManyThatAGoroutineWakesThoseWhoWaitLongestRunFirst) {
  EXPECT_TRUE(any_of_many([&] {
    order ran;
    tenon::run(
        [&](tenon::group& root) {
          const auto go = tenon::make_chan<void>();
          start_waiters(root, ran, [go](std::size_t) { (void)go.recv(); });
          while (tenon::read_metrics().waiting < many) tenon::yield();
          go.close();
        },
        one_worker);
    // The worker looks around at least once meanwhile, and takes one from elsewhere.
    return std::count_if(ran.who.begin(), ran.who.begin() + 100, [](std::size_t i) { return i < 128; }) >= 95;
  }));
}

}  // namespace
