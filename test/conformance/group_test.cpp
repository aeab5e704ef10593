// errgroup: the first failure, the context, the limit, and what becomes of tasks that nobody waited for.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"
#include "support/waiting.hpp"

namespace {

using tenon::context;
using tenon::error;
using tenon::group;
using tenon_test::settle;

class GroupOn : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const context& root) { f(root); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, GroupOn, testing::Values(1U, 2U, 8U), testing::PrintToStringParamName());

const error first_error(std::string("group_test: 1"));
const error second_error(std::string("group_test: 2"));

struct outcomes {
  const char* name;
  std::vector<error> of;  // what the tasks return
};

// Go: x/sync/errgroup TestZeroGroup
TEST_P(GroupOn, ReturnsItsFirstErrorHoweverOftenItIsAsked) {
  in_run([](const context&) {
    const outcomes table[] = {
        // Go: x/sync/errgroup TestZeroGroup: tasks that succeed
        {"success", {nullptr}},
        {"error", {first_error}},
        // Go: x/sync/errgroup TestZeroGroup: an error stays when a later task succeeds
        {"error, success", {first_error, nullptr}},
        // Go: x/sync/errgroup TestZeroGroup: the first error stays when a later task fails
        {"error, success, error", {first_error, nullptr, second_error}},
    };
    for (const auto& [name, errors] : table) {
      group g(tenon::background());
      error want;
      for (const error& e : errors) {
        g.go([e] { return e; });
        if (!want) want = e;
        const error got = g.wait();  // a group may be used again; its context stays canceled
        EXPECT_TRUE(got == want) << name << ": " << got.message() << " instead of " << want.message();
      }
    }
    // Go: x/sync/errgroup TestWithContext: no tasks
    EXPECT_FALSE(group(tenon::background()).wait());
  });
}

const outcomes two_tasks[] = {
    {"none", {}}, {"success", {nullptr}}, {"error", {first_error}}, {"error, success", {first_error, nullptr}}};

// Go: x/sync/errgroup TestWithContext
TEST_P(GroupOn, TheContextEndsWithTheFirstErrorOrWithTheWait) {
  in_run([](const context& root) {
    for (const auto& [name, errors] : two_tasks) {
      group g(root);
      for (const error& e : errors) g.go([e] { return e; });
      EXPECT_TRUE(g.wait() == (errors.empty() ? error() : errors[0])) << name;
      // Go: x/sync/errgroup TestWithContext: after the wait the context is canceled, whatever the tasks returned
      EXPECT_TRUE(g.ctx().is_canceled()) << name;
      EXPECT_TRUE(g.ctx().err() == tenon::canceled()) << name;
    }
    // Go: x/sync/errgroup/errgroup.go WithContext: the parent stays as it was
    EXPECT_FALSE(root.is_canceled());
  });
}

// Go: x/sync/errgroup/errgroup.go WithContext: the first error cancels the context before the wait
TEST_P(GroupOn, TheOthersAreToldOfTheFirstErrorBeforeAnybodyWaits) {
  in_run([](const context& root) {
    group g(root);
    g.go([] { return first_error; });
    (void)g.ctx().done().recv();
    EXPECT_TRUE(g.ctx().err() == tenon::canceled());
    EXPECT_TRUE(g.wait() == first_error);
  });
}

// Go: x/sync/errgroup TestCancelCause
TEST_P(GroupOn, TheFirstErrorIsTheCause) {
  in_run([](const context& root) {
    for (const auto& [name, errors] : two_tasks) {
      group g(root);
      for (const error& e : errors) EXPECT_TRUE(g.try_go([e] { return e; }));
      const error got = g.wait();
      EXPECT_TRUE(got == (errors.empty() ? error() : errors[0])) << name;
      // Go: x/sync/errgroup TestCancelCause: the first error is the cause
      // Go: x/sync/errgroup TestCancelCause: without an error it is canceled
      EXPECT_TRUE(tenon::cause(g.ctx()) == (got ? got : tenon::canceled()))
          << name << ": " << tenon::cause(g.ctx()).message();
    }
    group g(root);
    g.go([] { return first_error; });
    g.go([](const context& c) {
      (void)c.done().recv();  // ends because the other one failed
      return c.err();
    });
    EXPECT_TRUE(g.wait() == first_error);
    EXPECT_TRUE(tenon::cause(g.ctx()) == first_error);
  });
}

