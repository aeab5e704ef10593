// What users of comparable libraries ran into where threads race: selects that meet, closes, who gets its turn. With 1, 2 and 8 workers.
// The other parts are field_stress_test.cpp and field_process_stress_test.cpp.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/helper.hpp"
#include "stress/watchdog.hpp"
#include "stress/workers_case.hpp"
#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::dawdle;
using tenon_test::helper;
using tenon_test::helper_kind;
using tenon_test::random_source;
using tenon_test::seed_in_use;
using tenon_test::watchdog;
using tenon_test::workers_case;
using clock = std::chrono::steady_clock;

// ---- F7 -------------------------------------------------------------------------------------------------------------

TEST(FieldF7, APairThatWakesEachOtherForEverLeavesTheOthersTheirTurn) {
  // One worker, two that play ping-pong for ever, a third that counts: it gets there.
  const std::size_t turns = tenon_test::scaled(20000, 1000);
  const watchdog dog;
  tenon::run(
      [&](const context& root) {
        const auto stop = tenon::with_cancel(root);
        const auto ping = tenon::make_chan<int>();
        const auto pong = tenon::make_chan<int>();
        tenon::wait_group wg;
        std::atomic<std::uint64_t> hits = 0;
        wg.go([&] {
          while (ping.send(stop.ctx(), 1) && pong.recv(stop.ctx())) ++hits;
        });
        wg.go([&] {
          while (ping.recv(stop.ctx()) && pong.send(stop.ctx(), 1)) ++hits;
        });
        for (std::size_t i = 0; i < turns; ++i) {
          tenon::yield();
          watchdog::step();
        }
        const std::uint64_t before = hits;
        while (hits < before + 100) tenon::yield();  // nor do they stand still
        stop.cancel();
        wg.wait();
      },
      {.workers = 1});
}

TEST(FieldF7, WhomABusyGoroutineWokeStartsOnAnotherWorker) {
  // Two workers; A wakes B and then computes without a switch, until B has been there: B does not wait for A's worker.
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(10000, 50);
  const watchdog dog;
  tenon::run(
      [&](const context&) {
        random_source random(seed.of(0));
        const auto c = tenon::make_chan<std::atomic<bool>*>();
        auto b = tenon::go([&] {
          for (auto* flag : c) *flag = true;
        });
        for (std::size_t r = 0; r < rounds && !testing::Test::HasFailure(); ++r) {
          std::atomic<bool> been_there = false;
          std::atomic<bool> too = false;
          dawdle(random, 3);
          c.send(&been_there);
          tenon::goroutine<> fresh;
          if (random.one_in(2)) {
            fresh = tenon::go([&] { too = true; });
          } else {
            too = true;
          }
          const auto end = clock::now() + 60s;
          while (!(been_there && too) && clock::now() < end) {
          }
          EXPECT_TRUE(been_there && too) << "round " << r;
          if (fresh.joinable()) fresh.join();
          watchdog::step();
        }
        c.close();
        b.join();
      },
      {.workers = 2});
}

// ---- F11 ------------------------------------------------------------------------------------------------------------

using FieldF11 = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FieldF11, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Two selects that can only meet each other, with every order of their cases: they meet, and agree on where.
TEST_P(FieldF11, TwoSelectsThatCanOnlyMeetEachOtherMeet) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(200000, 1000);
  for (const auto kind : {helper_kind::goroutine, helper_kind::thread}) {
    in_run([&](const context&) {
      const auto a = tenon::make_chan<int>();
      const auto b = tenon::make_chan<int>();
      random_source mine(seed.of(0));
      helper hand(kind);
      std::size_t met_in_a = 0;
      for (std::size_t r = 0; r < rounds / 2 && !HasFailure(); ++r) {
        std::size_t there = 0;
        const bool turned = mine.one_in(2);
        const bool turned_there = mine.one_in(2);
        hand.ask([&] {
          // Receives from a or sends to b.
          auto in = tenon::recv(a);
          auto out = tenon::send(b, 2);
          turned_there ? tenon::select(out, in) : tenon::select(in, out);
          there = in ? 0 : 1;
          EXPECT_TRUE(!in || *in == 1);
        });
        auto out = tenon::send(a, 1);
        auto in = tenon::recv(b);
        turned ? tenon::select(out, in) : tenon::select(in, out);
        EXPECT_TRUE(!in || *in == 2);
        hand.await();
        EXPECT_EQ(there, out ? 0U : 1U) << "round " << r;
        met_in_a += out ? 1 : 0;
        watchdog::step();
      }
      RecordProperty(kind == helper_kind::thread ? "met_in_a_with_a_thread" : "met_in_a", std::to_string(met_in_a));
    });
  }
}

// Both directions of one channel in both: one sends and the other one receives, and nobody from itself.
TEST_P(FieldF11, ASelectNeverMeetsItself) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(200000, 1000);
  for (const auto kind : {helper_kind::goroutine, helper_kind::thread}) {
    in_run([&](const context&) {
      const auto c = tenon::make_chan<int>();
      random_source random(seed.of(0));
      helper hand(kind);
      for (std::size_t r = 0; r < rounds / 2 && !HasFailure(); ++r) {
        const std::uint64_t order = random.below(4);
        const auto both = [&c](int me, bool turned) {
          auto out = tenon::send(c, me);
          auto in = tenon::recv(c);
          turned ? tenon::select(in, out) : tenon::select(out, in);
          EXPECT_TRUE(!in || *in != me) << "received from itself";
          return static_cast<bool>(out);
        };
        bool there = false;
        hand.ask([&] { there = both(2, order % 2 == 0); });
        const bool here = both(1, order < 2);
        hand.await();
        EXPECT_NE(here, there) << "round " << r;
        watchdog::step();
      }
    });
  }
}

