// A hog does not starve the others, on the real clock and with real threads. On the virtual clock, where the bound is exact, it stands in
// test/conformance/mutex_test.cpp.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;

class MutexFairness : public testing::TestWithParam<unsigned> {};

// Go: sync/mutex_test.go TestMutexFairness
TEST_P(MutexFairness, AHogDoesNotStarveTheOthers) {
  tenon::run(
      [](context) {
        tenon::mutex mu;
        std::atomic<bool> stop = false;
        auto hog = tenon::go([&] {
          while (!stop.load()) {
            mu.lock();
            tenon::sleep_for(100us);
            mu.unlock();
          }
        });
        const auto done = tenon::make_chan<void>();
        auto modest = tenon::go([&] {
          for (int i = 0; i < 10; ++i) {
            tenon::sleep_for(100us);
            mu.lock();
            mu.unlock();
          }
          done.close();
        });
        EXPECT_EQ(tenon::select(tenon::recv(done), tenon::recv(tenon::after(10s))), 0U)
            << "ten acquisitions took more than ten seconds";
        stop = true;
        hog.join();
        modest.join();
      },
      {.workers = GetParam()});
}

// Go: sync/mutex_test.go TestMutexFairness, with a hog that never waits while it holds the lock
TEST_P(MutexFairness, ABusyHogDoesNotStarveTheOthers) {
  tenon::run(
      [](context) {
        tenon::mutex mu;
        std::atomic<bool> stop = false;
        auto hog = tenon::go([&] {
          while (!stop.load()) {
            mu.lock();
            const auto end = std::chrono::steady_clock::now() + 50us;
            while (std::chrono::steady_clock::now() < end) {
            }
            mu.unlock();
          }
        });
        const auto done = tenon::make_chan<void>();
        auto modest = tenon::go([&] {
          for (int i = 0; i < 10; ++i) {
            tenon::sleep_for(100us);
            mu.lock();
            mu.unlock();
          }
          done.close();
        });
        EXPECT_EQ(tenon::select(tenon::recv(done), tenon::recv(tenon::after(10s))), 0U)
            << "ten acquisitions took more than ten seconds";
        stop = true;
        hog.join();
        modest.join();
      },
      {.workers = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Workers, MutexFairness, testing::Values(1U, 2U, 8U));

// Go: sync/mutex_test.go TestMutexFairness, from plain threads
TEST(Mutex, AThreadsHogDoesNotStarveOtherThreads) {
  tenon::mutex mu;
  std::atomic<bool> stop = false;
  tenon_test::os_thread hog([&] {
    while (!stop.load()) {
      mu.lock();
      std::this_thread::sleep_for(100us);
      mu.unlock();
    }
  });
  const auto done = tenon::make_chan<void>();
  tenon_test::os_thread modest([&] {
    for (int i = 0; i < 10; ++i) {
      std::this_thread::sleep_for(100us);
      mu.lock();
      mu.unlock();
    }
    done.close();
  });
  EXPECT_EQ(tenon::select(tenon::recv(done), tenon::recv(tenon::after(10s))), 0U)
      << "ten acquisitions took more than ten seconds";
  stop = true;
}

}  // namespace
