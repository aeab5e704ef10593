// Storms on what is built from the primitives: errgroups, pipelines and flights that fail or are given up at any moment. Each must
// end, with the first failure, and leave nobody behind.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon_test::random_source;

class LibraryStress : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const context& root) { f(root); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, LibraryStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Cancels after a random while: before, during or after what it is aimed at.
auto cancel_some_time(const tenon::cancel_scope& scope, std::uint64_t seed) {
  return tenon::go([&scope, seed] {
    random_source random(seed);
    for (std::uint64_t i = random.below(200); i > 0; --i) tenon::yield();
    scope.cancel();
  });
}

// ---- errgroup -------------------------------------------------------------------------------------------------------

TEST_P(LibraryStress, AnErrgroupsFailuresAndCancelsRace) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(4000);
  in_run([&](const context& root) {
    for (std::size_t round = 0; round < rounds; ++round) {
      random_source random(seed.of(round));
      const auto tasks = static_cast<int>(1 + random.below(20));
      const auto limit = static_cast<int>(random.below(5));  // 0: none
      std::atomic<int> active = 0;
      std::atomic<int> started = 0;
      std::atomic<int> ended = 0;
      std::atomic<bool> failed = false;
      auto scope = tenon::with_cancel(root);
      const tenon::context ctx = scope.ctx();
      auto canceler = cancel_some_time(scope, random());
      error first;
      context seen;
      {
        tenon::group g(ctx);
        if (limit != 0) g.set_limit(limit);
        for (int i = 0; i < tasks; ++i) {
          g.go([&, dice = random()](const context& c) -> error {
            started.fetch_add(1);
            const int now = active.fetch_add(1) + 1;
            EXPECT_TRUE(limit == 0 || now <= limit) << now << " at once";
            random_source own(dice);
            error e;
            switch (own.below(4)) {
              case 0: e = c.err(); break;
              case 1:
                if (!tenon::sleep_for(c, 50us)) e = c.err();
                break;
              case 2: tenon::yield(); break;
              default: e = error("task " + std::to_string(own.below(1000)));
            }
            active.fetch_sub(1);
            ended.fetch_add(1);
            if (e) failed = true;
            return e;
          });
        }
        first = g.wait();
        seen = g.ctx();
        EXPECT_EQ(static_cast<bool>(first), failed.load());
      }
      EXPECT_EQ(started, tasks);
      EXPECT_EQ(ended, tasks);
      EXPECT_TRUE(seen.is_canceled()) << "by the failure, by wait, or with its parent";
      // What came first from inside is the cause, unless the parent was canceled before it.
      if (first && !(tenon::cause(seen) == first)) {
        EXPECT_TRUE(tenon::cause(seen) == tenon::canceled());
      }
      canceler.join();
    }
  });
}

// ---- pipeline -------------------------------------------------------------------------------------------------------

TEST_P(LibraryStress, APipelineEndsWhateverEndsIt) {
  const tenon_test::seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(1500);
  in_run([&](const context& root) {
    for (std::size_t round = 0; round < rounds; ++round) {
      random_source random(seed.of(round));
      const auto items = static_cast<int>(random.below(60));
      const auto bad = static_cast<int>(random.below(120));  // half the time there is none
      const bool ordered = random.one_in(2);
      const bool given_up = random.one_in(2);
      auto scope = tenon::with_cancel(root);
      const tenon::context ctx = scope.ctx();
      std::optional<tenon::goroutine<void>> canceler;
      if (given_up) canceler.emplace(cancel_some_time(scope, random()));
      std::vector<int> got;
      error e;
      {
        tenon::pipeline p(ctx);
        const auto numbers = p.generate<int>([items](auto& emit) {
          for (int i = 0; i < items; ++i) {
            if (!emit(i)) return;
          }
        });
        const auto squares = p.transform({.workers = 4, .ordered = ordered}, numbers, [bad](int n) {
          if (n % 7 == 0) tenon::yield();
          if (n == bad) throw std::runtime_error("bad one");
          return n * n;
        });
        const auto copies = p.tee<2>(squares);
        p.for_each(copies[0], [](int) {});
        p.for_each(p.batch(copies[1], 3),
                   [&](const std::vector<int>& three) { got.insert(got.end(), three.begin(), three.end()); });
        e = p.wait();
      }
      EXPECT_TRUE(given_up || static_cast<bool>(e) == (bad < items)) << e.message();
      if (e) {
        EXPECT_TRUE(e.message() == "bad one" || e == tenon::canceled()) << e.message();
        EXPECT_LE(got.size(), static_cast<std::size_t>(items));
      } else {
        EXPECT_EQ(got.size(), static_cast<std::size_t>(items));
      }
      for (std::size_t i = 0; ordered && i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i * i));
      if (canceler) canceler->join();
    }
  });
}

// ---- singleflight ---------------------------------------------------------------------------------------------------

TEST_P(LibraryStress, FlightsOfAFewKeysAreSharedForgottenAndGivenUp) {
  const tenon_test::seed_in_use seed;
  const std::size_t loops = tenon_test::scaled(4000, 20);
  in_run([&](const context& root) {
    constexpr int callers = 12;
    constexpr int keys = 3;
    tenon::singleflight<int, int> flights;
    std::atomic<int> in_the_air[keys] = {};
    std::atomic<bool> forgotten = false;
    tenon::wait_group wg;
    for (int caller = 0; caller < callers; ++caller) {
      wg.go([&, caller] {
        random_source random(seed.of(static_cast<std::uint64_t>(caller)));
        for (std::size_t i = 0; i < loops; ++i) {
          const auto key = static_cast<int>(random.below(keys));
          const std::uint64_t kind = random.below(8);
          const auto fly = [&, key, fails = random.one_in(5)] {
            const int others = in_the_air[key].fetch_add(1);
            // A `forget` is what lets a second one start.
            EXPECT_TRUE(others == 0 || forgotten);
            tenon::yield();
            in_the_air[key].fetch_sub(1);
            if (fails) throw std::runtime_error("crashed");
            return key * 10;
          };
          try {
            if (kind == 0) {
              forgotten = true;
              flights.forget(key);
            } else if (kind == 1) {
              const auto got = flights.call_chan(key, fly).recv();
              ASSERT_TRUE(got);
              EXPECT_TRUE(got->err ? got->err.message() == "crashed" : got->value == key * 10);
            } else if (kind == 2) {
              auto scope = tenon::with_cancel(root);
              const tenon::context ctx = scope.ctx();
              auto canceler = cancel_some_time(scope, random());
              const auto got = flights.call(ctx, key, fly);
              canceler.join();
              EXPECT_TRUE(!got || got->value == key * 10);
            } else {
              EXPECT_EQ(flights.call(key, fly).value, key * 10);
            }
          } catch (const std::runtime_error& e) {
            // libstdc++ counts the references to a shared exception where ThreadSanitizer does not see it: to it, one passenger's
            // look at the exception is not ordered before another one's release of it.
            if (!tenon_test::under_thread_sanitizer()) {
              EXPECT_STREQ(e.what(), "crashed");
            }
          }
        }
      });
    }
    wg.wait();
    for (const auto& n : in_the_air) EXPECT_EQ(n, 0);
    for (int key = 0; key < keys; ++key) EXPECT_EQ(flights.call(key, [] { return -1; }).value, -1) << "none is stuck";
  });
}

}  // namespace
