// Groups and wait groups: what their goroutines captured, and changes of the limit.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"
#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::in_virtual_time;

/// Takes its time to go.
struct slow_to_go {
  std::atomic<int>* alive;
  explicit slow_to_go(std::atomic<int>* a) : alive(a) { ++*alive; }
  slow_to_go(const slow_to_go& other) : alive(other.alive) { ++*alive; }
  slow_to_go& operator=(const slow_to_go&) = delete;
  ~slow_to_go() {
    tenon::sleep_for(10ms);
    --*alive;
  }
};

TEST(GroupEnd, ComesAfterWhatItsMembersCapturedAsConstIsGone) {
  in_virtual_time([](const tenon::context& ctx) {
    std::atomic<int> alive = 0;
    tenon::group g(ctx);
    const slow_to_go captured(&alive);
    g.go([captured] {});
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(alive, 1);
    auto out = g.produce<int>([captured](tenon::sender<int>& to) { (void)to.send(1); });
    EXPECT_EQ(out.recv(), 1);
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(alive, 1);
  });
}

TEST(WaitGroupEnd, ComesAfterWhatItsFunctionsCapturedAsConstIsGone) {
  in_virtual_time([] {
    std::atomic<int> alive = 0;
    tenon::wait_group wg;
    const slow_to_go captured(&alive);
    wg.go([captured] {});
    wg.wait();
    EXPECT_EQ(alive, 1);
  });
}

TEST(GroupLimit, IsNotChangedWhileACallerWaitsForRoom) {
  // In a process of its own: under a limit of 0 that caller waits for ever.
  const tenon_test::ending e = tenon_test::run_program("misuse", {"group_limit_while_a_caller_waits"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "tenon: group: modify limit while 1 callers of go wait for room\n") << e.describe();
}

}  // namespace
