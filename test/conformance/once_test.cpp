// once, once_func, once_value.

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/waiting.hpp"

namespace {

using tenon::context;
using tenon_test::settle;

class OnceBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, OnceBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: sync/once_test.go TestOnce
TEST_P(OnceBy, RunsOneTimeAndEverybodyWaitsForIt) {
  tenon_test::as(GetParam(), [] {
    tenon::once once;
    int runs = 0;
    std::atomic<int> early = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        once.call([&] {
          tenon::yield();  // the others come meanwhile
          ++runs;
        });
        if (runs != 1) ++early;
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(early.load(), 0);
    EXPECT_TRUE(once.done());
  });
}

// Go: sync/once_test.go TestOncePanic
TEST(Once, AnExceptionCountsAsDone) {
  tenon::once once;
  EXPECT_THROW(once.call([] { throw std::runtime_error("failed"); }), std::runtime_error);
  once.call([] { FAIL() << "ran twice"; });
}

// Go: none: a wait that can be given up
TEST(Once, TheWaitForAnothersRunCanBeGivenUp) {
  tenon::run(
      [](const context& root) {
        tenon::once once;
        const auto go_on = tenon::make_chan<void>();
        auto runs = tenon::go([&] { once.call([&] { (void)go_on.recv(); }); });
        settle();
        auto scope = tenon::with_cancel(root);
        const tenon::context ctx = scope.ctx();
        auto waits = tenon::go([&, &c = ctx] { return once.call(c, [] { FAIL() << "ran twice"; }); });
        settle();
        scope.cancel();
        EXPECT_FALSE(waits.join());
        go_on.close();
        runs.join();
        EXPECT_TRUE(once.call(ctx, [] { FAIL() << "ran twice"; })) << "done: nothing to wait for";
      },
      {.workers = 1});
}

// Go: sync/oncefunc_test.go TestOnceFunc
TEST(Once, AFunctionRunsAtItsFirstCallAlone) {
  int runs = 0;
  const auto f = tenon::once_func([&] { ++runs; });
  const auto copy = f;
  EXPECT_EQ(runs, 0);
  f();
  copy();
  f();
  EXPECT_EQ(runs, 1);
}

// Go: sync/oncefunc_test.go TestOnceValue, TestOnceValues
TEST(Once, AValueIsMadeAtTheFirstCallAlone) {
  int runs = 0;
  const auto f = tenon::once_value([&] {
    ++runs;
    return std::make_unique<std::pair<int, std::string>>(7, "seven");
  });
  EXPECT_EQ(f()->first, 7);
  EXPECT_EQ(f()->second, "seven");
  EXPECT_EQ(&f(), &f());
  EXPECT_EQ(runs, 1);
}

// Go: sync/oncefunc_test.go TestOnceFuncPanic, TestOnceValuePanic, TestOnceValuesPanic
TEST(Once, AFunctionThatThrowsThrowsTheSameAtEachCall) {
  int runs = 0;
  const auto check = [&](const auto& f) {
    runs = 0;
    std::string text;
    const std::exception* first = nullptr;
    for (int i = 0; i < 2; ++i) {
      try {
        (void)f();
        FAIL() << "did not throw";
      } catch (const std::exception& e) {
        EXPECT_STREQ(e.what(), "once");
        if (first != nullptr) {
          EXPECT_EQ(first, &e) << "not the same exception";
        }
        first = &e;
      }
    }
    EXPECT_EQ(runs, 1);
  };
  check(tenon::once_func([&] {
    ++runs;
    throw std::runtime_error("once");
  }));
  check(tenon::once_value([&]() -> int {
    ++runs;
    throw std::runtime_error("once");
  }));
  check(tenon::once_value([&]() -> std::pair<int, std::string> {
    ++runs;
    throw std::runtime_error("once");
  }));
}

// Go: sync/oncefunc_test.go TestOnceXGC: OnceFunc
TEST(Once, WhatTheFunctionHeldIsReleasedAfterItsRun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  const auto f = tenon::once_func([held] { EXPECT_EQ(*held, 1); });
  held.reset();
  // Go: sync/oncefunc_test.go TestOnceXGC: not too early
  EXPECT_FALSE(watch.expired());
  f();
  EXPECT_TRUE(watch.expired());

  // Go: sync/oncefunc_test.go TestOnceXGC: OnceFunc panic
  auto other = std::make_shared<int>(2);
  const std::weak_ptr<int> watch_other = other;
  const auto throws = tenon::once_func([other] { throw std::runtime_error(std::to_string(*other)); });
  other.reset();
  EXPECT_THROW(throws(), std::runtime_error);
  EXPECT_TRUE(watch_other.expired());
  EXPECT_THROW(throws(), std::runtime_error);
}

// ---- from every kind of caller, and the edges -----------------------------------------------------------------------

using tenon::background;

// Go: sync/once.go Do: "If f panics, Do considers it to have returned": those who wait return, and do not panic
// Go: sync/once_test.go TestOncePanic
TEST_P(OnceBy, AnExceptionLeavesTheCallThatRanAlone) {
  tenon_test::as(GetParam(), [] {
    tenon::once once;
    std::atomic<int> runs = 0;
    std::atomic<int> threw = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 8; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        try {
          once.call([&] {
            ++runs;
            tenon::yield();  // the others come meanwhile
            throw std::runtime_error("failed");
          });
        } catch (const std::runtime_error&) {
          ++threw;
        }
        EXPECT_TRUE(once.done());
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(runs.load(), 1);
    EXPECT_EQ(threw.load(), 1);
  });
}

// Go: none: a wait that can be given up
TEST_P(OnceBy, WhoGivesUpHasNotRunIt) {
  tenon_test::as(GetParam(), [] {
    tenon::once once;
    const auto inside = tenon::make_chan<void>();
    const auto go_on = tenon::make_chan<void>();
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    auto runs = tenon_test::start(GetParam(), [&] {
      once.call([&] {
        inside.send();
        (void)go_on.recv();
      });
    });
    (void)inside.recv();
    std::atomic<int> gave_up = 0;
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&] {
        if (!once.call(ctx, [] { FAIL() << "ran twice"; })) ++gave_up;
      }));
    }
    auto stays = tenon_test::start(GetParam(), [&] {
      EXPECT_TRUE(once.call(background(), [] { FAIL() << "ran twice"; }));
      EXPECT_TRUE(once.done());
    });
    settle();
    EXPECT_FALSE(once.done());
    scope.cancel();
    for (auto& a : all) a.join();
    EXPECT_EQ(gave_up.load(), 4);
    EXPECT_FALSE(once.done()) << "those who left have not ended it";
    go_on.close();
    runs.join();
    stays.join();
    EXPECT_TRUE(once.call(ctx, [] { FAIL() << "ran twice"; })) << "done: nothing to wait for";
  });
}

