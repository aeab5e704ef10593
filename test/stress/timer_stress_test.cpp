// Storms of timers: started, moved, stopped and destroyed from everywhere while they fire.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using clock = std::chrono::steady_clock;

class TimerStress : public testing::TestWithParam<unsigned> {};

std::chrono::nanoseconds random_span(tenon_test::random_source& random) {
  switch (random.below(4)) {
    case 0: return 0ns;
    case 1: return std::chrono::nanoseconds(random.below(5000));
    case 2: return std::chrono::microseconds(random.below(200));
    default: return 1h;
  }
}

TEST_P(TimerStress, ManySleepersWakeNoEarlierThanTheyAsked) {
  const tenon_test::seed_in_use seed;
  const std::size_t n = tenon_test::scaled_goroutines(2000);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::size_t i = 0; i < n; ++i) {
          wg.go([&, i] {
            tenon_test::random_source random(seed.of(i));
            for (int j = 0; j < 10; ++j) {
              const auto d = std::chrono::microseconds(random.below(3000));
              const auto start = clock::now();
              tenon::sleep_for(d);
              EXPECT_GE(clock::now() - start, d);
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

// One user for each timer: then what stop and reset answer is exact.
TEST_P(TimerStress, StopAndResetAreExactForTheirOwner) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(2500, 100);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 32; ++i) {
          wg.go([&, i] {
            tenon_test::random_source random(seed.of(i));
            const tenon::timer t(1h);
            bool armed = true;  // a tick is still to be had
            auto asked = clock::now();
            for (std::size_t l = 0; l < loops; ++l) {
              switch (random.below(4)) {
                case 0:
                  EXPECT_EQ(t.stop(), armed);
                  armed = false;
                  break;
                case 1: {
                  const auto d = random_span(random);
                  asked = clock::now() + d;
                  EXPECT_EQ(t.reset(d), armed);
                  armed = true;
                  break;
                }
                case 2:
                  if (const auto tick = t.c().try_recv()) {
                    EXPECT_TRUE(armed);
                    EXPECT_GE(*tick, asked) << "a tick of before the last reset";
                    armed = false;
                  }
                  break;
                default: tenon::sleep_for(std::chrono::microseconds(random.below(100)));
              }
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

TEST_P(TimerStress, EverybodyUsesTheSameTimers) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(2000, 100);
  tenon::run(
      [&](context) {
        std::vector<tenon::timer> timers;
        std::vector<tenon::ticker> tickers;
        for (int i = 0; i < 4; ++i) {
          timers.emplace_back(1h);
          tickers.emplace_back(1us);
        }
        const auto work = [&](std::uint64_t who) {
          tenon_test::random_source random(seed.of(who));
          for (std::size_t l = 0; l < loops; ++l) {
            const tenon::timer& t = timers[random.below(timers.size())];
            const tenon::ticker& k = tickers[random.below(tickers.size())];
            switch (random.below(6)) {
              case 0: (void)t.stop(); break;
              case 1: (void)t.reset(random_span(random)); break;
              case 2: (void)t.c().try_recv(); break;
              case 3: k.reset(std::chrono::nanoseconds(1 + random.below(1000))); break;
              case 4: tenon::select(tenon::recv(t.c()), tenon::recv(k.c()), tenon::recv(tenon::after(50us))); break;
              default: tenon::yield();
            }
          }
        };
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 8; ++i) wg.go([&, i] { work(i); });
        tenon_test::os_thread thread([&] { work(100); });
        wg.wait();
        thread.join();
      },
      {.workers = GetParam()});
}

TEST_P(TimerStress, FunctionsRunOnceOrNotAtAll) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(2500, 100);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 8; ++i) {
          wg.go([&, i] {
            tenon_test::random_source random(seed.of(i));
            for (std::size_t l = 0; l < loops; ++l) {
              std::atomic<int> ran = 0;
              bool stopped = false;
              {
                const tenon::timer t(std::chrono::microseconds(random.below(30)), [&] { ++ran; });
                if (random.one_in(2)) tenon::sleep_for(std::chrono::microseconds(random.below(30)));
                stopped = t.stop();
              }
              EXPECT_EQ(ran.load(), stopped ? 0 : 1);
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

TEST_P(TimerStress, TimersAreDestroyedWhileTheyFire) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(5000, 100);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 8; ++i) {
          wg.go([&, i] {
            tenon_test::random_source random(seed.of(i));
            std::vector<std::optional<tenon::timer>> timers(16);
            std::vector<tenon::recv_chan<tenon::time_point>> kept(16);
            for (std::size_t l = 0; l < loops; ++l) {
              const std::size_t at = random.below(timers.size());
              if (timers[at] && random.one_in(2)) {
                timers[at].reset();
                EXPECT_FALSE(kept[at].try_recv()) << "its timer has gone";
              } else {
                timers[at].emplace(random_span(random));
                kept[at] = timers[at]->c();
              }
              (void)tenon::after(random_span(random));
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

TEST_P(TimerStress, SleepsRaceWithCancels) {
  const std::size_t loops = tenon_test::scaled(5000, 100);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (int i = 0; i < 8; ++i) {
          wg.go([&] {
            for (std::size_t l = 0; l < loops; ++l) {
              auto scope = tenon::with_timeout(tenon::background(), std::chrono::microseconds(l % 30));
              const tenon::context c = scope.ctx();
              const bool whole = tenon::sleep_for(c, std::chrono::microseconds((l * 7) % 30));
              if (!whole) {
                EXPECT_TRUE(c.is_canceled());
              }
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Workers, TimerStress, testing::ValuesIn(tenon_test::worker_counts()));

TEST(TimerStressThreads, TimersOfThreadsOutliveRuns) {
  const std::size_t rounds = tenon_test::scaled(30, 5);
  for (std::size_t r = 0; r < rounds; ++r) {
    const tenon::timer outside(1ms);
    std::optional<tenon::timer> inside;
    tenon::run([&](context) { inside.emplace(1ms); }, {.workers = 2});
    EXPECT_TRUE(outside.c().recv());
    EXPECT_TRUE(inside->c().recv());
  }
}

}  // namespace
