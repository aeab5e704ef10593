// What a context costs its parent: nothing once it is gone, and a cancel that is linear in the children there are.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/memory.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;

using clock = std::chrono::steady_clock;

template <class F>
std::chrono::nanoseconds time_of(F&& f) {
  const auto start = clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - start);
}

// The least of several measurements: what the machine does besides only ever adds.
template <class F>
std::chrono::nanoseconds least_time_of(int times, F&& f) {
  std::chrono::nanoseconds least = std::chrono::nanoseconds::max();
  for (int i = 0; i < times; ++i) least = std::min(least, f());
  return least;
}

using derive = void (*)(const context& parent);

class ContextCost : public testing::TestWithParam<std::pair<const char*, derive>> {};

// Go: context/x_test.go TestCancelRemoves
TEST_P(ContextCost, AChildThatIsGoneLeavesNothingInItsParent) {
  const derive make_and_drop = GetParam().second;
  auto scope = tenon::with_cancel(background());
  const tenon::context parent = scope.ctx();
  const std::size_t batch = tenon_test::scaled(10000, 500);
  constexpr int batches = 10;
  std::vector<std::chrono::nanoseconds> times;
  for (int b = 0; b < batches; ++b) {
    times.push_back(time_of([&p = parent, &batch, &make_and_drop] {
      for (std::size_t i = 0; i < batch; ++i) make_and_drop(p);
    }));
  }
  // Were they kept, each batch would find more of them: in a search, in memory, in the cancel below.
  const auto early = *std::min_element(times.begin(), times.begin() + 3);
  const auto late = *std::min_element(times.end() - 3, times.end());
  EXPECT_LE(late, early * 5 + 1ms);
  if (!tenon_test::sanitized()) {  // those keep freed memory for a while
    EXPECT_TRUE(tenon_test::stops_growing(batch * 16, [&p = parent, &batch, &make_and_drop] {
      for (std::size_t i = 0; i < batch; ++i) make_and_drop(p);
    }));
  }
  // A hundred thousand children would take milliseconds to scope; none take none.
  EXPECT_LE(time_of([&scope] { scope.cancel(); }), 50ms);
  EXPECT_TRUE(parent.is_canceled());
}

INSTANTIATE_TEST_SUITE_P(
    Of, ContextCost,
    testing::Values(
        std::pair<const char*, derive>("WithCancel", [](const context& p) { auto c = tenon::with_cancel(p); }),
        std::pair<const char*, derive>("WithTimeout", [](const context& p) { auto c = tenon::with_timeout(p, 1h); }),
        std::pair<const char*, derive>("AfterFunc",
                                       [](const context& p) {
                                         auto h = tenon::after_func(p, [] {});
                                         EXPECT_TRUE(h.stop());
                                       }),
        std::pair<const char*, derive>("StopToken", [](const context& p) { (void)p.stop_token(); }),
        std::pair<const char*, derive>("BelowAValue",
                                       [](const context& p) {
                                         static constexpr tenon::context_key<int> key{"key"};
                                         auto c = tenon::with_cancel(tenon::with_value(p, key, 1));
                                       })),
    [](const auto& info) { return std::string(info.param.first); });

// Linear or not: this many times the children may take that many times longer, and some more each, since they no longer fit into a
// cache. What is quadratic takes `factor` times longer still.
constexpr std::size_t factor = 64;
constexpr std::size_t caches = 10;

std::chrono::nanoseconds cancel_of(std::size_t children) {
  auto scope = tenon::with_cancel(background());
  const tenon::context parent = scope.ctx();
  std::vector<tenon::cancel_scope> all;
  all.reserve(children);
  for (std::size_t i = 0; i < children; ++i) all.push_back(tenon::with_cancel(parent));
  const auto taken = time_of([&scope] { scope.cancel(); });
  EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const auto& c) { return c.ctx().is_canceled(); }));
  return taken;
}

