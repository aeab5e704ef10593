#pragma once

/// A program with something that holds in each of its schedules, and the three ways to look for one in which it does not.
///
///     TEST_P(ExploreThings, OneAtATime) {
///       holds("thing.one_at_a_time", [](tenon::group& g) {
///         thing t;                                             // before the members, which may refer to it
///         for (int i = 0; i < 2; ++i) g.go([&] { require(t.use() == 1, "two at a time"); });
///         wait_for_all(g);                                     // nothing that throws before it
///         require(t.uses() == 2, "a use is missing");
///       });
///     }

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include <tenon/group.hpp>
#include <tenon/testing/explore.hpp>

namespace tenon_test {

inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

/// The failure of a member is that of the program.
inline void wait_for_all(tenon::group& g) {
  if (const tenon::error e = g.wait()) e.rethrow();
}

/// Where no two may be at a time. That others may go on while somebody is there is what `touch` is for.
struct one_at_a_time {
  int inside = 0;
  int visits = 0;
  void visit() {
    require(++inside == 1, "two at a time");
    tenon::testing::touch(this);
    --inside;
    ++visits;
  }
};

class Explored : public testing::TestWithParam<tenon::testing::strategy> {
 public:
  static std::string name_of(const testing::TestParamInfo<tenon::testing::strategy>& info) {
    constexpr const char* names[] = {"random", "priorities", "exhaustive"};
    return names[static_cast<int>(info.param)];
  }

 protected:
  static void holds(const char* name, void (*program)(tenon::group&), unsigned preemptions = 2) {
    using namespace std::chrono_literals;
    const bool all = GetParam() == tenon::testing::strategy::exhaustive;
    const auto began = std::chrono::steady_clock::now();
    tenon::testing::explored e;
    try {
      e = tenon::testing::explore(program, {.by = GetParam(),
                                            .schedules = all ? std::size_t{200'000} : std::size_t{3000},
                                            .time = 60s,
                                            .preemptions = preemptions});
    } catch (const std::exception& failure) {
      FAIL() << name << ": " << failure.what();
    }
    EXPECT_EQ(e.failure, "") << name;
    if (!all || std::getenv("TENON_REPLAY") != nullptr) return;
    EXPECT_TRUE(e.all) << name << ": " << e.schedules << " schedules were too few";
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("figures: %s: %s schedules, %s pruned, %s a second\n", name, with_commas(e.schedules).c_str(),
                with_commas(e.pruned).c_str(),
                with_commas(static_cast<std::size_t>(static_cast<double>(e.schedules) / took.count())).c_str());
    std::fflush(stdout);
  }

 private:
  static std::string with_commas(std::size_t n) {
    std::string text = std::to_string(n);
    for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
    return text;
  }
};

/// The values for INSTANTIATE_TEST_SUITE_P.
inline auto each_strategy() {
  using tenon::testing::strategy;
  return testing::Values(strategy::random, strategy::priorities, strategy::exhaustive);
}

}  // namespace tenon_test
