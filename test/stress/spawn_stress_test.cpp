// Goroutines in great numbers, and goroutines that change threads at awkward moments. Each with 1, 2 and 8 workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::random_source;
using tenon_test::seed_in_use;

class Spawn : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const tenon::context& ctx) { f(ctx); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, Spawn, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// A mapping for each guard would be one too many after some thousands. 100,000 at once; a million with TENON_TEST_LONG, which takes 5 GB.
TEST(SpawnParked, AsManyAsMemoryHoldsWhereGuardsAreMadeByMprotect) {
  const std::size_t n = tenon_test::sanitized() ? tenon_test::scaled_goroutines(100000) : tenon_test::scaled(100000);
  const std::string number = std::to_string(n);
  const auto e = tenon_test::run_program("parked", {number}, {{"TENON_GUARDS", "mprotect"}});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, number + " parked, " + number + " stacks intact\n") << e.describe();
}

TEST_P(Spawn, AMillionInBatches) {
  const std::size_t total = tenon_test::scaled_spawns(1000000);
  const std::size_t batch = std::min<std::size_t>(1000, tenon_test::max_goroutines() / 2);
  in_run([&](const tenon::context&) {
    std::uint64_t sum = 0;
    std::vector<tenon::goroutine<std::uint64_t>> running;
    running.reserve(batch);
    for (std::size_t begin = 0; begin < total; begin += batch) {
      const std::size_t end = std::min(begin + batch, total);
      for (std::size_t i = begin; i < end; ++i) {
        running.push_back(tenon::go([i] { return static_cast<std::uint64_t>(i); }));
      }
      for (auto& g : running) sum += g.join();
      running.clear();
    }
    EXPECT_EQ(sum, std::uint64_t{total} * (total - 1) / 2);
  });
}

TEST_P(Spawn, AMillionInWaitGroups) {
  const std::size_t total = tenon_test::scaled_spawns(1000000);
  const std::size_t batch = std::min<std::size_t>(1000, tenon_test::max_goroutines() / 2);
  in_run([&](const tenon::context&) {
    std::atomic<std::uint64_t> sum = 0;
    for (std::size_t begin = 0; begin < total; begin += batch) {
      tenon::wait_group wg;
      for (std::size_t i = begin; i < std::min(begin + batch, total); ++i) {
        wg.go([&sum, i] { sum += i; });
      }
      wg.wait();
    }
    EXPECT_EQ(sum, std::uint64_t{total} * (total - 1) / 2);
  });
}

// Each one starts ten, down to the leaves, which count themselves.
std::uint64_t tree(std::uint64_t first, std::uint64_t size) {
  if (size == 1) return first;
  std::vector<tenon::goroutine<std::uint64_t>> children;
  for (std::uint64_t i = 0; i < 10; ++i) {
    children.push_back(tenon::go([=] { return tree(first + i * (size / 10), size / 10); }));
  }
  std::uint64_t sum = 0;
  for (auto& g : children) sum += g.join();
  return sum;
}

TEST_P(Spawn, ATreeOfThem) {
  const std::size_t room = tenon_test::scaled_spawns(100000);
  const std::uint64_t leaves = room >= 100000 ? 100000 : room >= 10000 ? 10000 : 1000;
  in_run([&](const tenon::context&) { EXPECT_EQ(tree(0, leaves), leaves * (leaves - 1) / 2); });
}

TEST_P(Spawn, AHundredThousandAtOnce) {
  const std::size_t crowd = tenon_test::scaled_goroutines(100000);
  in_run([&](const tenon::context&) {
    for (int again = 0; again < 2; ++again) {
      const auto gate = tenon::make_chan<void>();
      std::vector<tenon::goroutine<std::size_t>> all;
      all.reserve(crowd);
      for (std::size_t i = 0; i < crowd; ++i) {
        all.push_back(tenon::go([gate, i] {
          (void)gate.recv();
          return i;
        }));
      }
      EXPECT_GE(tenon::goroutine_count(), crowd);
      gate.close();
      for (std::size_t i = 0; i < crowd; ++i) ASSERT_EQ(all[i].join(), i);
    }
  });
}