// Eight goroutines and three channels, each select of two to six cases at random, among them both directions of the first channel: any
// two that wait can meet, so they go on for ever, and no two wait for each other's locks. All that was sent was received.
TEST_P(FieldF11, EightAtThreeChannelsAtRandom) {
  const seed_in_use seed;
  const std::size_t each = tenon_test::scaled(100000, 300);
  in_run([&](const context& root) {
    std::array<tenon::chan<std::uint64_t>, 3> c;
    for (auto& lane : c) lane = tenon::make_chan<std::uint64_t>();
    const auto over = tenon::with_cancel(root);
    std::atomic<std::size_t> meetings = 0;
    std::array<std::atomic<std::uint64_t>, 2> sums{};
    tenon::wait_group wg;
    for (std::uint64_t me = 0; me < 8; ++me) {
      wg.go([&, me] {
        random_source random(seed.of(me));
        auto stop = tenon::recv(over.ctx().done());
        for (std::uint64_t n = 1; !over.ctx().is_canceled(); ++n) {
          std::vector<tenon::send_case<std::uint64_t>> sends;
          std::vector<tenon::recv_case<std::uint64_t>> receives;
          sends.reserve(3);
          receives.reserve(3);
          std::vector<tenon::select_case*> cases{&stop};
          const std::uint64_t value = (me + 1) << 32U | n;
          for (const auto& lane : c) {
            const bool always = lane == c[0];
            if (always || random.one_in(2)) cases.push_back(&sends.emplace_back(tenon::send(lane, value)));
            if (always || random.one_in(2)) cases.push_back(&receives.emplace_back(tenon::recv(lane)));
          }
          std::shuffle(cases.begin(), cases.end(), random);
          tenon::select(cases);
          for (auto& s : sends) {
            if (s) sums[0] += value;
          }
          for (auto& r : receives) {
            if (!r) continue;
            EXPECT_NE(*r >> 32U, me + 1) << "received from itself";
            sums[1] += *r;
            if (++meetings == 4 * each) over.cancel();
            watchdog::step();
          }
        }
      });
    }
    wg.wait();
    EXPECT_EQ(sums[0], sums[1]);
  });
}

// ---- F12 ------------------------------------------------------------------------------------------------------------

using FieldF12 = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FieldF12, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

void send_by(std::size_t way, const tenon::chan<int>& c, const context& ctx) {
  switch (way % 3) {
    case 0: c.send(1); break;
    case 1: (void)c.send(ctx, 1); break;
    default: tenon::select(tenon::send(c, 1), tenon::recv(tenon::chan<int>()), tenon::recv(ctx.done()));
  }
}

// Fifty blocked senders, alone and in selects, goroutines and threads, then a close: each panics where it is, with Go's text.
TEST_P(FieldF12, ACloseThrowsInEveryBlockedSender) {
  const std::size_t rounds = tenon_test::scaled_spawns(10000) / 10 + 1;
  in_run([&](const context& root) {
    constexpr std::size_t goroutines = 45;
    constexpr std::size_t threads = 5;
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      const auto c = tenon::make_chan<int>(static_cast<int>(r % 2), "one more than fits blocks");
      for (std::size_t i = 0; i < c.cap(); ++i) c.send(0);
      std::atomic<std::size_t> thrown = 0;
      std::atomic<std::size_t> there = 0;
      const auto work = [&](std::size_t way) {
        ++there;
        EXPECT_PANIC(send_by(way, c, root), "send on closed channel");
        ++thrown;
      };
      tenon::wait_group wg;
      std::vector<std::unique_ptr<tenon_test::os_thread>> os;
      for (std::size_t i = 0; i < goroutines; ++i) wg.go([&, i] { work(i); });
      for (std::size_t i = 0; i < threads; ++i)
        os.push_back(std::make_unique<tenon_test::os_thread>([&, i] { work(i); }));
      // In every other round it is a race.
      if (r % 4 < 2) {
        while (there != goroutines + threads) tenon::yield();
        tenon_test::settle();
      }
      c.close();
      wg.wait();
      os.clear();
      EXPECT_EQ(thrown, goroutines + threads) << "round " << r;
      for (std::size_t i = 0; i < c.cap(); ++i) EXPECT_EQ(c.recv(), 0);
      EXPECT_EQ(c.recv(), std::nullopt);
      watchdog::step();
    }
  });
}

// Fifty receivers end with a close; one that races with sends leaves none of what was sent behind.
TEST_P(FieldF12, ACloseEndsEveryReceiverAndLosesNothing) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(30000) / 10 + 1;
  in_run([&](const context& root) {
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      const auto c = tenon::make_chan<int>(static_cast<int>(r % 3), "a test");
      random_source random(seed.of(r));
      std::atomic<std::size_t> sent = 0;
      std::atomic<std::size_t> received = 0;
      tenon::wait_group wg;
      for (std::size_t i = 0; i < 50; ++i) {
        wg.go([&, i] {
          auto next = tenon::recv(c);
          auto never = tenon::recv(tenon::chan<int>());
          for (;;) {
            if (i % 2 == 0) {
              if (!c.recv()) break;
            } else {
              tenon::select(never, next);
              if (next.closed()) break;
            }
            ++received;
          }
        });
      }
      for (std::size_t i = 0; i < 4; ++i) {
        wg.go([&, i] {
          try {
            for (;;) {
              send_by(i, c, root);
              ++sent;
              if (i == 0) tenon::yield();
            }
          } catch (const tenon::panic& p) {
            EXPECT_STREQ(p.what(), "send on closed channel");
          }
        });
      }
      dawdle(random, 20);
      c.close();
      wg.wait();
      EXPECT_EQ(sent, received) << "round " << r;
      watchdog::step();
    }
  });
}

}  // namespace
