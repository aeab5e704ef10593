// What joins goroutines with code that knows nothing of them: promises, calls that are given up, std::future, coroutines.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <tenon/std_future.hpp>
#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "support/panics.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::promise;
using tenon::testing::run_virtual;

// ---- promise

// Go: a channel of capacity 1
TEST(Promise, GivesWhatACallbackOnAnotherThreadSets) {
  tenon::run([](const context& root) {
    for (int i = 0; i < 100; ++i) {
      promise<std::string> p;
      std::function<void(std::string)> callback = [set = p.setter()](std::string s) { EXPECT_TRUE(set(std::move(s))); };
      std::thread t([callback = std::move(callback), i] { callback("value " + std::to_string(i)); });
      EXPECT_EQ(*p.wait(root), "value " + std::to_string(i));
      t.join();
    }
  });
}

TEST(Promise, TheFirstOfManyCallsCounts) {
  tenon::run([](const context& root) {
    promise<int> p;
    const auto set = p.setter();
    const auto other = set;  // NOLINT: a copy is what is tested
    EXPECT_TRUE(set(1));
    EXPECT_FALSE(other(2));
    EXPECT_FALSE(other.fail(error("late")));
    EXPECT_EQ(*p.wait(root), 1);
  });
}

TEST(Promise, MayFail) {
  tenon::run([](const context& root) {
    promise<int> p;
    p.setter().fail(error("no such key"));
    EXPECT_EQ(p.wait(root).err().message(), "no such key");
    promise<void> nothing;
    const auto set = nothing.setter();
    EXPECT_TRUE(set());
    EXPECT_FALSE(nothing.wait(root));
  });
}

TEST(Promise, IsBrokenWhenTheLastSetterHasGone) {
  tenon::run([](const context& root) {
    promise<std::unique_ptr<int>> p;
    {
      const auto set = p.setter();
      const auto other = set;  // NOLINT
    }
    EXPECT_TRUE(p.wait(root).err().is(std::future_errc::broken_promise));
  });
}

TEST(Promise, IsWaitedForNoLongerThanTheContext) {
  run_virtual([](group& root) {
    const auto scope = tenon::with_cancel(root.ctx());
    promise<int> p;
    auto set = std::make_unique<tenon::promise_setter<int>>(p.setter());
    root.go([&] { scope.cancel(); });
    EXPECT_EQ(p.wait(scope.ctx()).err(), tenon::canceled());
    EXPECT_TRUE((*set)(1)) << "it may come later, and for another who waits";
    EXPECT_EQ(*p.wait(root.ctx()), 1);
  });
}

TEST(Promise, CanBeSelected) {
  tenon::run([] {
    promise<int> p;
    const auto set = p.setter();
    tenon::chan<void> never;
    auto value = tenon::recv(p.c());
    auto other = tenon::recv(never);
    std::thread t([&] { (void)set(5); });
    tenon::select(value, other);
    ASSERT_TRUE(value);
    EXPECT_EQ(**value, 5);
    t.join();
  });
}

TEST(Promise, IsMisusedLoudly) {
  tenon::run([](const context& root) {
    promise<int> p;
    EXPECT_PANIC((void)p.wait(root), "tenon: promise: wait without a setter: nothing could end it");
    const auto set = p.setter();
    EXPECT_PANIC((void)p.setter(), "tenon: promise: setter() called twice: copy what the first call returned");
    EXPECT_PANIC((void)set.fail(error()), "tenon: a promise that fails without an error");
    (void)set(1);
    EXPECT_EQ(*p.wait(root), 1);
    EXPECT_PANIC((void)p.wait(root), "tenon: promise: the outcome has been taken");
  });
}

// A timeout of an hour must not fire over the moment that real work takes.
TEST(Promise, HoldsTheVirtualClockUntilItIsSet) {
  run_virtual([](group& root) {
    const auto began = tenon::now();
    promise<int> p;
    std::thread worker([set = p.setter()] {
      tenon_test::await_waiting(1);
      std::this_thread::sleep_for(20ms);  // the work; not what orders anything
      (void)set(7);
    });
    const auto hour = tenon::with_timeout(root.ctx(), 1h);
    EXPECT_EQ(*p.wait(hour.ctx()), 7);
    EXPECT_EQ(tenon::now(), began);
    worker.join();
    tenon::sleep_for(1h);
    EXPECT_EQ(tenon::now() - began, 1h) << "it goes on";
  });
}

// ---- within

