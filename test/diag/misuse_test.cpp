// What each type does with input that it can do nothing with: the table is docs/misuse.md. Fatal errors, which end a process, are in
// test/conformance/fatal_test.cpp; what has a behaviour of Go's behind it is with that type's tests in test/conformance.

#include <gtest/gtest.h>

#include <signal.h>

#include <climits>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"
#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::pipeline;
using tenon::recv_chan;

const std::string no_function = std::bad_function_call().what();
const char* const nil_parent = "cannot create context from nil parent";

// ---- select -------------------------------------------------------------------------------------------------------

TEST(MisuseOfSelect, ANullPointerIsNoCase) {
  tenon::run([] {
    const auto c = tenon::make_chan<int>(1);
    auto receives = tenon::recv(c);
    c.send(7);
    tenon::select_case* const cases[] = {&receives, nullptr};
    EXPECT_PANIC((void)tenon::select(cases), "tenon: select: a null pointer among the cases");
    EXPECT_PANIC((void)tenon::select(cases, tenon::otherwise), "tenon: select: a null pointer among the cases");
    EXPECT_EQ(c.recv(), 7) << "it did nothing";
  });
}

// ---- group --------------------------------------------------------------------------------------------------------

TEST(MisuseOfGroup, AWaitForNobodyReturnsAtOnce) {
  tenon::run([](group& root) {
    group g(root.ctx());
    EXPECT_FALSE(g.wait());
    EXPECT_FALSE(g.wait());
  });
}

TEST(MisuseOfGroup, NoneOrFewerAreNone) {
  tenon::run([](group& root) {
    group g(root.ctx());
    for (const int n : {0, -1, INT_MIN}) {
      g.go_n(n, [](int i) { ADD_FAILURE() << i; });
      EXPECT_FALSE(g.produce_n<int>(n, [](tenon::sender<int>&) { ADD_FAILURE(); }).recv()) << "closed at once";
    }
    EXPECT_PANIC((void)g.produce<int>(-1, "none", [](tenon::sender<int>&) {}), "makechan: size out of range");
    EXPECT_FALSE(g.wait());
  });
}

TEST(MisuseOfGroup, ALimitThatComesLateDoesNotCountWhoWasThere) {
  tenon::run([](group& root) {
    group g(root.ctx());
    const auto go_on = tenon::make_chan<void>();
    g.go([&] { (void)go_on.recv(); });
    g.set_limit(1);
    EXPECT_TRUE(g.try_go([&] { (void)go_on.recv(); }));
    EXPECT_FALSE(g.try_go([] {}));
    EXPECT_PANIC(g.set_limit(2), "errgroup: modify limit while 1 goroutines in the group are still active");
    go_on.close();
    EXPECT_FALSE(g.wait());
    g.set_limit(INT_MAX);
    EXPECT_TRUE(g.try_go([] {}));
    EXPECT_FALSE(g.wait());
  });
}

TEST(MisuseOfGroup, ItWantsAParent) {
  EXPECT_PANIC(group g{context()}, nil_parent);
  EXPECT_PANIC(pipeline p{context()}, nil_parent);
}

// ---- pipeline -----------------------------------------------------------------------------------------------------

const std::vector<int> five{1, 2, 3, 4, 5};

template <class T>
std::vector<T> all_of(pipeline& p, const recv_chan<T>& in) {
  std::vector<T> out;
  p.for_each(in, [&](T v) { out.push_back(std::move(v)); });
  EXPECT_FALSE(p.wait());
  return out;
}

TEST(MisuseOfPipeline, WithoutAStageItEndsAtOnce) {
  tenon::run([](const context& ctx) {
    pipeline p(ctx);
    EXPECT_FALSE(p.wait());
  });
}

TEST(MisuseOfPipeline, AMergeOfNothingIsClosed) {
  tenon::run([](const context& ctx) {
    pipeline p(ctx);
    EXPECT_TRUE(all_of(p, p.merge(std::vector<recv_chan<int>>())).empty());
  });
}

TEST(MisuseOfPipeline, ABatchOfNoneIsOfOne) {
  tenon::run([](const context& ctx) {
    pipeline p(ctx);
    EXPECT_EQ(all_of(p, p.batch(p.generate(five), 0)).size(), 5U);
  });
}

