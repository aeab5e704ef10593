// Prime sieves: chains and loops of goroutines that come and go. Where Go's programs end and leave their goroutines
// behind, these have an owner, which cancels them.

#include <gtest/gtest.h>

#include <deque>
#include <queue>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"

namespace {

std::vector<int> primes_by_division(std::size_t count) {
  std::vector<int> primes;
  for (int n = 2; primes.size() < count; ++n) {
    bool prime = true;
    for (const int p : primes) prime = prime && n % p != 0;
    if (prime) primes.push_back(n);
  }
  return primes;
}

using numbers = tenon::recv_chan<int>;

class Sieve : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, Sieve, testing::Values(1U, 3U), testing::PrintToStringParamName());

// Go: test/chan/sieve1.go
TEST_P(Sieve, ChainOfFilters) {
  const std::size_t count = tenon_test::scaled(100, 25);
  const std::vector<int> expected = primes_by_division(count);
  EXPECT_EQ(expected[24], 97);
  tenon::run(
      [&](const tenon::context& root) {
        tenon::group stages(root);  // its destructor cancels the stages and waits for them
        const tenon::context& ctx = stages.ctx();
        const auto candidates = tenon::make_chan<int>();
        stages.go([=] {
          for (int n = 2; candidates.send(ctx, n); ++n) {
          }
        });
        numbers in = candidates;
        for (const int prime : expected) {
          const auto found = in.recv(ctx);
          ASSERT_EQ(found, prime);
          const auto out = tenon::make_chan<int>();
          stages.go([=] {
            while (const auto n = in.recv(ctx)) {
              if (*n % prime != 0 && !out.send(ctx, *n)) return;
            }
          });
          in = out;
        }
      },
      {.workers = GetParam()});
}

// The odd multiples of a prime that have not been crossed out yet, smallest first.
struct multiples {
  int next;
  numbers rest;
  friend bool operator<(const multiples& a, const multiples& b) { return a.next > b.next; }  // for a heap of smallest
};

// Every number from `first` in steps of `step`.
numbers arithmetic(tenon::group& stages, const tenon::context& ctx, int first, int step, int slack) {
  const auto out = tenon::make_chan<int>(slack, "generates ahead, and blocks when its reader has enough");
  stages.go([=] {
    for (int n = first; out.send(ctx, n); n += step) {
    }
  });
  return out;
}

// A queue without bound between the result and `out`: a select whose send case is nil while there is nothing to send.
tenon::send_chan<int> without_bound(tenon::group& stages, const tenon::context& ctx, const tenon::send_chan<int>& out) {
  const auto in = tenon::make_chan<int>();
  stages.go([=] {
    std::deque<int> waiting;
    while (true) {
      int v = 0;
      const bool empty = waiting.empty();
      switch (tenon::select(tenon_test::into(in, v), tenon::send(empty ? nullptr : out, empty ? 0 : waiting.front()),
                            tenon::recv(ctx.done()))) {
        case 0: waiting.push_back(v); break;
        case 1: waiting.pop_front(); break;
        default: return;
      }
    }
  });
  return in;
}

// Go: test/chan/sieve2.go
TEST_P(Sieve, MergedMultiplesAgainstCandidates) {
  const std::size_t count = tenon_test::scaled(150, 25);
  const std::vector<int> expected = primes_by_division(count);
  tenon::run(
      [&](const tenon::context& root) {
        tenon::group stages(root);  // its destructor cancels the stages and waits for them
        const tenon::context& ctx = stages.ctx();
        const auto composites = tenon::make_chan<int>(50, "computed ahead");
        const auto found = tenon::make_chan<int>(10, "computed ahead");
        const auto primes = tenon::make_chan<int>(10, "computed ahead");

        // Merges the multiples of the primes found so far. Those of p join when their first one, p², is next.
        stages.go([=, &stages] {
          std::priority_queue<multiples> heap;
          while (const auto p = primes.recv(ctx)) {
            const numbers rest = arithmetic(stages, ctx, *p * *p, 2 * *p, 10);
            const auto first = rest.recv(ctx);
            while (!heap.empty() && first && heap.top().next < *first) {
              multiples m = heap.top();
              heap.pop();
              if (!composites.send(ctx, m.next)) return;
              const auto after = m.rest.recv(ctx);
              if (!after) return;
              heap.push({*after, m.rest});
            }
            // p² itself goes at once: the primes below it, up to the next p, are only found when it is known.
            if (!first || !composites.send(ctx, *first)) return;
            const auto second = rest.recv(ctx);
            if (!second) return;
            heap.push({*second, rest});
          }
        });

        // What is odd and no composite is prime. A composite may come several times.
        stages.go([=, &stages] {
          const auto feedback = without_bound(stages, ctx, primes);
          if (!found.send(ctx, 2) || !found.send(ctx, 3) || !feedback.send(ctx, 3)) return;
          const numbers odd = arithmetic(stages, ctx, 5, 2, 50);
          auto candidate = odd.recv(ctx);
          while (candidate) {
            const auto composite = composites.recv(ctx);
            if (!composite) return;
            for (; candidate && *candidate < *composite; candidate = odd.recv(ctx)) {
              if (!feedback.send(ctx, *candidate) || !found.send(ctx, *candidate)) return;
            }
            if (candidate == composite) candidate = odd.recv(ctx);
          }
        });

        for (const int prime : expected) ASSERT_EQ(found.recv(ctx), prime);
      },
      {.workers = GetParam()});
}

}  // namespace