// Go: none: a wait that can be given up
TEST_P(OnceBy, ACanceledContextRunsNothing) {
  tenon_test::as(GetParam(), [] {
    tenon::once once;
    auto scope = tenon::with_cancel(background());
    const tenon::context ctx = scope.ctx();
    scope.cancel();
    EXPECT_FALSE(once.call(ctx, [] { FAIL() << "ran although canceled"; }));
    EXPECT_FALSE(once.done());
    int runs = 0;
    once.call([&] { ++runs; });
    EXPECT_EQ(runs, 1);
  });
}

// Go: sync/once_test.go TestOncePanic, in the form that can be given up
TEST(Once, AnExceptionCountsAsDoneWithAContextToo) {
  tenon::once once;
  EXPECT_THROW((void)once.call(background(), [] { throw std::runtime_error("failed"); }), std::runtime_error);
  EXPECT_TRUE(once.done());
  EXPECT_TRUE(once.call(background(), [] { FAIL() << "ran twice"; }));
}

// Go: sync/once.go Do: only the first call runs its function, "even if f has a different value in each invocation"
TEST(Once, OnlyTheFirstFunctionRuns) {
  tenon::once once;
  std::string ran;
  for (const char name : {'a', 'b', 'c'}) once.call([&] { ran += name; });
  EXPECT_EQ(ran, "a");
}

// Go: sync/once.go Do: a deadlock is only what calls the same one
TEST(Once, OneMayBeCalledInsideAnother) {
  tenon::run([](const context&) {
    tenon::once outer;
    tenon::once inner;
    int runs = 0;
    for (int i = 0; i < 2; ++i) outer.call([&] { inner.call([&] { ++runs; }); });
    inner.call([&] { ++runs; });
    EXPECT_EQ(runs, 1);
  });
}

// Go: sync/oncefunc_test.go TestOnceFunc, called by many at the same time
TEST_P(OnceBy, ManyWhoCallAFunctionShareItsRun) {
  tenon_test::as(GetParam(), [] {
    int runs = 0;  // not atomic: the calls order it
    const auto f = tenon::once_func([&] {
      tenon::yield();
      ++runs;
    });
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 8; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&runs, f] {
        f();
        EXPECT_EQ(runs, 1) << "a call returned before the run was over";
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(runs, 1);
  });
}

