// Contexts: chains deeper than a stack, functions of the user that drop what runs them, and who waits for whom in a cancellation.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "core/chan.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::cancel_scope;
using tenon::context;
using tenon::group;

constexpr tenon::context_key<int> number{"number"};
constexpr tenon::context_key<int> other{"other"};

// ---------------------------------------------------------------- depth

TEST(ContextDepth, AMillionNestedValuesAnswerOnAGoroutinesStack) {
  const std::size_t depth = tenon_test::scaled(1'000'000, 100'000);
  tenon::run([depth](const context&) {
    auto scope = tenon::with_timeout(background(), 1h);
    context c = tenon::with_value(scope.ctx(), other, 42);
    for (std::size_t i = 0; i < depth; ++i) c = tenon::with_value(c, number, static_cast<int>(i));
    EXPECT_FALSE(c.err());
    EXPECT_FALSE(c.is_canceled());
    EXPECT_FALSE(tenon::cause(c));
    EXPECT_EQ(c.deadline(), scope.ctx().deadline());
    EXPECT_TRUE(c.done() == scope.ctx().done());
    EXPECT_EQ(*c.value(number), static_cast<int>(depth) - 1);
    EXPECT_EQ(*c.value(other), 42);
    EXPECT_TRUE(tenon::to_string(c).ends_with(".WithValue(number).WithValue(number)"));
    EXPECT_FALSE(c.stop_token().stop_requested());
    {
      auto child = tenon::with_cancel(c);
      EXPECT_FALSE(child.ctx().err());
      scope.cancel();
      EXPECT_EQ(child.ctx().err(), tenon::canceled());
    }
    EXPECT_EQ(c.err(), tenon::canceled());
    EXPECT_TRUE(c.is_canceled());
    EXPECT_EQ(tenon::cause(c), tenon::canceled());
    EXPECT_TRUE(c.stop_token().stop_requested());
    c = nullptr;  // and they go one after the other
  });
}

TEST(ContextDepth, EveryKindOfContextNestsWithoutEnd) {
  const std::size_t depth = tenon_test::scaled(100'000, 20'000);
  tenon::run([depth](const context&) {
    auto top = tenon::with_cancel_cause(background());
    std::vector<cancel_scope> scopes;
    std::stop_source stop;
    context c = top.ctx();
    for (std::size_t i = 0; i < depth; ++i) {
      scopes.push_back(i % 3 == 0   ? tenon::with_cancel(c)
                       : i % 3 == 1 ? tenon::with_stop_token(c, stop.get_token())
                                    : tenon::with_timeout(c, 1h));
      c = scopes.back().ctx();
      if (i % 1000 == 999) c = tenon::with_value(c, number, 1);
    }
    EXPECT_TRUE(c.deadline());
    EXPECT_EQ(c.value(other), nullptr);
    EXPECT_FALSE(c.err());
    const context detached = [&c, depth] {
      context d = c;
      for (std::size_t i = 0; i < depth; ++i) d = tenon::without_cancel(d);
      return d;
    }();
    EXPECT_EQ(*detached.value(number), 1);
    EXPECT_FALSE(detached.deadline());
    EXPECT_TRUE(tenon::to_string(detached).ends_with(".WithoutCancel.WithoutCancel"));
    top.cancel(tenon::error("enough"));
    EXPECT_EQ(c.err(), tenon::canceled());
    EXPECT_EQ(tenon::cause(c).message(), "enough");
    EXPECT_FALSE(detached.err());
    while (!scopes.empty()) scopes.pop_back();
    c = nullptr;
  });
}

// Hands everything on to the context below.
struct wrapper : tenon::custom_context {
  context inner;
  explicit wrapper(context c) : inner(std::move(c)) {}
  [[nodiscard]] std::optional<tenon::time_point> deadline() const override { return inner.deadline(); }
  [[nodiscard]] tenon::recv_chan<void> done() const override { return inner.done(); }
  [[nodiscard]] tenon::error err() const override { return inner.err(); }
  [[nodiscard]] const void* value(const void* key) const override { return inner.find(key); }
};

TEST(ContextDepth, WrappersThatHandOnTheChannelAreFollowedWithoutNesting) {
  tenon::run([](const context&) {
    auto top = tenon::with_cancel_cause(background());
    std::vector<context> wrappers{top.ctx()};
    for (int i = 0; i < 10'000; ++i) wrappers.emplace_back(std::make_shared<wrapper>(wrappers.back()));
    const context& c = wrappers.back();
    auto child = tenon::with_cancel(c);
    EXPECT_FALSE(c.is_canceled());
    EXPECT_FALSE(c.stop_token().stop_requested());
    EXPECT_TRUE(c.done() == top.ctx().done());
    top.cancel(tenon::error("enough"));
    EXPECT_TRUE(c.is_canceled());
    EXPECT_EQ(tenon::cause(c).message(), "enough");
    EXPECT_EQ(tenon::cause(child.ctx()).message(), "enough");
    child = tenon::with_cancel(background());
    // From the outermost: their destructors are the user's, and would nest.
    while (!wrappers.empty()) wrappers.pop_back();
  });
}

// ---------------------------------------------------------------- lifetime: AddressSanitizer sees what these are about

/// What a function of the user drops while it is called.
struct dropped {
  std::unique_ptr<cancel_scope> scope;
  bool called = false;
  auto by_callback() {
    return [this] {
      called = true;
      scope.reset();
    };
  }
};

TEST(ContextLifetime, AStopCallbackDropsTheScopeMadeOfTheTokenThatRunsIt) {
  std::stop_source source;
  dropped d{std::make_unique<cancel_scope>(tenon::with_stop_token(background(), source.get_token()))};
  const std::stop_callback drop(d.scope->ctx().stop_token(), d.by_callback());
  source.request_stop();
  EXPECT_TRUE(d.called);
}

TEST(ContextLifetime, AStopCallbackDropsTheScopeThatIsBeingCanceled) {
  dropped d{std::make_unique<cancel_scope>(tenon::with_cancel(background()))};
  const std::stop_callback drop(d.scope->ctx().stop_token(), d.by_callback());
  d.scope->cancel();
  EXPECT_TRUE(d.called);
}

TEST(ContextLifetime, AStopCallbackDropsTheScopeBelowTheOneThatIsBeingCanceled) {
  auto parent = std::make_unique<cancel_scope>(tenon::with_cancel(background()));
  dropped d{std::make_unique<cancel_scope>(tenon::with_timeout(parent->ctx(), 1h))};
  const std::stop_callback drop(d.scope->ctx().stop_token(), [&] {
    parent.reset();
    d.by_callback()();
  });
  parent->cancel();
  EXPECT_TRUE(d.called);
}

TEST(ContextLifetime, AStopCallbackOfTheParentDropsTheChildrenAndTheParent) {
  auto parent = std::make_unique<cancel_scope>(tenon::with_cancel(background()));
  std::vector<cancel_scope> children;
  for (int i = 0; i < 10; ++i) children.push_back(tenon::with_timeout(parent->ctx(), 1h));
  const std::stop_callback drop(children[5].ctx().stop_token(), [&] {
    children.clear();
    parent.reset();
  });
  parent->cancel();
  EXPECT_TRUE(children.empty());
}

TEST(ContextLifetime, AStopCallbackDropsTheScopeWhoseTimeHasCome) {
  std::atomic<bool> called{false};
  auto scope = std::make_unique<cancel_scope>(tenon::with_timeout(background(), 20ms));
  const std::stop_callback drop(scope->ctx().stop_token(), [&] {
    scope.reset();
    called = true;
  });
  EXPECT_TRUE(tenon_test::eventually([&] { return called.load(); }));
}

TEST(ContextLifetime, AStopCallbackDropsTheScopeOfSignals) {
  auto scope = std::make_unique<tenon::signal_scope>(tenon::with_signals(background(), {SIGUSR2}));
  const std::stop_callback drop(scope->ctx().stop_token(), [&] { scope.reset(); });
  scope->cancel();
  EXPECT_EQ(scope, nullptr);
}

TEST(ContextLifetime, AnAfterFuncDropsItsHandleAndTheScopeThatRunsIt) {
  auto scope = std::make_unique<cancel_scope>(tenon::with_cancel(background()));
  tenon::after_func_handle handle;
  handle = tenon::after_func(scope->ctx(), [&] {  // outside of a run: on the canceler's thread, in its call
    handle = {};
    scope.reset();
  });
  scope->cancel();
  EXPECT_EQ(scope, nullptr);
}

TEST(ContextLifetime, AStopCallbackDropsTheScopeThatFollowsACustomContext) {
  struct by_hand : tenon::custom_context {
    tenon::chan<void> closed = tenon::make_chan<void>();
    [[nodiscard]] tenon::recv_chan<void> done() const override { return closed; }
    [[nodiscard]] tenon::error err() const override { return tenon::canceled(); }
  };
  std::atomic<bool> called{false};
  auto custom = std::make_shared<by_hand>();
  auto scope = std::make_unique<cancel_scope>(tenon::with_cancel(context(custom)));
  const std::stop_callback drop(scope->ctx().stop_token(), [&] {
    scope.reset();
    called = true;
  });
  const tenon::chan<void> closed = std::exchange(custom, nullptr)->closed;
  closed.close();
  EXPECT_TRUE(tenon_test::eventually([&] { return called.load(); }));
}

TEST(ContextLifetime, AStopCallbackOfAGroupMayUseTheGroup) {
  tenon::run([](const context& ctx) {
    tenon::group g(ctx);
    bool called = false;
    const std::stop_callback use(g.ctx().stop_token(), [&] { called = !g.wait(); });
    EXPECT_FALSE(g.wait());
    EXPECT_TRUE(called);
  });
}

TEST(ContextLifetime, AWokenWaiterDropsTheScopeWhileItIsStillBeingCanceled) {
  auto scope = std::make_unique<cancel_scope>(tenon::with_timeout(background(), 1h));
  const cancel_scope* canceled = scope.get();
  const tenon::recv_chan<void> done = scope->ctx().done();
  std::atomic<bool> in_callback{false};
  std::atomic<bool> gone{false};
  const std::stop_callback hold_up(scope->ctx().stop_token(), [&] {
    in_callback = true;
    EXPECT_TRUE(tenon_test::eventually([&] { return gone.load(); }));
  });
  std::thread waiter([&] {
    (void)done.recv();
    EXPECT_TRUE(tenon_test::eventually([&] { return in_callback.load(); }));
    scope.reset();
    gone = true;
  });
  canceled->cancel();
  waiter.join();
}

// ---------------------------------------------------------------- who waits for whom

/// The first waiter of a channel: keeps the thread that closes it until `released`.
struct slow_waker : tenon::detail::callback_parker {
  tenon::detail::waiter self;
  std::atomic<bool> reached{false};
  std::atomic<bool> released{false};

  slow_waker() noexcept
      : callback_parker([](callback_parker* p) noexcept {
          auto* w = static_cast<slow_waker*>(p);
          w->reached = true;
          EXPECT_TRUE(tenon_test::eventually([w] { return w->released.load(); }));
        }) {
    self.who = this;
  }
  void wait_for(const tenon::recv_chan<void>& done) {
    tenon::detail::chan_core* c = tenon::detail::chan_access::core(done);
    const std::lock_guard hold(c->lock);
    push_back(c->receivers, &self);
  }
};

TEST(ContextCancel, ErrIsThereForAWokenWaiterWhileTheCancelerStillWakesOthers) {
  auto scope = tenon::with_cancel_cause(background());
  const context ctx = scope.ctx();
  slow_waker slow;
  slow.wait_for(ctx.done());
  std::thread canceler([&] { scope.cancel(tenon::error("enough")); });
  ASSERT_TRUE(tenon_test::eventually([&] { return slow.reached.load(); }));
  std::atomic<bool> answered{false};
  std::thread woken([&] {
    (void)ctx.done().recv();
    EXPECT_TRUE(ctx.is_canceled());
    EXPECT_EQ(ctx.err(), tenon::canceled());
    EXPECT_EQ(tenon::cause(ctx).message(), "enough");
    answered = true;
  });
  EXPECT_TRUE(tenon_test::eventually([&] { return answered.load(); }));
  slow.released = true;
  woken.join();
  canceler.join();
}

TEST(ContextCancel, AChildOfACustomContextGoesWithoutWaitingForTheOneThatClosesIt) {
  struct by_hand : tenon::custom_context {
    tenon::chan<void> closed = tenon::make_chan<void>();
    [[nodiscard]] tenon::recv_chan<void> done() const override { return closed; }
    [[nodiscard]] tenon::error err() const override { return tenon::canceled(); }
  };
  auto custom = std::make_shared<by_hand>();
  slow_waker slow;
  slow.wait_for(custom->closed);
  auto child = std::make_unique<cancel_scope>(tenon::with_cancel(context(custom)));
  std::thread closer([&] { custom->closed.close(); });
  ASSERT_TRUE(tenon_test::eventually([&] { return slow.reached.load(); }));
  std::atomic<bool> gone{false};
  std::thread owner([&] {
    child.reset();
    gone = true;
  });
  EXPECT_TRUE(tenon_test::eventually([&] { return gone.load(); }));
  slow.released = true;
  owner.join();
  closer.join();
}

TEST(ContextCancel, ASecondCancelerSleepsUntilTheFirstHasReachedTheDescendants) {
  auto scope = tenon::with_cancel(background());
  const auto child = tenon::with_cancel(scope.ctx());
  slow_waker slow;
  slow.wait_for(child.ctx().done());
  std::thread first([&] { scope.cancel(); });
  ASSERT_TRUE(tenon_test::eventually([&] { return slow.reached.load(); }));
  std::atomic<long> id{0};
  std::atomic<bool> returned{false};
  std::thread second([&] {
    id = tenon_test::os_thread_number();
    scope.cancel();
    returned = true;
  });
  ASSERT_TRUE(tenon_test::eventually([&] { return id != 0; }));
  if (!tenon_test::emulated()) {
    EXPECT_TRUE(tenon_test::eventually([&] { return tenon_test::state_of_thread(id) == 'S'; }));
  }
  EXPECT_FALSE(returned);
  slow.released = true;
  second.join();
  first.join();
  EXPECT_TRUE(returned);
}

// ---- values whose destructors wait -------------------------------------------------------------------------------

/// Ends the time of a value, and waits meanwhile.
struct session {
  std::atomic<int>* gone;
  ~session() {
    for (int i = 0; i < 3; ++i) tenon::sleep_for(20us);
    ++*gone;
  }
};
constexpr tenon::context_key<std::shared_ptr<session>> session_key{"session"};

context with_session(const context& parent, std::atomic<int>& gone) {
  return tenon::with_value(parent, session_key, std::make_shared<session>(&gone));
}

// A goroutine that has inherited it is the last to hold it, and ends under another worker than the one that it began to end under.
TEST(ContextValue, MayWaitAsItGoesWithTheLastGoroutineThatHasIt) {
  const int rounds = static_cast<int>(tenon_test::scaled(2000, 50));
  std::atomic<int> gone = 0;
  tenon::run(
      [&](group& root) {
        root.go_n(8, [&](const context& ctx, int) {
          for (int round = 0; round < rounds; ++round) {
            tenon::wait_group wg;
            tenon::go(with_session(ctx, gone), [&wg] { wg.go([] { tenon::sleep_for(50us); }); }).join();
            wg.wait();
          }
        });
      },
      {.workers = 4});
  EXPECT_EQ(gone, 8 * rounds);
}

/// Its scope goes when its time is over, by a stop callback; then nobody but the one who ends it has the context.
struct timed_session {
  std::optional<cancel_scope> scope;
  std::optional<std::stop_callback<std::function<void()>>> on_end;
  explicit timed_session(std::atomic<int>& gone) {
    scope.emplace(tenon::with_timeout(with_session(background(), gone), 1ms));
    on_end.emplace(scope->ctx().stop_token(), [this] { scope.reset(); });
  }
};

TEST(ContextValue, MayWaitAsItGoesWithADeadlineOfARun) {
  std::atomic<int> gone = 0;
  tenon::run(
      [&] {
        timed_session sessions[] = {timed_session(gone), timed_session(gone)};
        while (gone < 2) tenon::sleep_for(1ms);
      },
      {.workers = 1});
}

TEST(ContextValue, MayWaitAsItGoesWithADeadlineOutsideOfARun) {
  std::atomic<int> gone = 0;
  const timed_session s(gone);
  while (gone < 1) tenon::sleep_for(1ms);
}

// ---- a function of the user's on the monitor thread ----------------------------------------------------------------

TEST(StopCallback, OfADeadlineOutsideOfARunMayDumpWhileOthersDo) {
  tenon::run([] {});
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) (void)tenon::dump();
  });
  for (int i = 0; i < 50; ++i) {
    const auto scope = tenon::with_timeout(background(), 1ms);
    std::atomic<bool> dumped = false;
    const std::stop_callback on_stop(scope.ctx().stop_token(), [&] {
      (void)tenon::dump();
      dumped = true;
    });
    EXPECT_TRUE(tenon_test::eventually([&] { return dumped.load(); }));
  }
  over = true;
  other.join();
}

}  // namespace