// Go: context/benchmark_test.go BenchmarkDeepValueNewGoRoutine and BenchmarkParentCancel, as a bound
TEST(ContextCostOf, CancelingAParentIsLinearInItsChildren) {
  const std::size_t n = tenon_test::scaled(2000, 250);
  const auto few = least_time_of(7, [&] { return cancel_of(n); });
  const auto many = least_time_of(7, [&] { return cancel_of(n * factor); });
  EXPECT_LE(many, few * factor * caches) << n << " children: " << few.count() << " ns, " << factor
                                         << " times as many: " << many.count();
}

// Go: context/context.go removeChild
TEST(ContextCostOf, ReleasingOneChildDoesNotDependOnItsSiblings) {
  // In orders that are kind to the caches: what is measured is work, not memory.
  using order = std::size_t (*)(std::size_t i, std::size_t n);
  const order orders[] = {
      [](std::size_t i, std::size_t) { return i; },
      [](std::size_t i, std::size_t n) { return n - 1 - i; },
      [](std::size_t i, std::size_t n) { return i % 2 == 0 ? i / 2 : n / 2 + i / 2; },
  };
  const std::size_t n = tenon_test::scaled(1000, 250) / 2 * 2;
  for (const order at : orders) {
    const auto release_all = [&](std::size_t children) {
      auto scope = tenon::with_cancel(background());
      const tenon::context parent = scope.ctx();
      std::vector<tenon::cancel_scope> all;
      all.reserve(children);
      for (std::size_t i = 0; i < children; ++i) all.push_back(tenon::with_cancel(parent));
      return time_of([&] {
        for (std::size_t i = 0; i < children; ++i) all[at(i, children)].cancel();
      });
    };
    const auto few = least_time_of(7, [&] { return release_all(n); });
    const auto many = least_time_of(7, [&] { return release_all(n * factor); });
    EXPECT_LE(many, few * factor * caches)
        << n << " children: " << few.count() << " ns, " << factor << " times as many: " << many.count();
  }
}

// Go: context/context.go, a deep tree is canceled all the way down
TEST(ContextCostOf, ADeepTreeIsCanceledToItsLastLeaf) {
  const std::size_t depth = tenon_test::scaled(10000, 1000);
  std::vector<tenon::cancel_scope> chain;
  chain.reserve(depth);
  chain.push_back(tenon::with_cancel(background()));
  while (chain.size() < depth) chain.push_back(tenon::with_cancel(chain.back().ctx()));
  chain.front().cancel();
  EXPECT_TRUE(std::all_of(chain.begin(), chain.end(), [](const auto& c) { return c.ctx().is_canceled(); }));
  // Destroyed from the root on, so that the last leaf holds the whole chain when it goes.
  const context leaf = chain.back().ctx();
  chain.clear();
  EXPECT_TRUE(leaf.is_canceled());
}

// Go: context/context.go, canceling does not recurse on a goroutine's small stack
TEST(ContextCostOf, ADeepTreeFitsOnAGoroutinesStack) {
  const std::size_t depth = tenon_test::scaled(10000, 1000);
  tenon::run(
      [&](context) {
        auto g = tenon::go([&] {
          context leaf;
          std::optional<tenon::cancel_scope> root_scope;
          std::vector<tenon::cancel_scope> others;
          {
            auto scope = tenon::with_cancel(background());
            const tenon::context c = scope.ctx();
            leaf = c;
            root_scope.emplace(std::move(scope));
            for (std::size_t i = 0; i < depth; ++i) {
              auto d_scope = tenon::with_cancel(leaf);
              const tenon::context d = d_scope.ctx();
              leaf = d;
              others.push_back(std::move(d_scope));
            }
          }
          root_scope->cancel();
          EXPECT_TRUE(leaf.is_canceled());
          others.clear();
          root_scope.reset();
          leaf = context();  // the whole chain goes here
        });
        g.join();
      },
      {.stack_size = 64 * 1024});
}

}  // namespace