TEST(MisuseOfPipeline, ABatchThatMayWaitForLessThanNothingLosesNothing) {
  tenon::run([](const context& ctx) {
    pipeline p(ctx);
    std::size_t n = 0;
    for (const auto& batch : all_of(p, p.batch(p.generate(five), 2, -1s))) n += batch.size();
    EXPECT_EQ(n, 5U);
  });
}

TEST(MisuseOfPipeline, FewerThanOneWorkerAreOne) {
  tenon::run([](const context& ctx) {
    for (const int n : {0, -1, INT_MIN}) {
      pipeline p(ctx);
      EXPECT_EQ(all_of(p, p.transform({.workers = n}, p.generate(five), [](int v) { return v; })), five);
    }
  });
}

TEST(MisuseOfPipeline, AWindowBelowTheNumberOfWorkersEnds) {
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [](const context& ctx) {
          for (const std::size_t window : {1U, 2U, 3U}) {
            pipeline p(ctx);
            const tenon::parallel how{.workers = 4, .window = window};
            EXPECT_EQ(all_of(p, p.transform(how, p.generate(five), [](int v) { return v; })), five);
          }
        },
        {.workers = workers});
  }
}

TEST(MisuseOfPipeline, AWindowThatNoMemoryCouldHoldPanics) {
  tenon::run([](const context& ctx) {
    pipeline p(ctx);
    const auto in = p.generate(five);
    EXPECT_PANIC((void)p.transform({.workers = 2, .window = SIZE_MAX}, in, [](int v) { return v; }),
                 "tenon: pipeline: window out of range");
    EXPECT_EQ(all_of(p, in), five) << "the input is as it was";
  });
}

TEST(MisuseOfPipeline, ANullFunctionIsItsFailure) {
  tenon::run([](const context& ctx) {
    {
      pipeline p(ctx);
      p.for_each(p.generate<int>(std::function<void(tenon::emitter<int>&)>()), [](int) {});
      EXPECT_EQ(p.wait().message(), no_function);
    }
    {
      pipeline p(ctx);
      p.for_each(p.transform(p.generate(five), std::function<int(int)>()), [](int) {});
      EXPECT_EQ(p.wait().message(), no_function);
    }
  });
}

// ---- rate_limiter -------------------------------------------------------------------------------------------------

TEST(MisuseOfRateLimiter, ARateThatIsNoNumberIsZero) {
  for (const double odd : {std::nan(""), -1.0, -HUGE_VAL}) {
    tenon::rate_limiter limit(tenon::rate(odd), 1);
    EXPECT_TRUE(limit.allow()) << "the burst";
    EXPECT_FALSE(limit.allow());
    EXPECT_FALSE(limit.reserve().ok());
    EXPECT_EQ(limit.tokens(), 0);
    EXPECT_EQ(limit.wait(background()).message(), "rate: Wait(n=1) would exceed context deadline");
  }
}

TEST(MisuseOfRateLimiter, ANegativeNumberGivesBackAtMostABurst) {
  const tenon::time_point now{};
  tenon::rate_limiter limit(tenon::rate(1), 2);
  EXPECT_TRUE(limit.allow_at(now, 2));
  EXPECT_TRUE(limit.allow_at(now, -100));
  EXPECT_EQ(limit.tokens_at(now), 2);
}

TEST(MisuseOfRateLimiter, AClockMayBeAnywhere) {
  constexpr auto first = tenon::time_point::min();
  constexpr auto last = tenon::time_point::max();
  tenon::rate_limiter limit(tenon::rate(1), 1);
  EXPECT_TRUE(limit.allow_at(first));
  auto at_first = limit.reserve_at(first);
  EXPECT_EQ(at_first.delay_from(last), 0s);
  EXPECT_EQ(at_first.delay_from(first), 1s);
  at_first.cancel_at(first);
  EXPECT_TRUE(limit.allow_at(last));
  auto at_last = limit.reserve_at(last);
  EXPECT_EQ(at_last.delay_from(first), std::chrono::nanoseconds::max());
  at_last.cancel_at(first);
}

