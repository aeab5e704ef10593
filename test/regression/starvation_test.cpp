// A goroutine that can run does run, whatever the others do with their workers.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <tenon/tenon.hpp>

namespace {

using namespace std::chrono_literals;

class Starvation : public testing::TestWithParam<unsigned> {
 protected:
  /// Calls `f` while four goroutines have always work for the workers, and four are in one short call after the other.
  template <class F>
  static void while_all_are_busy(const F& f) {
    tenon::run(
        [&](tenon::group& root) {
          std::atomic<bool> over = false;
          tenon::group others(root.ctx());
          for (int i = 0; i < 4; ++i) {
            others.go([&] {
              while (!over) tenon::yield();
            });
            others.go([&] {
              while (!over) tenon::blocking([] { std::this_thread::sleep_for(100us); });
            });
          }
          f();
          over = true;
          (void)others.wait();
        },
        {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, Starvation, testing::Values(1U, 2U), testing::PrintToStringParamName());

// Whether a goroutine comes to lie in such a queue is chance: several times, so that it does.
constexpr int times = 8;

// It lay in the queue of a worker whose goroutine went from call to call, and the workers that ran had work of their own: it had had one turn in
// four seconds.
TEST_P(Starvation, SparesAGoroutineInTheQueueOfAWorkerThatIsInCalls) {
  for (int n = 0; n < times; ++n) {
    while_all_are_busy([] {
      for (int i = 0; i < 200; ++i) {
        tenon::blocking([] { std::this_thread::sleep_for(20us); });
        tenon::yield();
      }
    });
  }
}

TEST_P(Starvation, SparesAGoroutineThatIsStarted) {
  for (int n = 0; n < times; ++n) {
    while_all_are_busy([] {
      for (int i = 0; i < 200; ++i) tenon::go([] {}).join();
    });
  }
}

// The same goroutine all the time, in calls too short to be seen.
TEST_P(Starvation, SparesThoseBehindAGoroutineThatOnlyCalls) {
  tenon::run(
      [](tenon::group& root) {
        std::atomic<bool> over = false;
        root.go([&] {
          for (int i = 0; i < 100; ++i) tenon::yield();
          over = true;
        });
        while (!over) tenon::blocking([] {});
      },
      {.workers = GetParam()});
}

}  // namespace
