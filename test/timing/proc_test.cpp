// What the scheduler owes its goroutines, as far as time or luck is needed to see it: fairness, and hogs that are worked around. Progress
// and parallelism stand in test/conformance/proc_test.cpp.

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;

class Proc : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const tenon::context&) { f(); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, Proc, testing::Values(1U, 2U, 4U), testing::PrintToStringParamName());

// Go: runtime.Gosched lets every other goroutine go first, the new ones among them
TEST(ProcYield, LetsTheOthersGoFirst) {
  tenon::run(
      [](const tenon::context&) {
        for (int round = 0; round < 200; ++round) {
          const auto wake = tenon::make_chan<void>();
          std::atomic<int> ran = 0;  // a yield orders nothing
          auto woken = tenon::go([&] {
            (void)wake.recv();
            ++ran;
          });
          tenon_test::settle();
          auto fresh = tenon::go([&] { ++ran; });
          wake.close();
          tenon::yield();
          ASSERT_EQ(ran, 2) << "round " << round;
          woken.join();
          fresh.join();
        }
      },
      {.workers = 1});
}

// Go: runtime/proc_test.go TestPreemption; here a monitor that brings in another thread when a goroutine keeps its worker to itself
TEST_P(Proc, PollingWithoutYieldingHoldsNobodyUp) {
  in_run([] {
    const auto c = tenon::make_chan<int>();
    auto sends = tenon::go([=] {
      for (int i = 0; i < 5; ++i) c.send(i);
    });
    for (int received = 0; received < 5;) {
      if (const auto v = c.try_recv()) {
        EXPECT_EQ(v, received++);
      }
    }
    sends.join();
  });
}

// Go: preemption. The hog has long been worked around, and everybody else is asleep, when it wakes somebody and goes on.
TEST_P(Proc, AHogThatWakesSomebodyLateHoldsNobodyUp) {
  in_run([] {
    using clock = std::chrono::steady_clock;
    const auto c = tenon::make_chan<int>();
    std::atomic<bool> received = false;
    auto other = tenon::go([&] { received = c.recv().has_value(); });
    for (const auto until = clock::now() + 100ms; clock::now() < until;) {
    }
    while (!c.try_send(1)) {
    }
    while (!received.load()) {
    }
    other.join();
  });
}

// Go: runtime/proc_test.go TestPingPongHog: two goroutines that wake each other share one time slice, however short their
// turns are; another such pair, with turns a thousand times as long, gets no thousand times as much.
TEST(ProcFairness, PingPongHog) {
  if (tenon_test::under_thread_sanitizer())
    GTEST_SKIP() << "it measures time; Go leaves it out under its race detector";
  struct player {
    tenon::chan<bool> token = tenon::make_chan<bool>();
    volatile long count = 0;
  };
  player hog;
  player light;
  tenon::run(
      [&](const tenon::context&) {
        const auto done = tenon::make_chan<void>();
        const auto play = [done](player& p, long turn) {
          while (tenon::select(tenon::recv(done), tenon::recv(p.token)) == 1) {
            for (long i = 0; i < turn; ++i) p.count = p.count + 1;
            p.token.send(true);
          }
        };
        tenon::wait_group wg;
        for (int i = 0; i < 2; ++i) wg.go([&] { play(hog, 1000000); });
        for (int i = 0; i < 2; ++i) wg.go([&] { play(light, 1000); });
        hog.token.send(true);
        light.token.send(true);
        tenon::sleep_for(200ms);
        done.close();
        (void)hog.token.recv();
        (void)light.token.recv();
        wg.wait();
      },
      {.workers = 1});
  constexpr long factor = 20;
  EXPECT_LT(hog.count / factor, light.count) << "hogs " << hog.count << ", light " << light.count;
  EXPECT_LT(light.count / factor, hog.count) << "hogs " << hog.count << ", light " << light.count;
}

// Go: runtime/sema_test.go TestSemaHandoff: a semaphore goes straight to the first one who waits. tenon gives a mutex away so
// when its waiter has waited for more than a millisecond: whoever unlocked it, and comes back at once, comes too late.
TEST_P(Proc, SemaHandoff) {
  in_run([] {
    const int rounds = static_cast<int>(tenon_test::scaled(100, 20));
    int handed_over = 0;
    for (int i = 0; i < rounds; ++i) {
      tenon::mutex mu;
      std::atomic<int> first = 0;
      std::atomic<bool> about_to_wait = false;
      mu.lock();
      auto waits = tenon::go([&] {
        about_to_wait = true;
        mu.lock();
        int nobody = 0;
        first.compare_exchange_strong(nobody, 1);
        mu.unlock();
      });
      EXPECT_TRUE(tenon_test::eventually([&] { return about_to_wait.load(); }));
      tenon::sleep_for(2ms);
      mu.unlock();
      mu.lock();
      int nobody = 0;
      first.compare_exchange_strong(nobody, 2);
      mu.unlock();
      waits.join();
      handed_over += first == 1 ? 1 : 0;
    }
    EXPECT_GE(handed_over, rounds * 2 / 3) << "of " << rounds;
  });
}

// A worker that sleeps where descriptors are watched does itself what it wakes up for: the others are left asleep. When it woke one each time, and now
// and then itself, a round trip of a lone connection took three times the processor time.
TEST(ProcPoller, ALoneRequestWakesNoSecondWorker) {
  constexpr int requests = 1000;
  std::uint64_t woken = 0;
  tenon::run(
      [&](const tenon::context&) {
        int ends[2] = {-1, -1};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        std::thread client([fd = ends[1]] {
          char c = 0;
          for (int i = 0; i < requests; ++i) {
            ASSERT_EQ(::write(fd, &c, 1), 1);
            ASSERT_EQ(::read(fd, &c, 1), 1);
          }
        });
        const std::uint64_t before = tenon::read_metrics().wakes_total;
        char c = 0;
        for (int i = 0; i < requests; ++i) {
          ASSERT_EQ(tenon::wait_readable(ends[0]), nullptr);
          ASSERT_EQ(::read(ends[0], &c, 1), 1);
          ASSERT_EQ(::write(ends[0], &c, 1), 1);
        }
        woken = tenon::read_metrics().wakes_total - before;
        tenon::blocking([&] { client.join(); });
        for (const int end : ends) (void)tenon::close_fd(end);
      },
      {.workers = 4});
  EXPECT_LT(woken, requests / 4U);
}

}  // namespace
