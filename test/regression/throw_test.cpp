// What throws while something is being started leaves nothing behind: no count, no flight, no waiter on a stack that is gone.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"

namespace {

using tenon_test::ending;
using tenon_test::run_program;

/// Cannot be copied, and says so when that is tried.
struct stubborn {
  stubborn() = default;
  stubborn(const stubborn&) { throw std::runtime_error("not to be copied"); }
  stubborn(stubborn&&) noexcept = default;
  stubborn& operator=(const stubborn&) = delete;
  stubborn& operator=(stubborn&&) = delete;
  ~stubborn() = default;
};
struct stubborn_task : stubborn {
  int operator()() const { return 1; }
};
struct stubborn_stage : stubborn {
  void operator()(tenon::sender<int>&) const {}
};
struct stubborn_member : stubborn {
  void operator()() const {}
};

TEST(StartThatThrows, LeavesAGroupWithoutAMember) {
  tenon::run([](tenon::group& root) {
    tenon::group g(root.ctx());
    const stubborn_stage stage;
    const stubborn_member member;
    EXPECT_THROW((void)g.produce<int>(stage), std::runtime_error);
    EXPECT_THROW((void)g.produce_n<int>(2, stage), std::runtime_error);
    EXPECT_THROW(g.go(member), std::runtime_error);
    EXPECT_THROW(g.go_n(2, member), std::runtime_error);
    EXPECT_THROW((void)g.try_go(member), std::runtime_error);
    g.set_limit(1);
    EXPECT_THROW(g.go(member), std::runtime_error);
    EXPECT_TRUE(g.try_go([] {})) << "its permit was given back";
    EXPECT_FALSE(g.wait());
  });
}

TEST(StartThatThrows, LeavesAWaitGroupWithoutACount) {
  tenon::run([] {
    tenon::wait_group wg;
    const stubborn_member member;
    EXPECT_THROW(wg.go(member), std::runtime_error);
    wg.wait();
  });
}

TEST(StartThatThrows, LandsItsFlightWithTheFailure) {
  tenon::run([] {
    tenon::singleflight<int, int> flights;
    const stubborn_task task;
    const auto landed = flights.call_chan(1, task).recv();
    ASSERT_TRUE(landed);
    EXPECT_EQ(landed->err.message(), "not to be copied");
    EXPECT_EQ(flights.call(1, [] { return 2; }).value, 2) << "the key is free";
  });
}

TEST(TimerThatCannotBeStarted, LeavesNoWaiterBehind) {
  const ending e = run_program("refused_memory", {"sleep_with_a_context"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "refused\ncanceled\n") << e.describe();
}

TEST(TimerThatCannotBeStarted, LeavesTheGoroutineRunning) {
  const ending e = run_program("refused_memory", {"sleep_without"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "refused\nslept\n") << e.describe();
}

TEST(TransferThatFails, EndsTheProgramAndSaysWhy) {
  const ending e = run_program("refused_memory", {"output"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "std::bad_alloc\n") << e.describe();
}

TEST(GoroutineThatCannotBeStarted, IsNotWaitedForAtTheEndOfTheRun) {
  const ending e = run_program("refused_memory", {"start_of_another"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "refused\nstarted\nended\n") << e.describe();
}

}  // namespace