TEST(MisuseOfRateLimiter, ANegativeBurstLetsNothingThrough) {
  tenon::rate_limiter limit(tenon::rate(1), -1);
  EXPECT_FALSE(limit.allow());
  EXPECT_FALSE(limit.allow(0));
  EXPECT_EQ(limit.wait(background()).message(), "rate: Wait(n=1) exceeds limiter's burst -1");
}

TEST(MisuseOfRateLimiter, AReservationOfNobodyNeverComes) {
  tenon::rate_limiter::reservation none;
  EXPECT_FALSE(none.ok());
  EXPECT_EQ(none.delay(), std::chrono::nanoseconds::max());
  none.cancel();
}

// ---- pool ---------------------------------------------------------------------------------------------------------

TEST(MisuseOfPool, ABoundOfZeroKeepsNothingAndNoBoundKeepsAll) {
  tenon::pool<int> none(0);
  none.put(std::make_unique<int>(1));
  EXPECT_EQ(none.idle(), 0U);
  tenon::pool<int> all(SIZE_MAX);
  for (int i = 0; i < 100; ++i) all.put(std::make_unique<int>(i));
  EXPECT_EQ(all.idle(), 100U);
}

TEST(MisuseOfPool, WhatIsNullStaysOutAndMayComeOut) {
  tenon::pool<int> p([] { return std::unique_ptr<int>(); });
  p.put(nullptr);
  EXPECT_EQ(p.idle(), 0U);
  EXPECT_EQ(p.get(), nullptr);
  EXPECT_EQ(p.borrow(), nullptr);
  tenon::pool<int> without_a_function{std::function<std::unique_ptr<int>()>()};
  EXPECT_THROW((void)without_a_function.get(), std::bad_function_call);
}

// ---- null functions that are called on the spot -------------------------------------------------------------------

TEST(MisuseOfFunctions, ANullOneThrowsWhereItIsCalled) {
  tenon::once first;
  EXPECT_THROW(first.call(std::function<void()>()), std::bad_function_call);
  EXPECT_TRUE(first.done());
  const auto func = tenon::once_func(std::function<void()>());
  const auto value = tenon::once_value(std::function<int()>());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(func(), std::bad_function_call);
    EXPECT_THROW((void)value(), std::bad_function_call);
  }
  tenon::singleflight<int, int> flights;
  EXPECT_THROW((void)flights.call(1, std::function<int()>()), std::bad_function_call);
  EXPECT_EQ(flights.call(1, [] { return 2; }).value, 2) << "the key is free";
  tenon::guarded<int> data;
  EXPECT_THROW(data.with(std::function<void(int&)>()), std::bad_function_call);
  EXPECT_EQ(data.snapshot(), 0) << "the lock is free";
  tenon::concurrent_map<int, int> map;
  map.store(1, 1);
  EXPECT_THROW(map.range(std::function<void(int, int)>()), std::bad_function_call);
  EXPECT_EQ(map.load(1), 1) << "the lock is free";
}

TEST(MisuseOfFunctions, ANullHookRestoresTheDefault) {
  const tenon::unhandled_hook before = tenon::set_unhandled_hook(nullptr);
  EXPECT_EQ(tenon::set_unhandled_hook(before), before) << "none was installed";
}

// ---- handles that were moved from ---------------------------------------------------------------------------------

TEST(MisuseOfMovedHandles, AChannelsIsTheNilChannel) {
  auto c = tenon::make_chan<int>(1);
  const auto taken = std::move(c);
  EXPECT_FALSE(c);              // NOLINT: that is what is tested, here and below
  EXPECT_FALSE(c.try_send(1));  // NOLINT
  EXPECT_EQ(c.cap(), 0U);       // NOLINT
  EXPECT_PANIC(c.close(), "close of nil channel");
  auto in = tenon::recv(taken);
  auto out = tenon::send(taken, 1);
  const auto in_taken = std::move(in);
  const auto out_taken = std::move(out);
  EXPECT_EQ(tenon::select(in, out, tenon::otherwise), 2U) << "cases that were moved from never fire";  // NOLINT
  EXPECT_PANIC((void)out.take(),                                                                       // NOLINT
               "tenon: select: a send case has no value: give it the next one by set() after it has fired");
}