TEST_P(Spawn, FromOsThreads) {
  const std::size_t each = tenon_test::scaled_spawns(5000) / 4 + 1;
  constexpr std::size_t starters = 4;
  std::atomic<std::size_t> ran = 0;
  const auto ready = tenon::make_chan<void>();
  const auto over = tenon::make_chan<void>();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < starters; ++t) {
    threads.emplace_back([&] {
      (void)ready.recv();
      for (std::size_t i = 0; i < each; ++i) {
        auto g = tenon::go([&] { ++ran; });
        g.join();
      }
      over.send();
    });
  }
  in_run([&](const tenon::context&) {
    ready.close();
    for (std::size_t t = 0; t < starters; ++t) (void)over.recv();
  });
  for (auto& t : threads) t.join();
  EXPECT_EQ(ran, starters * each);
}

TEST_P(Spawn, HandlesDroppedAtAnyMoment) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(3000);
  std::atomic<std::size_t> ended = 0;
  in_run([&](const tenon::context& ctx) {
    random_source random(seed.of(0));
    const auto never = tenon::make_chan<int>();
    for (std::size_t i = 0; i < rounds; ++i) {
      auto g = tenon::go(ctx, [&](const tenon::context& mine) {
        EXPECT_EQ(never.recv(mine), std::nullopt);
        ++ended;
      });
      for (std::uint64_t n = random.below(4); n > 0; --n) tenon::yield();
      if (random.one_in(2)) g = {};
    }
  });
  EXPECT_EQ(ended, rounds);
}

TEST_P(Spawn, RunsFollowEachOther) {
  const std::size_t rounds = tenon_test::scaled(100, 10);
  for (std::size_t i = 0; i < rounds; ++i) {
    std::atomic<int> ran = 0;
    in_run([&](const tenon::context& ctx) {
      tenon::group g(ctx);
      for (int k = 0; k < 20; ++k) {
        g.go([&] {
          tenon::yield();
          ++ran;
        });
      }
    });
    ASSERT_EQ(ran, 20);
  }
}

// ---- exceptions and threads -------------------------------------------------------------------------------------
//
// The C++ runtime keeps the exceptions that are being handled, and their number in flight, per OS thread. A goroutine that
// parks inside a catch block, or inside a destructor that unwinding runs, comes back on another thread perhaps, while others
// throw on this one: each must find its own.

// Gives the goroutine every chance to change its thread.
void wander(random_source& random) {
  for (std::uint64_t n = 1 + random.below(3); n > 0; --n) tenon::yield();
}

// The message of the exception that is being handled.
std::string handled_now() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  }
}