TEST(Within, BoundsOneCall) {
  run_virtual([](group& root) {
    const auto began = tenon::now();
    const auto c = tenon::make_chan<int>();
    EXPECT_FALSE(c.recv(tenon::within(root.ctx(), 5s)));
    EXPECT_EQ(tenon::now() - began, 5s);
    root.go([c] { c.send(1); });
    EXPECT_EQ(c.recv(tenon::within(root.ctx(), 5s)), 1);
    EXPECT_EQ(tenon::now() - began, 5s);
    EXPECT_FALSE(tenon::sleep_for(tenon::within(root.ctx(), 1s), 1h));
    const auto scope = tenon::with_cancel(root.ctx());
    scope.cancel();
    EXPECT_FALSE(tenon::sleep_for(tenon::within(scope.ctx(), 1s), 1h));
    EXPECT_EQ(tenon::now() - began, 6s);
  });
}

// ---- blocking with a context

TEST(BlockingWithContext, ReturnsWhatTheCallReturns) {
  tenon::run([](const context& root) {
    EXPECT_EQ(*tenon::blocking(root, [] { return 42; }), 42);
    EXPECT_FALSE(tenon::blocking(root, [] {}));
    EXPECT_FALSE(tenon::blocking(root, [] { return error(); }));
    EXPECT_EQ(tenon::blocking(root, [] { return error("no"); }).message(), "no");
    EXPECT_EQ(*tenon::blocking(root, [] { return tenon::result<int>(7); }), 7);
    EXPECT_EQ(tenon::blocking(root, [] { return tenon::result<int>(error("no")); }).err().message(), "no");
    EXPECT_EQ(**tenon::blocking(root, [p = std::make_unique<int>(3)]() mutable { return std::move(p); }), 3);
    const auto thrown = tenon::blocking(root, []() -> int { throw std::runtime_error("thrown"); });
    EXPECT_THROW(thrown.err().rethrow(), std::runtime_error);
  });
}

TEST(BlockingWithContext, IsGivenUpWhileTheCallGoesOnAndTheRunWaitsForIt) {
  std::atomic<bool> ended = false;
  std::promise<void> go_on;
  tenon::run([&](const context& root) {
    const auto scope = tenon::with_cancel(root);
    std::promise<void> in_it;
    tenon::group g(root);
    g.go([&] {
      const error e = tenon::blocking(scope.ctx(), [&ended, &in_it, wait = go_on.get_future()]() mutable {
        in_it.set_value();
        wait.get();
        ended = true;
      });
      EXPECT_EQ(e, tenon::canceled());
      EXPECT_FALSE(ended);
    });
    tenon::blocking([&] { in_it.get_future().get(); });
    scope.cancel();
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(tenon::blocking(scope.ctx(), [] { ADD_FAILURE() << "canceled before it began"; }), tenon::canceled());
    go_on.set_value();
  });
  EXPECT_TRUE(ended) << "the end of the run waits for it";
}

// ---- std::future

TEST(StdFuture, IsWaitedForByAGoroutine) {
  tenon::run([](const context& root) {
    std::promise<int> p;
    tenon::group g(root);
    g.go([&](const context& ctx) {
      const auto r = tenon::get(ctx, p.get_future());
      EXPECT_EQ(*r, 9);
    });
    p.set_value(9);
    EXPECT_FALSE(g.wait());

    std::promise<void> fails;
    fails.set_exception(std::make_exception_ptr(std::runtime_error("x")));
    EXPECT_THROW(tenon::get(root, fails.get_future()).rethrow(), std::runtime_error);
    EXPECT_TRUE(tenon::get(root, std::future<int>()).err());
  });
}

// ---- coroutines

/// The least of a coroutine type: runs until it waits, and goes on where it is resumed.
struct task {
  struct promise_type {
    task get_return_object() { return task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { failure = std::current_exception(); }
    std::exception_ptr failure;
  };
  explicit task(std::coroutine_handle<promise_type> h) : handle(h) {}
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  ~task() { handle.destroy(); }
  std::coroutine_handle<promise_type> handle;
};

// A coroutine is an object on the heap, and runs on the stack of the goroutine that resumes it: it may wait in tenon's calls, be resumed by another
// goroutine, on another thread, and throw.
TEST(Coroutines, RunInsideOfGoroutines) {
  tenon::run(
      [](const context& root) {
        const auto in = tenon::make_chan<int>();
        int sum = 0;
        const auto add = [](tenon::chan<int> from, int& to) -> task {
          for (;;) {
            const auto v = from.recv();  // parks the goroutine in the middle of the coroutine
            if (!v) throw std::runtime_error("closed");
            to += *v;
            co_await std::suspend_always{};
          }
        };
        const task t = add(in, sum);
        group g(root);
        g.go([&] {
          for (int i = 1; i <= 100; ++i) in.send(i);
          in.close();
        });
        for (int i = 0; i <= 100; ++i)
          tenon::go([&] { t.handle.resume(); }).join();  // each time from another goroutine
        EXPECT_FALSE(g.wait());
        EXPECT_TRUE(t.handle.done());
        EXPECT_EQ(sum, 5050);
        EXPECT_THROW(std::rethrow_exception(t.handle.promise().failure), std::runtime_error);
      },
      {.workers = 2});
}

}  // namespace