TEST(MisuseOfMovedHandles, ASendersIsEmpty) {
  tenon::sender<int> tx(tenon::make_chan<int>(1));
  const auto taken = std::move(tx);
  EXPECT_FALSE(tx);              // NOLINT
  EXPECT_FALSE(tx.clone());      // NOLINT
  EXPECT_FALSE(tx.try_send(1));  // NOLINT
  tx.release();                  // NOLINT
  EXPECT_FALSE(tenon::sender<int>(tenon::chan<int>())) << "nor can one be had of the nil channel";
}

TEST(MisuseOfMovedHandles, AScopesCancelsNothing) {
  auto scope = tenon::with_cancel(background());
  const auto taken = std::move(scope);
  scope.cancel();             // NOLINT
  EXPECT_FALSE(scope.ctx());  // NOLINT
  EXPECT_FALSE(taken.ctx().err());
  auto watch = tenon::with_signals(background(), {SIGUSR1});
  const auto watching = std::move(watch);
  watch.cancel();             // NOLINT
  EXPECT_FALSE(watch.ctx());  // NOLINT
  EXPECT_FALSE(watching.ctx().err());
  EXPECT_FALSE(tenon::after_func_handle().stop());
}

TEST(MisuseOfMovedHandles, ATimersIsUninitialised) {
  tenon::timer t(1h);
  const tenon::timer taken(std::move(t));
  EXPECT_FALSE(t.c());                                                           // NOLINT
  EXPECT_PANIC((void)t.stop(), "time: Stop called on uninitialized Timer");      // NOLINT
  EXPECT_PANIC((void)t.reset(1h), "time: Reset called on uninitialized Timer");  // NOLINT
  tenon::ticker tick(1h);
  const tenon::ticker ticking(std::move(tick));
  tick.stop();                                                                 // NOLINT
  EXPECT_PANIC(tick.reset(1h), "time: Reset called on uninitialized Ticker");  // NOLINT
}

TEST(MisuseOfMovedHandles, AGoroutinesOwnsNothing) {
  tenon::run([] {
    auto g = tenon::go([] { return 1; });
    auto taken = std::move(g);
    g.cancel();             // NOLINT
    EXPECT_EQ(g.id(), 0U);  // NOLINT
    EXPECT_EQ(taken.join(), 1);
    for (auto* none : {&g, &taken}) {
      EXPECT_PANIC((void)none->join(), "tenon: join of a goroutine handle that owns nothing");
      EXPECT_PANIC(none->wait(), "tenon: join of a goroutine handle that owns nothing");
      EXPECT_PANIC((void)none->wait(background()), "tenon: join of a goroutine handle that owns nothing");
    }
  });
}

TEST(MisuseOfMovedHandles, APermitsHoldsNothingAndAnErrorsIsNone) {
  tenon::semaphore s(1);
  auto held = s.hold();
  const auto taken = std::move(held);
  EXPECT_FALSE(held);  // NOLINT
  EXPECT_TRUE(taken);
  error e("why");
  const error why = std::move(e);
  EXPECT_EQ(e.message(), "<nil>");  // NOLINT
  EXPECT_PANIC(error().rethrow(), "tenon: rethrow of no error");
}

// ---- context, signals ---------------------------------------------------------------------------------------------

TEST(MisuseOfContext, TheNilContextAnswersAndIsNoParent) {
  const context nil{std::shared_ptr<const tenon::custom_context>()};
  EXPECT_FALSE(nil);
  EXPECT_FALSE(nil.err());
  EXPECT_FALSE(nil.done());
  EXPECT_FALSE(nil.is_canceled());
  EXPECT_FALSE(nil.deadline());
  EXPECT_FALSE(nil.stop_token().stop_possible());
  EXPECT_FALSE(tenon::cause(nil));
  EXPECT_EQ(tenon::to_string(nil), "<nil>");
  static constexpr tenon::context_key<int> key{"key"};
  EXPECT_EQ(nil.value(key), nullptr);
  EXPECT_PANIC((void)tenon::with_value(nil, key, 1), nil_parent);
  EXPECT_PANIC((void)tenon::with_stop_token(nil, {}), nil_parent);
  EXPECT_PANIC((void)tenon::after_func(nil, [] {}), nil_parent);
  EXPECT_PANIC((void)tenon::with_signals(nil, {SIGUSR1}), nil_parent);
}

