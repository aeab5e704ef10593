#pragma once

/// Tests that run with so many workers, watched, and what those who race in them do to come at another moment each time.
///
///     using GroupStress = tenon_test::workers_case;
///     INSTANTIATE_TEST_SUITE_P(Workers, GroupStress, testing::ValuesIn(tenon_test::worker_counts()), testing::PrintToStringParamName());
///
///     TEST_P(GroupStress, …) {
///       in_run([&](const tenon::context& root) { …; watchdog::step(); });
///     }

#include <gtest/gtest.h>

#include <cstdint>

#include <tenon/run.hpp>
#include <tenon/yield.hpp>

#include "stress/watchdog.hpp"
#include "support/random.hpp"

namespace tenon_test {

class workers_case : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    const watchdog dog;
    tenon::run([&](const tenon::context& root) { f(root); }, {.workers = GetParam()});
  }
};

/// Up to `most` times it lets the others have their turn.
inline void dawdle(random_source& random, std::uint64_t most) {
  for (std::uint64_t i = random.below(most + 1); i > 0; --i) tenon::yield();
}

}  // namespace tenon_test
