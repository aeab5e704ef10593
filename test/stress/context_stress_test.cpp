// Trees of contexts that grow, are canceled and go away at the same time.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;

class ContextStress : public testing::TestWithParam<unsigned> {};

// One that was canceled says so in every way, and so do its parents' reasons.
void check(const context& c) {
  const bool done = tenon::select(tenon::recv(c.done()), tenon::otherwise) == 0;
  const tenon::error err = c.err();
  if (done) {
    EXPECT_TRUE(err);
    EXPECT_TRUE(c.is_canceled());
    EXPECT_TRUE(tenon::cause(c));
  }
  if (err) {
    EXPECT_TRUE(err == tenon::canceled() || err == tenon::deadline_exceeded()) << err.message();
    EXPECT_EQ(tenon::select(tenon::recv(c.done()), tenon::otherwise), 0U);
  }
}

// Grows a tree below `parent`, at random, and cancels parts of it.
void grow(const context& parent, tenon_test::random_source& random, int depth) {
  static constexpr tenon::context_key<int> key{"key"};
  check(parent);
  if (depth == 0) return;
  switch (random.below(9)) {
    case 0: {
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      grow(c, random, depth - 1);
      scope.cancel();
      EXPECT_TRUE(c.is_canceled());
      grow(c, random, depth - 2 < 0 ? 0 : depth - 2);
      break;
    }
    case 1: {
      auto scope = tenon::with_cancel_cause(parent);
      const tenon::context c = scope.ctx();
      grow(c, random, depth - 1);
      scope.cancel(tenon::error(std::string("of the stress")));
      EXPECT_TRUE(tenon::cause(c));
      break;
    }
    case 2: {
      auto scope = tenon::with_timeout(parent, std::chrono::microseconds(random.below(200)));
      const tenon::context c = scope.ctx();
      grow(c, random, depth - 1);
      if (random.one_in(2)) (void)c.done().recv();
      break;
    }
    case 3: grow(tenon::with_value(parent, key, depth), random, depth - 1); break;
    case 4: {
      // Both sides at once: a child in a goroutine of its own, and its parent's cancel.
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      auto g = tenon::go(c, [seed = random(), depth](const context& child) {
        tenon_test::random_source own(seed);
        grow(child, own, depth - 1);
      });
      if (random.one_in(2)) tenon::yield();
      scope.cancel();
      g.join();
      EXPECT_TRUE(c.is_canceled());
      break;
    }
    case 5: {
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      std::atomic<int> ran = 0;
      bool stopped = false;
      {
        auto handle = tenon::after_func(c, [&] { ++ran; });
        auto g = tenon::go([&scope] { scope.cancel(); });
        if (random.one_in(2)) stopped = handle.stop();
        g.join();
      }
      EXPECT_LE(ran.load() + (stopped ? 1 : 0), 1);
      break;
    }
    case 6: {
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      const auto token = c.stop_token();
      std::atomic<int> called = 0;
      const std::stop_callback callback(token, [&] { ++called; });
      grow(c, random, depth - 1);
      scope.cancel();
      EXPECT_TRUE(token.stop_requested());
      break;
    }
    case 7: {
      std::stop_source source;
      auto scope = tenon::with_stop_token(parent, source.get_token());
      const tenon::context c = scope.ctx();
      auto g = tenon::go([&] { source.request_stop(); });
      grow(c, random, depth - 1);
      g.join();
      EXPECT_TRUE(c.is_canceled());
      break;
    }
    default: {
      // A wide one: many children, some of which end before their parent does.
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      std::vector<tenon::cancel_scope> children;
      for (int i = 0; i < 10; ++i) children.push_back(tenon::with_cancel(c));
      tenon::wait_group wg;
      for (auto& child : children) {
        if (random.one_in(2)) wg.go([&child] { child.cancel(); });
      }
      wg.go([&scope] { scope.cancel(); });
      for (auto& child : children) (void)child.ctx().done().recv();
      wg.wait();
      break;
    }
  }
  check(parent);
}