// Go: sync/oncefunc_test.go TestOnceValue, called by many at the same time
TEST_P(OnceBy, ManyWhoWantAValueGetTheSameOne) {
  tenon_test::as(GetParam(), [] {
    std::atomic<int> runs = 0;
    const auto f = tenon::once_value([&] {
      ++runs;
      tenon::yield();
      return std::string("the value");
    });
    constexpr std::size_t n = 8;
    std::vector<const std::string*> got(n, nullptr);
    std::vector<tenon_test::companion> all;
    for (std::size_t i = 0; i < n; ++i) all.push_back(tenon_test::start(GetParam(), [&got, i, f] { got[i] = &f(); }));
    for (auto& a : all) a.join();
    EXPECT_EQ(runs.load(), 1);
    EXPECT_EQ(got, std::vector<const std::string*>(n, &f()));
    EXPECT_EQ(f(), "the value");
  });
}

// Go: sync/oncefunc_test.go TestOnceValuePanic, called by many at the same time
TEST_P(OnceBy, ManyWhoCallOneThatThrowsGetTheSameException) {
  tenon_test::as(GetParam(), [] {
    std::atomic<int> runs = 0;
    const auto f = tenon::once_value([&]() -> int {
      ++runs;
      tenon::yield();
      throw std::runtime_error("once");
    });
    constexpr std::size_t n = 8;
    std::vector<const std::exception*> got(n, nullptr);
    std::vector<tenon_test::companion> all;
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(tenon_test::start(GetParam(), [&got, i, f] {
        try {
          (void)f();
        } catch (const std::runtime_error& e) {
          EXPECT_STREQ(e.what(), "once");
          got[i] = &e;  // compared only: f keeps it
        }
      }));
    }
    for (auto& a : all) a.join();
    EXPECT_EQ(runs.load(), 1);
    EXPECT_NE(got[0], nullptr);
    EXPECT_EQ(got, std::vector<const std::exception*>(n, got[0]));
  });
}

// Go: sync/oncefunc_test.go TestOnceFuncPanic, TestOnceFuncPanicNil: whatever was thrown
TEST(Once, WhatIsThrownNeedBeNoStdException) {
  int runs = 0;
  const auto f = tenon::once_func([&] {
    ++runs;
    throw 7;
  });
  for (int i = 0; i < 3; ++i) {
    try {
      f();
      ADD_FAILURE() << "did not throw";
    } catch (int thrown) {
      EXPECT_EQ(thrown, 7);
    }
  }
  EXPECT_EQ(runs, 1);
}

// Go: sync/oncefunc_test.go TestOnceValue: a value outlives the function that returned it while a copy of that lives
TEST(Once, CopiesShareTheRunAndItsValue) {
  int runs = 0;
  std::optional first(tenon::once_value([&] {
    ++runs;
    return std::string("shared by all of them");
  }));
  const auto early = *first;
  const std::string& value = (*first)();
  const auto late = *first;
  first.reset();
  EXPECT_EQ(value, "shared by all of them");
  EXPECT_EQ(&early(), &value);
  EXPECT_EQ(&late(), &value);
  EXPECT_EQ(runs, 1);
}

// Go: sync/oncefunc_test.go TestOnceXGC: OnceValue
// Go: sync/oncefunc_test.go TestOnceXGC: OnceValue panic
TEST(Once, AValuesFunctionIsReleasedAfterItsRun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  const auto value = tenon::once_value([held] { return *held; });
  const auto throws = tenon::once_value([held]() -> int { throw std::runtime_error(std::to_string(*held)); });
  held.reset();
  EXPECT_EQ(value(), 1);
  EXPECT_EQ(watch.use_count(), 1) << "the one that has not run holds it";
  EXPECT_THROW((void)throws(), std::runtime_error);
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(value(), 1);
}

// Go: none: what is never called is not collected, but destroyed
TEST(Once, AFunctionThatNeverRanIsReleasedWithItsLastCopy) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  {
    const auto f = tenon::once_func([held] { ADD_FAILURE() << *held; });
    const auto copy = f;
    held.reset();
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

// Go: sync/oncefunc_test.go TestOnceValues: several results are a tuple; the function may be any object
TEST(Once, AnyFunctionObjectWillDo) {
  const auto values = tenon::once_value([] { return std::tuple(1, std::string("two")); });
  const auto& [one, two] = values();
  EXPECT_EQ(one, 1);
  EXPECT_EQ(two, "two");
  const auto move_only = tenon::once_value([p = std::make_unique<int>(3)] { return *p; });
  EXPECT_EQ(move_only(), 3);
  const auto changes = tenon::once_value([n = 4]() mutable { return ++n; });
  EXPECT_EQ(changes(), 5);
  EXPECT_EQ(changes(), 5);
}

}  // namespace