TEST_P(Spawn, CatchBlocksThatChangeTheirThread) {
  const seed_in_use seed;
  const std::size_t goroutines = 64;
  const std::size_t rounds = tenon_test::scaled(200, 10);
  std::atomic<std::size_t> moved = 0;
  in_run([&](const tenon::context&) {
    tenon::wait_group wg;
    for (std::size_t g = 0; g < goroutines; ++g) {
      wg.go([&, g] {
        random_source random(seed.of(g));
        for (std::size_t i = 0; i < rounds; ++i) {
          const std::string name = std::to_string(g) + " " + std::to_string(i);
          const long before = tenon_test::os_thread_number();
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          try {
            try {
              throw std::runtime_error(name);
            } catch (const std::runtime_error& e) {
              wander(random);
              EXPECT_EQ(e.what(), name);
              ASSERT_NE(std::current_exception(), nullptr);
              EXPECT_EQ(handled_now(), name);
              try {
                throw std::logic_error("inner " + name);
              } catch (...) {
                wander(random);
                EXPECT_EQ(handled_now(), "inner " + name);
              }
              wander(random);
              EXPECT_EQ(handled_now(), name);
              if (tenon_test::os_thread_number() != before) ++moved;
              throw;
            }
          } catch (const std::exception& e) {
            wander(random);
            EXPECT_EQ(e.what(), name);
          }
          EXPECT_EQ(std::current_exception(), nullptr);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
      });
    }
    wg.wait();
  });
  RecordProperty("catch_blocks_that_changed_their_thread", std::to_string(moved.load()));
}

TEST_P(Spawn, UnwindingThatChangesItsThread) {
  struct parks_at_end {
    random_source& random;
    explicit parks_at_end(random_source& r) : random(r) {}
    parks_at_end(const parks_at_end&) = delete;
    parks_at_end& operator=(const parks_at_end&) = delete;
    ~parks_at_end() {
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      wander(random);
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      try {
        throw std::runtime_error("while another one is in flight");
      } catch (const std::runtime_error&) {
        wander(random);
      }
      EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
  };
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(200, 10);
  in_run([&](const tenon::context&) {
    tenon::wait_group wg;
    for (std::size_t g = 0; g < 32; ++g) {
      wg.go([&, g] {
        random_source random(seed.of(g));
        for (std::size_t i = 0; i < rounds; ++i) {
          try {
            const parks_at_end outer(random);
            const parks_at_end inner(random);
            throw i;
          } catch (const std::size_t& thrown) {
            wander(random);
            EXPECT_EQ(thrown, i);
          }
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
      });
    }
    wg.wait();
  });
}

TEST_P(Spawn, ExceptionsReachTheirJoiner) {
  const std::size_t rounds = tenon_test::scaled_spawns(2000);
  in_run([&](const tenon::context&) {
    for (std::size_t i = 0; i < rounds; ++i) {
      auto g = tenon::go([i] {
        try {
          throw std::runtime_error(std::to_string(i));
        } catch (...) {
          tenon::yield();
          throw;
        }
      });
      try {
        g.join();
        ADD_FAILURE() << "round " << i;
      } catch (const std::runtime_error& e) {
        tenon::yield();
        ASSERT_EQ(e.what(), std::to_string(i));
      }
    }
  });
}

// ---- thread_local -----------------------------------------------------------------------------------------------
//
// A `thread_local` belongs to the OS thread, not to the goroutine. Two traps follow, for users of tenon, too: after a call
// that may park, the goroutine may see another thread's variable; and a compiler that inlines the access may go on using the
// address from before. The cure is a function that is not inlined, or an `on_this_thread` scope.

// Atomic for ThreadSanitizer alone, to which goroutines that share a thread share its variables unordered.
thread_local std::atomic<long> number_of_this_thread = 0;

[[gnu::noinline]] std::atomic<long>& of_this_thread() {
  asm volatile("" ::: "memory");  // keeps the compiler from remembering the address across calls
  return number_of_this_thread;
}

TEST_P(Spawn, ThreadLocalsBelongToThreads) {
  const std::size_t rounds = tenon_test::scaled(2000, 50);
  in_run([&](const tenon::context&) {
    tenon::wait_group wg;
    for (int g = 0; g < 16; ++g) {
      wg.go([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
          const long thread = tenon_test::os_thread_number();
          of_this_thread() = thread;
          tenon::yield();
          // Not what was written before: what somebody wrote on this thread.
          const long here = tenon_test::os_thread_number();
          const long seen = of_this_thread();
          EXPECT_TRUE(seen == here || seen == 0) << seen << " on " << here;
        }
      });
    }
    wg.wait();
  });
}

TEST_P(Spawn, ThreadLocalsStayInsideAnOnThisThreadScope) {
  const std::size_t rounds = tenon_test::scaled(200, 10);
  in_run([&](const tenon::context&) {
    tenon::wait_group wg;
    for (long g = 1; g <= 4; ++g) {
      wg.go([&, g] {
        const tenon::on_this_thread stay;
        number_of_this_thread = -g;
        for (std::size_t i = 0; i < rounds; ++i) {
          tenon::yield();
          ASSERT_EQ(number_of_this_thread, -g);
        }
        number_of_this_thread = 0;
      });
    }
    wg.wait();
  });
}

// ---- stacks -----------------------------------------------------------------------------------------------------

[[gnu::noinline]] std::uint64_t deep(std::uint64_t depth, std::uint64_t salt) {
  std::array<std::uint64_t, 32> local;
  local.fill(depth ^ salt);
  if (depth % 16 == 0) tenon::yield();
  const std::uint64_t below = depth == 0 ? 0 : deep(depth - 1, salt);
  EXPECT_TRUE(std::all_of(local.begin(), local.end(), [&](std::uint64_t x) { return x == (depth ^ salt); }));
  return below + depth;
}

TEST_P(Spawn, StacksKeepTheirContents) {
  const std::uint64_t depth = 200;
  const std::size_t goroutines = tenon_test::scaled(200, 20);
  in_run([&](const tenon::context&) {
    for (int again = 0; again < 3; ++again) {
      std::vector<tenon::goroutine<std::uint64_t>> all;
      for (std::size_t g = 0; g < goroutines; ++g)
        all.push_back(tenon::go([=] { return deep(depth, g * 0x9e3779b9); }));
      for (auto& g : all) EXPECT_EQ(g.join(), depth * (depth + 1) / 2);
    }
  });
}

}  // namespace