// Go: x/sync/errgroup TestTryGo
TEST_P(GroupOn, TryGoStartsOnlyWhatTheLimitAllows) {
  in_run([](const context&) {
    group g(tenon::background());
    constexpr int n = 42;
    const auto leave = tenon::make_chan<void>();
    g.set_limit(n);
    for (int i = 0; i < n; ++i) EXPECT_TRUE(g.try_go([leave] { (void)leave.recv(); }));
    // Go: x/sync/errgroup TestTryGo: beyond the limit nothing is started
    EXPECT_FALSE(g.try_go([] { ADD_FAILURE() << "started beyond the limit"; }));
    leave.close();
    EXPECT_FALSE(g.wait());
    // Go: x/sync/errgroup TestTryGo: there is room again when the tasks have ended
    EXPECT_TRUE(g.try_go([] {}));
    EXPECT_FALSE(g.wait());
    // Go: x/sync/errgroup TestTryGo: the limit may be changed between the tasks
    g.set_limit(1);
    const auto leave_again = tenon::make_chan<void>();
    EXPECT_TRUE(g.try_go([leave_again] { (void)leave_again.recv(); }));
    EXPECT_FALSE(g.try_go([] { ADD_FAILURE() << "started beyond a limit of one"; }));
    leave_again.close();
    EXPECT_FALSE(g.wait());
    // Go: x/sync/errgroup TestTryGo: a limit of zero lets nothing start
    g.set_limit(0);
    EXPECT_FALSE(g.try_go([] { ADD_FAILURE() << "started with a limit of zero"; }));
    // Go: x/sync/errgroup/errgroup.go SetLimit: a negative limit is none
    g.set_limit(-1);
    EXPECT_TRUE(g.try_go([] {}));
    EXPECT_FALSE(g.wait());
  });
}

// Go: x/sync/errgroup TestGoLimit
TEST_P(GroupOn, NeverMoreTasksThanTheLimit) {
  in_run([](const context&) {
    group g(tenon::background());
    constexpr int limit = 10;
    g.set_limit(limit);
    std::atomic<int> active = 0;
    std::atomic<int> ended = 0;
    for (int i = 0; i < 1024; ++i) {
      g.go([&]() -> error {
        if (++active > limit) return error(std::string("too many"));
        tenon::yield();
        --active;
        ++ended;
        return nullptr;
      });
    }
    const error e = g.wait();
    EXPECT_FALSE(e) << e.message();
    EXPECT_EQ(ended, 1024);
  });
}

// Go: x/sync/errgroup/errgroup.go Go: it waits until there is room
TEST(Group, GoWaitsForRoom) {
  tenon::run(
      [](const context& root) {
        group g(root);
        g.set_limit(1);
        const auto leave = tenon::make_chan<void>();
        g.go([leave] { (void)leave.recv(); });
        bool started = false;
        bool ran = false;
        auto other = tenon::go([&] {
          g.go([&] { ran = true; });
          started = true;
        });
        settle();
        EXPECT_FALSE(started);
        leave.close();
        other.join();
        EXPECT_FALSE(g.wait());
        EXPECT_TRUE(ran);
      },
      {.workers = 1});
}

// Go: x/sync/errgroup/errgroup.go SetLimit: not while goroutines are active
TEST(Group, TheLimitCannotChangeWhileTasksAreActive) {
  tenon::run([](const context&) {
    group g(tenon::background());
    g.set_limit(3);
    const auto leave = tenon::make_chan<void>();
    for (int i = 0; i < 2; ++i) g.go([leave] { (void)leave.recv(); });
    EXPECT_PANIC(g.set_limit(4), "errgroup: modify limit while 2 goroutines in the group are still active");
    leave.close();
    EXPECT_FALSE(g.wait());
    g.set_limit(4);
  });
}

// Go: x/sync/errgroup/errgroup.go Go: a panic in a task; here the exception comes out of wait
TEST_P(GroupOn, AnExceptionIsAFailureLikeAnother) {
  in_run([](const context& root) {
    group g(root);
    g.go([] { throw std::runtime_error("thrown"); });
    g.go([](const context& c) {
      (void)c.done().recv();
      return c.err();
    });
    const error e = g.wait();
    EXPECT_THROW(e.rethrow(), std::runtime_error);
    EXPECT_TRUE(tenon::cause(g.ctx()) == e);
    EXPECT_EQ(e.message(), "thrown");
  });
}