TEST(MisuseOfContext, ATokenWithoutAStateNeverStops) {
  const auto scope = tenon::with_stop_token(background(), std::stop_token());
  EXPECT_FALSE(scope.ctx().err());
}

TEST(MisuseOfContext, TheBeginningOfTimeHasPassed) {
  const auto deadline = tenon::with_deadline(background(), tenon::time_point::min());
  EXPECT_EQ(deadline.ctx().err(), tenon::deadline_exceeded());
  const auto timeout = tenon::with_timeout(background(), std::chrono::nanoseconds::min());
  EXPECT_EQ(timeout.ctx().err(), tenon::deadline_exceeded());
  tenon::sleep_until(tenon::time_point::min());
}

TEST(MisuseOfSignals, WhatIsNoSignalIsRefusedByItsNumber) {
  for (const int s : {0, -1, 65, INT_MAX, INT_MIN, SIGKILL, SIGSTOP}) {
    try {
      (void)tenon::with_signals(background(), {SIGUSR2, s});
      ADD_FAILURE() << s;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::invalid_argument);
      EXPECT_NE(std::string(e.what()).find("with_signals: signal " + std::to_string(s)), std::string::npos) << e.what();
    }
  }
  struct sigaction now{};
  ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "what came before the bad one was given back";
}

TEST(MisuseOfSignals, NoneAndTheSameTwiceAreFine) {
  const auto none = tenon::with_signals(background(), {});
  EXPECT_FALSE(none.ctx().err());
  none.cancel();
  none.cancel();
  EXPECT_EQ(none.ctx().err(), tenon::canceled());
  tenon::with_signals(background(), {SIGUSR2, SIGUSR2}).cancel();
  struct sigaction now{};
  ASSERT_EQ(::sigaction(SIGUSR2, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

// ---- cond, run ----------------------------------------------------------------------------------------------------

TEST(MisuseOfCond, AGuardThatHoldsNothingThrowsAndLeavesNothingBehind) {
  tenon::mutex mu;
  tenon::cond changed;
  std::unique_lock hold(mu, std::defer_lock);
  EXPECT_THROW(changed.wait(hold), std::system_error);
  changed.signal();
}

TEST(MisuseOfRun, SizesOutOfAllBoundsAreBroughtIntoThem) {
  const auto one = [] { return tenon::go({.stack_size = SIZE_MAX}, [] { return 1; }).join(); };
  EXPECT_EQ(tenon::run(one, {.workers = 100'000}), 1);
  EXPECT_EQ(tenon::run(one, {.stack_size = SIZE_MAX}), 1);
  EXPECT_EQ(
      tenon::run(
          one,
          {.workers = 1, .max_threads = 0, .stack_size = 0, .idle_stack_bytes = 0, .grace = -1s, .report_after = -1s}),
      1);
  EXPECT_EQ(tenon::run([] { return tenon::go({.stack_size = 1}, [] { return 1; }).join(); }), 1);
}

TEST(MisuseOfRun, TooManyWorkersAreAsManyAsThereCanBe) {
  for (const unsigned workers : {4097U, UINT_MAX}) {
    unsigned n = 0;
    tenon::run([&] { n = tenon::worker_count(); }, {.workers = workers});
    EXPECT_EQ(n, 3072U) << workers;
  }
}

TEST(MisuseOfRun, ASeedThatIsNoNumberIsRefused) {
  for (const std::string value : {"banana", "-1", "1x", "", "99999999999999999999999"}) {
    const auto e = tenon_test::run_program("misuse", {"virtual_run"}, {{"TENON_SEED", value}});
    EXPECT_EQ(e.status, 2) << e.describe();
    EXPECT_EQ(e.err, "tenon: TENON_SEED=" + value + ": want a number\n");
    EXPECT_EQ(e.out, "") << e.describe();
  }
}

}  // namespace