TEST_P(ContextStress, RandomTreesCanceledFromEverywhere) {
  const tenon_test::seed_in_use seed;
  const std::size_t trees = tenon_test::scaled(1500, 50);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (std::uint64_t i = 0; i < 8; ++i) {
          wg.go([&, i] {
            tenon_test::random_source random(seed.of(i));
            for (std::size_t t = 0; t < trees; ++t) {
              auto scope = tenon::with_cancel(background());
              const tenon::context root = scope.ctx();
              auto g = tenon::go([&scope, wait = random.below(20)] {
                for (std::uint64_t y = 0; y < wait; ++y) tenon::yield();
                scope.cancel();
              });
              for (int j = 0; j < 4; ++j) grow(root, random, 5);
              g.join();
              check(root);
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

TEST_P(ContextStress, OneParentManyShortLivedChildren) {
  const std::size_t times = tenon_test::scaled(10000, 200);
  tenon::run(
      [&](context) {
        auto scope = tenon::with_cancel(background());
        const tenon::context parent = scope.ctx();
        tenon::wait_group wg;
        for (int i = 0; i < 8; ++i) {
          wg.go([&] {
            for (std::size_t t = 0; t < times; ++t) {
              auto c_scope = tenon::with_cancel(parent);
              const tenon::context c = c_scope.ctx();
              auto d_scope = tenon::with_timeout(c, 1h);
              const tenon::context d = d_scope.ctx();
              if (t % 2 == 0) {
                c_scope.cancel();
                EXPECT_TRUE(c.is_canceled());
                EXPECT_TRUE(d.is_canceled());
              } else if (d.is_canceled()) {  // the parent may be canceled at any time, and then c is before d
                EXPECT_TRUE(c.is_canceled());
              }
              if (t % 64 == 0) tenon::yield();
            }
          });
        }
        wg.go([&scope] {
          tenon::sleep_for(2ms);
          scope.cancel();
        });
        wg.wait();
        EXPECT_TRUE(parent.is_canceled());
      },
      {.workers = GetParam()});
}

TEST_P(ContextStress, CancelsRaceWithBlockedOperations) {
  const std::size_t rounds = tenon_test::scaled(2000, 50);
  tenon::run(
      [&](context) {
        for (std::size_t r = 0; r < rounds; ++r) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const auto in = tenon::make_chan<int>();
          const int enough = static_cast<int>(r % 200);
          std::atomic<int> sent = 0;
          std::atomic<int> received = 0;
          tenon::wait_group wg;
          for (int i = 0; i < 4; ++i) {
            wg.go([&] {
              while (in.send(c, 1)) ++sent;
            });
            wg.go([&] {
              while (in.recv(c)) {
                if (++received == enough) scope.cancel();
              }
            });
          }
          if (enough == 0) scope.cancel();
          wg.wait();
          EXPECT_EQ(sent.load(), received.load()) << "a value was lost or came twice";
        }
      },
      {.workers = GetParam()});
}

TEST_P(ContextStress, DeadlinesRaceWithCancels) {
  const std::size_t rounds = tenon_test::scaled(10000, 200);
  tenon::run(
      [&](context) {
        tenon::wait_group wg;
        for (int i = 0; i < 4; ++i) {
          wg.go([&] {
            for (std::size_t r = 0; r < rounds; ++r) {
              auto scope = tenon::with_timeout(background(), std::chrono::microseconds(r % 40));
              const tenon::context c = scope.ctx();
              auto child_scope = tenon::with_cancel(c);
              const tenon::context child = child_scope.ctx();
              if (r % 3 == 0) tenon::sleep_for(std::chrono::microseconds(r % 40));
              scope.cancel();
              EXPECT_TRUE(child.is_canceled());
              EXPECT_EQ(child.err(), c.err());
              check(c);
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Workers, ContextStress, testing::ValuesIn(tenon_test::worker_counts()));

TEST(ContextStressThreads, GoroutinesAndThreadsShareATree) {
  const tenon_test::seed_in_use seed;
  const std::size_t trees = tenon_test::scaled(300, 10);
  tenon::run(
      [&](context) {
        for (std::size_t t = 0; t < trees; ++t) {
          auto scope = tenon::with_cancel(background());
          const tenon::context root = scope.ctx();
          std::vector<std::unique_ptr<tenon_test::os_thread>> threads;
          for (std::uint64_t i = 0; i < 2; ++i) {
            threads.push_back(std::make_unique<tenon_test::os_thread>([&, i] {
              tenon_test::random_source random(seed.of(t * 8 + i));
              grow(root, random, 4);
            }));
          }
          tenon_test::random_source random(seed.of(t * 8 + 7));
          grow(root, random, 4);
          scope.cancel();
          for (auto& thread : threads) thread->join();
        }
      },
      {.workers = 2});
}

}  // namespace