// Go: none: what a task may return
TEST(Group, ATaskReturnsNothingOrWhatAnErrorIsMadeFrom) {
  tenon::run([](const context& root) {
    group g(root);
    g.go([] {});
    EXPECT_FALSE(g.wait());
    group code(root);
    code.go([](const context&) { return std::make_error_code(std::errc::timed_out); });
    EXPECT_TRUE(code.wait().is(std::errc::timed_out));
  });
}

// Go: the difference to Go is that a group has an owner
TEST_P(GroupOn, DestructionWithoutAWaitCancelsAndWaits) {
  in_run([](const context& root) {
    std::atomic<int> ended = 0;
    {
      group g(root);
      for (int i = 0; i < 10; ++i) {
        g.go([&](const context& c) {
          (void)c.done().recv();
          tenon::yield();
          ++ended;
        });
      }
    }
    EXPECT_EQ(ended, 10);
  });
}

std::atomic<int> unhandled = 0;

// Go: the difference to Go is that nothing is dropped silently
TEST(Group, AnExceptionThatNobodyWaitedForIsReported) {
  const auto before = tenon::set_unhandled_hook([](std::exception_ptr, const char*, const char*) { ++unhandled; });
  tenon::run([](const context& root) {
    unhandled = 0;
    {
      group g(root);
      g.go([] { throw std::runtime_error("lost"); });
    }
    EXPECT_EQ(unhandled, 1);
    {
      group g(root);
      g.go([] { throw std::runtime_error("seen"); });
      EXPECT_TRUE(g.wait());
    }
    EXPECT_EQ(unhandled, 1);
  });
  tenon::set_unhandled_hook(before);
}

// Go: none: a wait that can be given up
TEST(Group, AWaitCanBeGivenUp) {
  tenon::run([](const context& root) {
    group g(root);
    const auto leave = tenon::make_chan<void>();
    g.go([leave] { (void)leave.recv(); });
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    scope.cancel();
    EXPECT_TRUE(g.wait(ctx) == tenon::canceled());
    EXPECT_FALSE(g.ctx().is_canceled());
    leave.close();
    EXPECT_FALSE(g.wait());
  });
}

// Go: none: a group's wait may be called by many, and the first to return may go on with the group
TEST(Group, MayBeUsedFurtherWhileOthersReturnFromTheirWait) {
  tenon::run(
      [](const context& ctx) {
        group g(ctx);
        const auto first = tenon::make_chan<void>();
        const auto second = tenon::make_chan<void>();
        g.go([=] { (void)first.recv(); });
        const auto wait_and_go_on = [&g, second] {
          EXPECT_FALSE(g.wait());
          g.go([=] { (void)second.recv(); });
        };
        auto one = tenon::go(wait_and_go_on);
        auto other = tenon::go(wait_and_go_on);
        settle();
        first.close();  // wakes both; the one that runs first has raised the count when the other returns
        one.join();
        other.join();
        second.close();
        EXPECT_FALSE(g.wait());
      },
      {.workers = 1});
}

// Go: x/sync/errgroup, the index of the loop
TEST_P(GroupOn, GoNPassesTheIndexWhereItIsTaken) {
  in_run([](const context& root) {
    std::atomic<int> sum = 0;
    std::atomic<int> calls = 0;
    group g(root);
    g.go_n(20, [&](int i) { sum += i; });
    g.go_n(20, [&](const context& ctx, int i) -> error {
      sum += i;
      return ctx.err();
    });
    g.go_n(20, [&](const context&) { ++calls; });
    g.go_n(20, [&] { ++calls; });
    g.go_n(0, [&] { ++calls; });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(sum, 2 * 190);
    EXPECT_EQ(calls, 40);
  });
}

// Go: none: a stage owns what it sends
TEST_P(GroupOn, AStageMayOwnWhatCannotBeCopied) {
  in_run([](const context& root) {
    group g(root);
    auto what = std::make_unique<int>(7);
    auto made = g.produce<std::unique_ptr<int>>(
        [what = std::move(what)](tenon::sender<std::unique_ptr<int>>& out) mutable { out.send(std::move(what)); });
    EXPECT_EQ(**made.recv(), 7);
    EXPECT_FALSE(made.recv());
  });
}

