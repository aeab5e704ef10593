// Channels under load: many consumers, and waiting lists whose cost is linear in those who wait.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

// Go: runtime/chan_test.go TestMultiConsumer
TEST(ChanLoad, ManyConsumersSeeEveryValueOnce) {
  constexpr std::array numbers{2, 3, 7, 11, 13, 17, 19, 23, 27, 31};
  constexpr int consumers = 23;
  const std::size_t values = tenon_test::scaled(271828, 5000);
  tenon::run(
      [&](const tenon::context&) {
        const auto work = tenon::make_chan<int>(consumers * 3, "consumers never stop taking");
        const auto results = tenon::make_chan<int>(consumers * 3, "the test takes every one");
        long expected = 0;
        auto feeder = tenon::go([&] {
          tenon::wait_group wg;
          for (int i = 0; i < consumers; ++i) {
            wg.go([=] {
              for (const int v : work) {
                // Some of them let others overtake them.
                if (numbers[static_cast<std::size_t>(i) % numbers.size()] == v) tenon::yield();
                results.send(v);
              }
            });
          }
          for (std::size_t i = 0; i < values; ++i) {
            expected += numbers[i % numbers.size()];
            work.send(numbers[i % numbers.size()]);
          }
          work.close();
          wg.wait();
          results.close();
        });
        std::size_t count = 0;
        long sum = 0;
        for (const int v : results) {
          ++count;
          sum += v;
        }
        feeder.join();
        EXPECT_EQ(count, values);
        EXPECT_EQ(sum, expected);
      },
      {.workers = 4});
}

enum class order { forwards, backwards, shuffled };

// Each of `n` goroutines waits in the queue of a first channel and on a second one of its own. Waking each of them `rounds`
// times by the second one takes it out of the first one's queue, in which it stands alone, or with all the others.
std::chrono::nanoseconds time_to_wake(std::size_t n, order wake, bool in_one_queue) {
  constexpr int rounds = 8;
  const auto common = tenon::make_chan<void>();
  std::vector<tenon::chan<void>> own;
  std::vector<tenon::goroutine<>> waiting;
  own.reserve(n);
  waiting.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    own.push_back(tenon::make_chan<void>());
    waiting.push_back(tenon::go([first = in_one_queue ? common : tenon::make_chan<void>(), second = own.back()] {
      for (int round = 0; round < rounds; ++round) {
        EXPECT_EQ(tenon::select(tenon::recv(first), tenon::recv(second)), 1U);
      }
    }));
  }
  std::vector<std::size_t> turns(n);
  std::iota(turns.begin(), turns.end(), 0U);
  tenon_test::random_source random(n);
  if (wake == order::backwards) std::reverse(turns.begin(), turns.end());
  if (wake == order::shuffled) std::shuffle(turns.begin(), turns.end(), random);
  tenon_test::settle();
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
    for (const std::size_t i : turns) own[i].send();
  }
  for (auto& g : waiting) g.join();
  return std::chrono::steady_clock::now() - begin;
}

class ChanLinear : public testing::TestWithParam<order> {};
INSTANTIATE_TEST_SUITE_P(Wake, ChanLinear, testing::Values(order::forwards, order::backwards, order::shuffled),
                         [](const auto& info) {
                           switch (info.param) {
                             case order::forwards: return "Forwards";
                             case order::backwards: return "Backwards";
                             default: return "Shuffled";
                           }
                         });

// Go: test/chanlinear.go, which compares n waiters with 2n. On stacks as large as ours that measures the caches, so here the
// same number waits in one queue and in as many queues.
TEST_P(ChanLinear, LeavingAQueueCostsTheSameHoweverLongItIs) {
  const std::size_t n = std::min(tenon_test::scaled(4000, 800), tenon_test::scaled_goroutines(100000));
  tenon::run(
      [&](const tenon::context&) {
        // Another program that gets in the way only ever makes it slower: one good pair is enough. A search through the
        // queue would make it slower by much more than this, every time.
        auto apart = std::chrono::nanoseconds::max();
        auto together = std::chrono::nanoseconds::max();
        for (int attempt = 0; attempt < 8; ++attempt) {
          apart = std::min(apart, time_to_wake(n, GetParam(), false));
          together = std::min(together, time_to_wake(n, GetParam(), true));
          if (together < 3 * apart) return;
        }
        ADD_FAILURE() << n << " waiters: " << apart.count() << " ns apart, " << together.count() << " ns together";
      },
      {.workers = 1});
}

}  // namespace
