// pipeline: its stages, their order, their bounds, and how they all end.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::pipeline;

class PipelineOn : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const context& root) { f(root); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, PipelineOn, testing::Values(1U, 2U, 8U), testing::PrintToStringParamName());

std::vector<int> numbers(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 1);
  return all;
}

template <class C>
auto collect(pipeline& p, const C& in) {
  std::vector<typename C::value_type> all;
  p.for_each(in, [&](typename C::value_type v) { all.push_back(std::move(v)); });
  const tenon::error e = p.wait();
  EXPECT_FALSE(e) << e.message();
  return all;
}

// Go: the guide's gen and sq
TEST_P(PipelineOn, StagesFollowEachOther) {
  in_run([](const context& root) {
    pipeline p(root);
    auto nums = p.generate<int>([](auto& emit) {
      for (int i = 1; i <= 5 && emit(i); ++i) {
      }
    });
    auto even = p.filter(p.transform(nums, [](int n) { return n * n; }), [](int n) { return n % 2 == 0; });
    EXPECT_EQ(collect(p, even), (std::vector<int>{4, 16}));
  });
}

// Go: the guide's bounded parallelism, with the order kept
TEST_P(PipelineOn, ParallelWorkKeepsItsOrderAndItsBound) {
  in_run([](const context& root) {
    const int n = static_cast<int>(tenon_test::scaled(2000, 200));
    pipeline p(root);
    std::atomic<int> taken = 0;
    std::atomic<int> most = 0;
    int out = 0;
    auto nums = p.generate(numbers(n));
    auto twice = p.transform({.workers = 4, .window = 6}, nums, [&](int v) {
      ++taken;
      for (int k = v % 5; k > 0; --k) tenon::yield();
      return std::make_unique<int>(2 * v);
    });
    bool ordered = true;
    p.for_each(twice, [&](std::unique_ptr<int> v) {
      most = std::max(most.load(), taken.load() - out);
      ++out;
      ordered = ordered && *v == 2 * out;
    });
    EXPECT_FALSE(p.wait());
    EXPECT_TRUE(ordered);
    EXPECT_EQ(out, n);
    EXPECT_LE(most.load(), 6 + 1) << "six in the window, one with the consumer";
  });
}

// Go: an array is a value
TEST_P(PipelineOn, AnArrayIsCopiedIntoTheStage) {
  in_run([](const context& root) {
    pipeline p(root);
    tenon::recv_chan<std::string> words;
    {
      std::string all[] = {"one", "two"};
      words = p.generate(all);
      EXPECT_EQ(all[0], "one");
    }
    EXPECT_EQ(collect(p, words), (std::vector<std::string>{"one", "two"}));
  });
}

// Go: a failing stage ends the pipeline, however it says so
TEST_P(PipelineOn, TheLastStageFailsByWhateverErrorItReturns) {
  in_run([](const context& root) {
    const auto fails = [&](auto how) {
      pipeline p(root);
      int seen = 0;
      p.for_each(p.generate(numbers(10)), [&, how](int v) {
        seen = v;
        return how(v);
      });
      const tenon::error why = p.wait();
      EXPECT_EQ(seen, 4);
      return why;
    };
    EXPECT_EQ(fails([](int v) { return v == 4 ? tenon::error("four") : nullptr; }).message(), "four");
    EXPECT_EQ(fails([](int v) -> tenon::result<int> {
                if (v == 4) return tenon::error("no four");
                return v;
              }).message(),
              "no four");
  });
}

// Go: the guide's fan-out
TEST_P(PipelineOn, ParallelWorkWithoutOrderLosesNothing) {
  in_run([](const context& root) {
    const int n = static_cast<int>(tenon_test::scaled(2000, 200));
    pipeline p(root);
    auto out = p.transform({.workers = 4, .ordered = false}, p.generate(numbers(n)), [](int v) { return v; });
    auto all = collect(p, out);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, numbers(n));
  });
}

// Go: the guide's merge
TEST_P(PipelineOn, MergesItsInputs) {
  in_run([](const context& root) {
    pipeline p(root);
    const auto a = p.generate(std::vector<int>{1, 3, 5});
    const auto b = p.generate(std::vector<int>{2, 4});
    auto all = collect(p, p.merge(a, b));
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, numbers(5));
  });
}