// Go: a function that starts a goroutine and returns its channel
TEST_P(GroupOn, AStageClosesItsChannelWhenItEnds) {
  in_run([](const context& root) {
    group g(root);
    const auto numbers = g.produce<int>([](tenon::sender<int>& out, const context& ctx) {
      for (int i = 1; i <= 3; ++i) {
        if (!out.send(ctx, i)) break;
      }
      return ctx.err();
    });
    const auto squares = g.produce<int>([=](tenon::sender<int>& out) {
      for (const int n : numbers) out.send(n * n);
    });
    std::vector<int> got;
    for (const int n : squares) got.push_back(n);
    EXPECT_EQ(got, (std::vector<int>{1, 4, 9}));
    EXPECT_FALSE(g.wait());
  });
}

// Go: none
TEST_P(GroupOn, AStageThatFailsFailsTheGroupBeforeItsChannelCloses) {
  in_run([](const context& root) {
    group g(root);
    const auto out = g.produce<int>(1, [](tenon::sender<int>& out) {
      out.send(1);
      throw std::runtime_error("after one");
    });
    EXPECT_EQ(out.recv(), 1);
    EXPECT_EQ(out.recv(), std::nullopt);
    EXPECT_TRUE(g.ctx().is_canceled());
    EXPECT_EQ(tenon::cause(g.ctx()).message(), "after one");
    EXPECT_THROW(g.wait().rethrow(), std::runtime_error);
  });
}

// Go: a WaitGroup and a goroutine that waits and closes
TEST_P(GroupOn, SeveralProducersCloseWithTheLast) {
  in_run([](const context& root) {
    group g(root);
    std::atomic<int> next = 0;
    const auto out = g.produce_n<int>(8, 4, "the test reads all", [&](tenon::sender<int>& out) {
      for (int i = next++; i < 100; i = next++) out.send(i);
    });
    EXPECT_EQ(out.cap(), 4U);
    int sum = 0;
    for (const int v : out) sum += v;
    EXPECT_EQ(sum, 4950);
    EXPECT_FALSE(g.wait());
  });
}

// Go: none: Go's group has no cancel of its own
TEST_P(GroupOn, AMemberThatEndsBecauseItsGroupToldItToHasNotFailed) {
  in_run([](const context& root) {
    group g(root);
    g.go_n(5, [](const context& ctx) {
      (void)ctx.done().recv();
      return ctx.err();
    });
    g.cancel();
    EXPECT_FALSE(g.wait());

    auto scope = tenon::with_cancel(root);
    group below(scope.ctx());
    below.go([](const context& ctx) {
      (void)ctx.done().recv();
      return ctx.err();
    });
    scope.cancel();
    EXPECT_TRUE(below.wait() == tenon::canceled()) << "the parent's end is one of the group's failures";
  });
}

// Go: none: a stage that waited for room could block its pipeline for ever
TEST_P(GroupOn, StagesDoNotCountAgainstTheLimit) {
  in_run([](const context& root) {
    group g(root);
    g.set_limit(1);
    const auto leave = tenon::make_chan<void>();
    g.go([leave] { (void)leave.recv(); });
    const auto numbers = g.produce<int>([](tenon::sender<int>& out) { out.send(7); });
    const auto twice = g.produce<int>([=](tenon::sender<int>& out) {
      for (const int n : numbers) out.send(2 * n);
    });
    EXPECT_EQ(twice.recv(), 14);
    EXPECT_FALSE(g.try_go([] {}));
    leave.close();
    EXPECT_FALSE(g.wait());
  });
}

// Go: none
TEST_P(GroupOn, MembersRunUnderItsContext) {
  in_run([](const context& root) {
    group g(root);
    g.go([&] {
      EXPECT_TRUE(tenon::this_goroutine::context() == g.ctx());
      auto below = tenon::go([](const context& ctx) {
        (void)ctx.done().recv();
        return tenon::cause(ctx).message();
      });
      EXPECT_EQ(below.join(), "enough");
    });
    g.go([] { return error(std::string("enough")); });
    EXPECT_EQ(g.wait().message(), "enough");
  });
}

}  // namespace
