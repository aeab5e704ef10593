// A select picks uniformly among the cases that are ready. Go bounds the share r of one of two in 10,000 trials by
// |r - 1/2| ≤ 4.891676 / (2 √10000): a fair one is outside of that once in a million times.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/waiting.hpp"

namespace {

constexpr int trials = 10000;
constexpr double sigmas = 4.891676;
constexpr double sigmas_of_many = 6;  // where a test asks dozens of times

// `count` of `trials` for something of probability p.
void expect_fair(int count, double p, const char* what, double bound = sigmas) {
  const double share = static_cast<double>(count) / trials;
  EXPECT_LE(std::abs(share - p), bound * std::sqrt(p * (1 - p)) / std::sqrt(trials)) << what << ": " << count;
}

// Go: runtime/chan_test.go TestSelectFairness
TEST(SelectFairness, BetweenTwoReceives) {
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [](const tenon::context&) {
          const auto c1 = tenon::make_chan<char>(trials + 1, "filled by the test");
          const auto c2 = tenon::make_chan<char>(trials + 1, "filled by the test");
          for (int i = 0; i < trials + 1; ++i) {
            c1.send(1);
            c2.send(2);
          }
          const auto never3 = tenon::make_chan<char>();
          const auto never4 = tenon::make_chan<char>();
          const auto out = tenon::make_chan<char>();
          const auto done = tenon::make_chan<void>();
          auto g = tenon::go([=] {
            while (true) {
              char b = 0;
              tenon::select(tenon_test::into(never3, b), tenon_test::into(never4, b), tenon_test::into(c1, b),
                            tenon_test::into(c2, b));
              if (tenon::select(tenon::send(out, b), tenon::recv(done)) == 1) return;
            }
          });
          std::array<int, 3> count{};
          for (int i = 0; i < trials; ++i) ++count.at(static_cast<std::size_t>(out.recv().value()));
          done.close();
          g.join();
          EXPECT_EQ(count[0], 0);
          expect_fair(count[1], 0.5, "the first of two receives");
        },
        {.workers = workers});
  }
}

// Go: runtime/chan_test.go TestSelectFairness, for sends
TEST(SelectFairness, BetweenTwoSends) {
  const auto c1 = tenon::make_chan<int>(trials, "as many as are sent");
  const auto c2 = tenon::make_chan<int>(trials, "as many as are sent");
  for (int i = 0; i < trials; ++i) tenon::select(tenon::send(c1, i), tenon::send(c2, i));
  EXPECT_EQ(c1.len() + c2.len(), static_cast<std::size_t>(trials));
  expect_fair(static_cast<int>(c1.len()), 0.5, "the first of two sends");
}

// Go: runtime/chan_test.go TestSelectFairness, with a default, and between a send and a receive
TEST(SelectFairness, BetweenASendAndAReceiveWithOtherwise) {
  const auto in = tenon::make_chan<int>(trials, "filled by the test");
  const auto out = tenon::make_chan<int>(trials, "as many as are sent");
  for (int i = 0; i < trials; ++i) in.send(i);
  std::array<int, 3> count{};
  for (int i = 0; i < trials; ++i) ++count.at(tenon::select(tenon::send(out, i), tenon::recv(in), tenon::otherwise));
  EXPECT_EQ(count[2], 0);
  expect_fair(count[0], 0.5, "a send against a receive");
}

// Go: runtime/select.go, a random order of polling; the neighbours of cases that are not ready must not profit
TEST(SelectFairness, AmongThreeOfSeven) {
  const auto ready = tenon::make_chan<int>();
  ready.close();
  const auto never = tenon::make_chan<int>();
  const tenon::chan<int> nil;
  std::array<int, 7> count{};
  for (int i = 0; i < trials; ++i) {
    ++count.at(tenon::select(tenon::recv(never), tenon::recv(ready), tenon::recv(ready), tenon::recv(never),
                             tenon::recv(nil), tenon::recv(nil), tenon::recv(ready)));
  }
  for (const std::size_t i : {0U, 3U, 4U, 5U}) EXPECT_EQ(count[i], 0) << "case " << i;
  for (const std::size_t i : {1U, 2U, 6U}) expect_fair(count[i], 1.0 / 3, "one of three");
}

// Go: runtime/select.go; each size of select may have its own code
TEST(SelectFairness, AmongAnyNumberInASpan) {
  const auto ready = tenon::make_chan<int>();
  ready.close();
  for (const std::size_t n : {2U, 3U, 4U, 5U, 8U, 9U, 16U, 17U, 40U}) {
    tenon_test::case_list cases;
    for (std::size_t i = 0; i < n; ++i) cases.add(tenon::recv(ready));
    std::vector<int> count(n);
    for (int i = 0; i < trials; ++i) ++count.at(tenon::select(cases.span()));
    for (const int c : count) expect_fair(c, 1.0 / static_cast<double>(n), "one of a span", sigmas_of_many);
  }
}

// Go: runtime/chan_test.go TestSelectFairness on an OS thread, without a run
TEST(SelectFairness, OnAnOsThread) {
  const auto ready = tenon::make_chan<int>();
  ready.close();
  int first = 0;
  for (int i = 0; i < trials; ++i) first += tenon::select(tenon::recv(ready), tenon::recv(ready)) == 0 ? 1 : 0;
  expect_fair(first, 0.5, "the first of two");
}

// Go: runtime/chan_test.go TestPseudoRandomSend
TEST(SelectFairness, BetweenTwoSendsToOneChannel) {
  constexpr int n = 100;
  for (const unsigned workers : {1U, 2U}) {
    for (const int capacity : {0, n}) {
      tenon::run(
          [&](const tenon::context&) {
            const auto c = tenon::make_chan<int>(capacity, "as many as are sent");
            std::array<int, 2> count{};
            auto g = tenon::go([&] {
              for (int i = 0; i < n; ++i) {
                tenon::yield();
                ++count.at(static_cast<std::size_t>(c.recv().value()));
              }
            });
            for (int i = 0; i < n; ++i) tenon::select(tenon::send(c, 1), tenon::send(c, 0));
            g.join();
            EXPECT_GT(count[0], n / 10) << "capacity " << capacity;
            EXPECT_GT(count[1], n / 10) << "capacity " << capacity;
          },
          {.workers = workers});
    }
  }
}

}  // namespace