// Go: none: batches
TEST_P(PipelineOn, BatchesBySizeAndAtTheEnd) {
  in_run([](const context& root) {
    pipeline p(root);
    const auto all = collect(p, p.batch(p.generate(numbers(7)), 3));
    EXPECT_EQ(all, (std::vector<std::vector<int>>{{1, 2, 3}, {4, 5, 6}, {7}}));
  });
}

// Go: none: batches
TEST_P(PipelineOn, ABatchDoesNotWaitForEver) {
  in_run([](const context& root) {
    pipeline p(root);
    const auto go_on = tenon::make_chan<void>();
    auto nums = p.generate<int>([&](auto& emit) {
      (void)emit(1);
      (void)go_on.recv(emit.ctx());  // until the first batch is there
      (void)emit(2);
    });
    std::vector<std::vector<int>> all;
    p.for_each(p.batch(nums, 100, 1ms), [&](std::vector<int> v) {
      if (all.empty()) go_on.close();
      all.push_back(std::move(v));
    });
    EXPECT_FALSE(p.wait());
    EXPECT_EQ(all, (std::vector<std::vector<int>>{{1}, {2}}));
  });
}

// Go: none: every value to each
TEST_P(PipelineOn, ATeeServesConsumersThatWaitForEachOther) {
  in_run([](const context& root) {
    pipeline p(root);
    auto [left, right] = p.tee<2>(p.generate(numbers(10)));
    std::vector<int> sums;
    p.go([&, l = left, r = right](const context& c) {
      while (auto b = r.recv(c)) {  // the right one first, then the left one
        const auto a = l.recv(c);
        if (!a) return;
        sums.push_back(*a + *b);
      }
    });
    EXPECT_FALSE(p.wait());
    ASSERT_EQ(sums.size(), 10U);
    EXPECT_EQ(sums.back(), 20);
  });
}

// Go: the guide's errgroup
TEST_P(PipelineOn, TheFirstFailureEndsAllStages) {
  in_run([](const context& root) {
    for (const bool ordered : {true, false}) {
      pipeline p(root);
      auto nums = p.generate<int>([](auto& emit) {
        for (int i = 1; emit(i); ++i) {
        }
      });
      auto out = p.transform({.workers = 3, .ordered = ordered}, nums, [](int v) {
        if (v == 50) throw std::runtime_error("fifty");
        return v;
      });
      p.for_each(out, [](int) {});
      const tenon::error e = p.wait();
      EXPECT_EQ(e.message(), "fifty");
      EXPECT_THROW(e.rethrow(), std::runtime_error);
    }
    pipeline p(root);
    p.for_each(p.generate(numbers(100)),
               [](int v) { return v == 3 ? tenon::error(std::string("three")) : tenon::error(); });
    EXPECT_EQ(p.wait().message(), "three");
  });
}

// Go: the guide's cancellation of a pipeline
TEST_P(PipelineOn, ACancelEndsAllStages) {
  in_run([](const context& root) {
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    pipeline p(ctx);
    auto nums = p.generate<int>([](auto& emit) {
      for (int i = 1; emit(i); ++i) {
      }
    });
    std::atomic<int> seen = 0;
    p.for_each({.workers = 2}, p.batch(p.transform({.workers = 2}, nums, [](int v) { return v; }), 2),
               [&](const std::vector<int>&) {
                 if (++seen == 10) scope.cancel();
               });
    EXPECT_TRUE(p.wait() == tenon::canceled());
  });
}

// Go: the difference to Go is that a pipeline has an owner
TEST_P(PipelineOn, DestructionWithoutAWaitLeavesNobodyBehind) {
  in_run([](const context& root) {
    const std::size_t before = tenon::goroutine_count();
    {
      pipeline p(root);
      const auto nobody_reads = p.transform({.workers = 3}, p.generate(numbers(1000)), [](int v) { return v; });
      (void)nobody_reads.recv();
    }
    EXPECT_TRUE(tenon_test::eventually([&] { return tenon::goroutine_count() <= before; }));
  });
}

}  // namespace
