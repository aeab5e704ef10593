// A thread outside of the runtime that is about to wait, or just woken, can still wake everybody: no deadlock is reported while there is
// one. Each operation lets a worker go idle, and look, at the very moment. With 1, 2 and 8 workers.

#include <gtest/gtest.h>

#include <signal.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <system_error>
#include <thread>

#include <tenon/tenon.hpp>

#include "platform/compiler.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using tenon_test::random_source;
using tenon_test::seed_in_use;
using namespace std::chrono_literals;

class NoFalseDeadlock : public testing::TestWithParam<unsigned> {
 protected:
  /// Calls `act(random)` again and again from an OS thread, while the only goroutine waits for it to end.
  static void besides(const std::function<void(random_source&)>& act) {
    const seed_in_use seed;
    const std::size_t rounds = tenon_test::scaled_spawns(20000);
    const auto ready = tenon::make_chan<void>();
    const auto over = tenon::make_chan<void>();
    std::thread outside([&] {
      (void)ready.recv();
      random_source random(seed.of(0));
      for (std::size_t r = 0; r < rounds; ++r) act(random);
      over.close();
    });
    tenon::run(
        [&](const tenon::context&) {
          ready.close();
          (void)over.recv();
        },
        {.workers = GetParam()});
    outside.join();
  }
  static void dawdle(random_source& random, std::uint32_t at_most) {
    for (std::uint32_t n = random.below(at_most); n != 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, NoFalseDeadlock, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// A signal comes from outside of the process, and the monitor thread, which counts as no thread of the program, cancels the run: between
// taking the waiter out of its list and waking it, it is the only one who knows of it.
TEST_P(NoFalseDeadlock, WhileAnInterruptIsDelivered) {
  if (tenon::under_tsan) {
    GTEST_SKIP()
        << "ThreadSanitizer keeps a signal for the fiber that ran when it came, and that may be the one that waits for it";
  }
  const seed_in_use seed;
  random_source random(seed.of(0));
  struct sigaction by_default{};
  struct sigaction before{};
  by_default.sa_handler = SIG_DFL;  // a background process of a shell ignores it
  ASSERT_EQ(::sigaction(SIGINT, &by_default, &before), 0);
  timer_t alarm{};
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGINT;
  ASSERT_EQ(::timer_create(CLOCK_MONOTONIC, &event, &alarm), 0);
  const std::size_t rounds = tenon_test::scaled(20'000, 500);
  for (std::size_t r = 0; r < rounds; ++r) {
    tenon::run(
        [&](const tenon::context& root) {
          itimerspec in{};
          in.it_value.tv_nsec = 1 + static_cast<long>(random.below(100'000));
          ASSERT_EQ(::timer_settime(alarm, 0, &in, nullptr), 0);
          (void)root.done().recv();
        },
        {.workers = GetParam()});
  }
  ::timer_delete(alarm);
  ::sigaction(SIGINT, &before, nullptr);
}

TEST_P(NoFalseDeadlock, WhileAThreadJoins) {
  besides([](random_source& random) {
    auto g = tenon::go([] {});
    dawdle(random, 20000);
    g.join();
  });
}

TEST_P(NoFalseDeadlock, WhileAThreadWaitsForAnEndOrForItsContext) {
  besides([](random_source& random) {
    auto scope = tenon::with_cancel(tenon::background());
    const tenon::context ctx = scope.ctx();
    auto g = tenon::go([] {});
    dawdle(random, 20000);
    EXPECT_TRUE(g.wait(ctx));
    g.join();
  });
}

TEST_P(NoFalseDeadlock, WhileAThreadSleeps) {
  besides([](random_source& random) {
    auto g = tenon::go([] {});
    g.join();
    tenon::sleep_for(std::chrono::nanoseconds(random.below(20000)));
  });
}

TEST_P(NoFalseDeadlock, WhileAThreadIsWokenByItsTimer) {
  const auto nobody = tenon::make_chan<int>();
  besides([&](random_source& random) {
    auto scope = tenon::with_timeout(tenon::background(), std::chrono::nanoseconds(random.below(20000)));
    const tenon::context ctx = scope.ctx();
    auto g = tenon::go([&c = ctx] { (void)c.done().recv(); });
    EXPECT_FALSE(nobody.recv(ctx));
    g.join();
  });
}

TEST_P(NoFalseDeadlock, WhileAThreadIsHandedAValue) {
  const auto values = tenon::make_chan<int>();
  besides([&](random_source& random) {
    auto g = tenon::go([&] { values.send(1); });
    dawdle(random, 5000);
    EXPECT_EQ(values.recv(), 1);
    g.join();
  });
}

}  // namespace
