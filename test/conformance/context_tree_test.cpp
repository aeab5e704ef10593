// long: one Go test file, context/x_test.go, and its table of trees in one place
// The tree of contexts: what cancels what, deadlines and values.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;
using tenon_test::in_virtual_time;
using tenon_test::stopwatch;

// Whether `c` is canceled, asked by way of its channel.
bool is_over(const context& c) { return tenon::select(tenon::recv(c.done()), tenon::otherwise) == 0; }

// A canceled context says so in every way it has.
void expect_canceled(const context& c, const char* name) {
  EXPECT_TRUE(is_over(c)) << name;
  EXPECT_TRUE(c.is_canceled()) << name;
  EXPECT_EQ(c.err(), tenon::canceled()) << name << ": " << c.err().message();
  EXPECT_EQ(c.err().message(), "context canceled") << name;
  EXPECT_TRUE(c.err().is(tenon::errc::canceled)) << name;
}

void expect_alive(const context& c, const char* name) {
  EXPECT_FALSE(is_over(c)) << name;
  EXPECT_FALSE(c.is_canceled()) << name;
  EXPECT_FALSE(c.err()) << name << ": " << c.err().message();
}

bool starts_with(const std::string& s, const std::string& prefix) { return s.compare(0, prefix.size(), prefix) == 0; }

// Go: context/x_test.go TestBackground
TEST(Context, BackgroundIsNeverCanceled) {
  const context c = background();
  EXPECT_TRUE(c);
  EXPECT_FALSE(c.done());
  EXPECT_FALSE(c.deadline());
  expect_alive(c, "background");
  EXPECT_EQ(tenon::to_string(c), "context.Background");
}

// Go: context/x_test.go TestTODO
TEST(Context, TodoIsNeverCanceled) {
  const context c = tenon::todo();
  EXPECT_TRUE(c);
  EXPECT_FALSE(c.done());
  EXPECT_FALSE(c.deadline());
  expect_alive(c, "todo");
  EXPECT_EQ(tenon::to_string(c), "context.TODO");
  EXPECT_FALSE(c == background());
}

// Go: context/x_test.go TestWithCancel
TEST(Context, WithCancelEndsWhenCanceled) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c = scope.ctx();
  EXPECT_EQ(tenon::to_string(c), "context.Background.WithCancel");
  EXPECT_TRUE(c.done());
  expect_alive(c, "before");
  scope.cancel();
  expect_canceled(c, "after");
  scope.cancel();
  expect_canceled(c, "after the second cancel");
}

// Go: the difference to Go is that a cancel function has an owner
TEST(Context, TheHandleCancelsWhenItGoes) {
  context kept;
  {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    kept = c;
    expect_alive(kept, "inside");
  }
  expect_canceled(kept, "outside");
}

// Go: the difference to Go is that a cancel function has an owner
TEST(Context, AMovedHandleKeepsItAlive) {
  context kept;
  auto outer = [&] {
    auto scope = tenon::with_cancel(background());
    kept = scope.ctx();
    return tenon::cancel_scope(std::move(scope));
  }();
  expect_alive(kept, "while the handle lives elsewhere");
  tenon::cancel_scope further(std::move(outer));
  expect_alive(kept, "after another move");
  further.cancel();
  expect_canceled(kept, "after the cancel");
}

// Go: the difference to Go is that a cancel function has an owner
TEST(Context, AnEmptyHandleCancelsNothing) {
  auto moved_from = tenon::with_cancel_cause(background());
  const auto elsewhere = std::move(moved_from);
  moved_from.cancel();  // NOLINT: that is the test
  moved_from.cancel(tenon::error(std::string("why")));
  expect_alive(elsewhere.ctx(), "which has gone elsewhere");
}

// Go: context/x_test.go TestParentFinishesChild
TEST(Context, AParentEndsItsDescendants) {
  auto scope = tenon::with_cancel(background());
  const tenon::context parent = scope.ctx();
  auto child_scope = tenon::with_cancel(parent);
  const tenon::context cancel_child = child_scope.ctx();
  static constexpr tenon::context_key<std::string> key{"key"};
  const context value_child = tenon::with_value(parent, key, "value");
  auto stop_timer_scope = tenon::with_timeout(value_child, 1000h);
  const tenon::context timer_child = stop_timer_scope.ctx();
  for (const context& c : {parent, cancel_child, value_child, timer_child}) expect_alive(c, "before");

  scope.cancel();
  expect_canceled(parent, "parent");
  expect_canceled(cancel_child, "cancel_child");
  expect_canceled(value_child, "value_child");
  expect_canceled(timer_child, "timer_child");

  // Go: context/x_test.go TestParentFinishesChild: whoever comes late is canceled from the start
  expect_canceled(tenon::with_value(parent, key, "late"), "late value");
  auto stop_late_scope = tenon::with_cancel(parent);
  const tenon::context late = stop_late_scope.ctx();
  expect_canceled(late, "late cancel");
  auto stop_late_timer_scope = tenon::with_timeout(parent, 1000h);
  const tenon::context late_timer = stop_late_timer_scope.ctx();
  expect_canceled(late_timer, "late timer");
}

// Go: context/x_test.go TestChildFinishesFirst
TEST(Context, AChildThatEndsLeavesItsParentAlone) {
  auto scope = tenon::with_cancel(background());
  const tenon::context cancelable = scope.ctx();
  for (const context& parent : {background(), cancelable}) {
    auto scope = tenon::with_cancel(parent);
    const tenon::context child = scope.ctx();
    auto sibling_scope = tenon::with_cancel(parent);
    const tenon::context sibling = sibling_scope.ctx();
    expect_alive(child, "child before");
    scope.cancel();
    expect_canceled(child, "child");
    expect_alive(parent, "parent");
    expect_alive(sibling, "sibling");
  }
}

// Go: context/x_test.go TestDeadline
TEST(Context, ADeadlineEndsIt) {
  in_virtual_time([] {
    const stopwatch since;
    // Go: context/x_test.go TestDeadline: WithDeadline
    auto scope = tenon::with_deadline(background(), tenon::now() + 50ms);
    const tenon::context c = scope.ctx();
    EXPECT_EQ(tenon::to_string(c), "context.Background.WithDeadline([0.050000s])");
    tenon::sleep_for(49'999'999ns);
    expect_alive(c, "a nanosecond before");
    (void)c.done().recv();
    EXPECT_EQ(since(), 50ms);
    EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << c.err().message();
    EXPECT_EQ(c.err().message(), "context deadline exceeded");

    // Go: context/context.go WithDeadline: the nearer of two counts
    auto outer_scope = tenon::with_deadline(background(), tenon::now() + 1ms);
    const tenon::context outer = outer_scope.ctx();
    auto inner_scope = tenon::with_deadline(outer, tenon::now() + 1000h);
    const tenon::context inner = inner_scope.ctx();
    auto innermost_scope = tenon::with_deadline(inner, tenon::now() + 500us);
    (void)innermost_scope.ctx().done().recv();
    EXPECT_EQ(since(), 50'500us);
    expect_alive(inner, "whose child has ended");
    (void)inner.done().recv();
    EXPECT_EQ(since(), 51ms);
    EXPECT_EQ(inner.err(), tenon::deadline_exceeded()) << inner.err().message();
  });
}

// Go: context/x_test.go TestDeadline
TEST(Context, ADeadlineThatIsOverEndsItAtOnce) {
  const auto check = [] {
    // Go: context/x_test.go TestDeadline: in the past
    // Go: context/x_test.go TestDeadline: now
    const auto now = tenon::now();
    const std::pair<const char*, tenon::time_point> table[] = {
        {"past", now - 1ms}, {"now", now}, {"long past", tenon::time_point::min()}, {"zero", tenon::time_point()}};
    for (const auto& [name, when] : table) {
      auto scope = tenon::with_deadline(background(), when);
      const tenon::context c = scope.ctx();
      EXPECT_TRUE(is_over(c)) << name;
      EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << name << ": " << c.err().message();
      scope.cancel();
      EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << name << ": " << c.err().message();
    }
  };
  check();
  in_virtual_time(
      [&] {
        check();
        const auto scope = tenon::with_deadline(background(), tenon::now() + 1ns);
        expect_alive(scope.ctx(), "for another nanosecond");
      },
      1);
}

// Go: context/x_test.go TestTimeout: WithTimeout
TEST(Context, ATimeoutEndsIt) {
  in_virtual_time([] {
    const stopwatch since;
    auto scope = tenon::with_timeout(background(), 1500ms);
    const tenon::context c = scope.ctx();
    EXPECT_EQ(tenon::to_string(c), "context.Background.WithDeadline([1.500000s])");
    (void)c.done().recv();
    EXPECT_EQ(since(), 1500ms);
    EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << c.err().message();

    // Go: context/context.go propagateCancel: a child made after its parent's time has its error
    auto child_scope = tenon::with_cancel(c);
    const tenon::context child = child_scope.ctx();
    EXPECT_EQ(child.err(), tenon::deadline_exceeded()) << child.err().message();
  });
}

// Go: context/context.go WithTimeout: one of nothing, or less, has passed
TEST(Context, ATimeoutOfNothingEndsItAtOnce) {
  for (const std::chrono::nanoseconds d : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
    auto scope = tenon::with_timeout(background(), d);
    const tenon::context c = scope.ctx();
    EXPECT_TRUE(is_over(c)) << d.count();
    EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << c.err().message();
  }
}

// Go: context/context.go WithTimeout: one beyond the clock never comes
TEST(Context, ATimeoutBeyondTheClockNeverComes) {
  in_virtual_time([] {
    auto scope = tenon::with_timeout(background(), std::chrono::nanoseconds::max());
    const tenon::context c = scope.ctx();
    auto d_scope = tenon::with_deadline(background(), tenon::time_point::max());
    const tenon::context d = d_scope.ctx();
    tenon::sleep_for(100 * 365 * 24h);
    expect_alive(c, "timeout");
    expect_alive(d, "deadline");
  });
}

// Go: context/context.go: the contract of Deadline
TEST(Context, TheDeadlineCanBeAsked) {
  EXPECT_FALSE(background().deadline());
  const auto soon = tenon::now() + 1h;
  auto a_scope = tenon::with_deadline(background(), soon);
  const tenon::context a = a_scope.ctx();
  EXPECT_EQ(a.deadline(), soon);
  static constexpr tenon::context_key<int> key{"key"};
  EXPECT_EQ(tenon::with_value(a, key, 1).deadline(), soon);
  auto b_scope = tenon::with_cancel(a);
  const tenon::context b = b_scope.ctx();
  EXPECT_EQ(b.deadline(), soon);
  auto later_scope = tenon::with_deadline(a, soon + 1h);
  const tenon::context later = later_scope.ctx();
  EXPECT_EQ(later.deadline(), soon);
  auto earlier_scope = tenon::with_deadline(a, soon - 1min);
  const tenon::context earlier = earlier_scope.ctx();
  EXPECT_EQ(earlier.deadline(), soon - 1min);
  auto timed_scope = tenon::with_timeout(background(), 1h);
  ASSERT_TRUE(timed_scope.ctx().deadline());
  EXPECT_GE(*timed_scope.ctx().deadline(), soon);
  in_virtual_time(
      [] {
        const auto timed = tenon::with_timeout(background(), 1h);
        EXPECT_EQ(timed.ctx().deadline(), tenon::now() + 1h);
        const auto over = tenon::with_timeout(background(), -1h);
        EXPECT_EQ(over.ctx().deadline(), tenon::now());
      },
      1);
}

// Go: context/x_test.go TestCanceledTimeout
TEST(Context, ACanceledTimeoutIsCanceledNotLate) {
  in_virtual_time([] {
    auto outer_scope = tenon::with_timeout(background(), 200ms);
    const tenon::context outer = outer_scope.ctx();
    auto scope = tenon::with_timeout(outer, 1000h);
    const tenon::context c = scope.ctx();
    scope.cancel();
    expect_canceled(c, "at once");
    expect_alive(outer, "outer");
    tenon::sleep_for(199'999'999ns);
    outer_scope.cancel();
    expect_canceled(outer, "in the last moment");
    tenon::sleep_for(1h);
    expect_canceled(outer, "after its time, too");
    expect_canceled(c, "after its time, too");
  });
}

// Go: context/x_test.go TestValues
TEST(Context, ValuesAreFoundByKeyAndMayBeShadowed) {
  using text = std::optional<std::string>;
  static constexpr tenon::context_key<text> k1{"k1"};
  static constexpr tenon::context_key<text> k2{"k2"};
  // Go: context/x_test.go TestValues: keys that look alike are different keys
  static constexpr tenon::context_key<text> k3{"k1"};  // the name of another key, which is no matter
  const auto found = [](const context& c, const tenon::context_key<text>& k) -> std::string {
    const text* v = c.value(k);
    return v == nullptr ? "absent" : v->value_or("empty");
  };
  const auto all = [&](const context& c) { return found(c, k1) + " " + found(c, k2) + " " + found(c, k3); };

  // Go: context/x_test.go TestValues: a key that is not there has none
  EXPECT_EQ(all(background()), "absent absent absent");
  const context c1 = tenon::with_value(background(), k1, "c1k1");
  EXPECT_EQ(all(c1), "c1k1 absent absent");
  const context c2 = tenon::with_value(c1, k2, "c2k2");
  EXPECT_EQ(all(c2), "c1k1 c2k2 absent");
  const context c3 = tenon::with_value(c2, k3, "c3k3");
  EXPECT_EQ(all(c3), "c1k1 c2k2 c3k3");
  // Go: context/x_test.go TestValues: the nearest value of a key counts
  const context c4 = tenon::with_value(c3, k1, std::nullopt);
  EXPECT_EQ(all(c4), "empty c2k2 c3k3");
  const context c5 = tenon::with_value(c4, k1, "c5k1");
  EXPECT_EQ(all(c5), "c5k1 c2k2 c3k3");
  EXPECT_EQ(all(c4), "empty c2k2 c3k3") << "an ancestor has not changed";
  EXPECT_EQ(all(c1), "c1k1 absent absent") << "an ancestor has not changed";

  auto scope = tenon::with_cancel(c5);
  const tenon::context c6 = scope.ctx();
  EXPECT_EQ(all(c6), "c5k1 c2k2 c3k3");
  scope.cancel();
  EXPECT_EQ(all(c6), "c5k1 c2k2 c3k3") << "values stay when the context ends";

  const std::string printed = tenon::to_string(c2);
  EXPECT_TRUE(starts_with(printed, "context.Background.WithValue(k1")) << printed;
  EXPECT_NE(printed.find(").WithValue(k2"), std::string::npos) << printed;
}

// Go: context/context.go: the contract of WithValue
TEST(Context, AValueLivesAsLongAsItsContext) {
  static constexpr tenon::context_key<std::shared_ptr<int>> key{"key"};
  std::weak_ptr<int> watched;
  {
    context inner;
    {
      auto owned = std::make_shared<int>(7);
      watched = owned;
      inner = tenon::with_value(tenon::with_value(background(), key, owned), key, nullptr);
    }
    EXPECT_FALSE(watched.expired());
    EXPECT_EQ(*inner.value(key), nullptr);
  }
  EXPECT_TRUE(watched.expired());
}

// Go: context/x_test.go TestSimultaneousCancels
TEST(Context, ATreeCanceledFromAllSidesAtOnce) {
  const tenon_test::seed_in_use seed;
  for (const unsigned workers : {1U, 2U, 8U}) {
    tenon::run(
        [&](context) {
          std::vector<context> nodes;
          std::vector<tenon::cancel_scope> cancels;
          auto root_scope = tenon::with_cancel(background());
          const tenon::context root = root_scope.ctx();
          nodes.push_back(root);
          cancels.push_back(std::move(root_scope));
          for (std::size_t next = 0; nodes.size() < 101; ++next) {
            for (int i = 0; i < 4; ++i) {
              auto scope = tenon::with_cancel(nodes[next]);
              const tenon::context c = scope.ctx();
              nodes.push_back(c);
              cancels.push_back(std::move(scope));
            }
          }
          tenon_test::random_source random(seed.of(workers));
          std::shuffle(cancels.begin(), cancels.end(), random);
          std::shuffle(nodes.begin(), nodes.end(), random);
          tenon::wait_group wg;
          for (const auto& scope : cancels) wg.go([&scope] { scope.cancel(); });
          for (const context& c : nodes) (void)c.done().recv();
          wg.wait();
          for (const context& c : nodes) expect_canceled(c, "node");
        },
        {.workers = workers});
  }
}

// Go: context/x_test.go TestInterlockedCancels
TEST(Context, AChildMayCancelBecauseItsParentDid) {
  for (int i = 0; i < 100; ++i) {
    tenon::run([](context) {
      auto parent_scope = tenon::with_cancel(background());
      const tenon::context parent = parent_scope.ctx();
      auto child_scope = tenon::with_cancel(parent);
      const tenon::context child = child_scope.ctx();
      auto g = tenon::go([&] {
        (void)parent.done().recv();
        child_scope.cancel();
      });
      parent_scope.cancel();
      (void)child.done().recv();
      expect_canceled(child, "child");
      g.join();
    });
  }
}

class Layers {
 public:
  // At least 30 layers, and one of each kind.
  Layers(std::uint64_t seed, std::chrono::nanoseconds timeout) : random_(seed) {
    for (int i = 0; i < 30 || timers_ == 0 || cancels_.empty() || keys_.empty(); ++i) {
      switch (random_.below(3)) {
        case 0: {
          auto& key = keys_.emplace_back(std::make_unique<tenon::context_key<std::size_t>>("layer"));
          ctx_ = tenon::with_value(ctx_, *key, keys_.size());
          break;
        }
        case 1: {
          auto scope = tenon::with_cancel(ctx_);
          const tenon::context c = scope.ctx();
          ctx_ = c;
          cancels_.push_back(std::move(scope));
          break;
        }
        case 2: {
          auto scope = tenon::with_timeout(ctx_, timeout);
          const tenon::context c = scope.ctx();
          ctx_ = c;
          cancels_.push_back(std::move(scope));
          ++timers_;
          break;
        }
      }
    }
    EXPECT_TRUE(starts_with(tenon::to_string(ctx_), "context.Background.")) << tenon::to_string(ctx_);
  }

  void expect_values(const char* when) const {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::size_t* v = ctx_.value(*keys_[i]);
      ASSERT_NE(v, nullptr) << when;
      EXPECT_EQ(*v, i + 1) << when;
    }
  }
  [[nodiscard]] const context& ctx() const { return ctx_; }
  void cancel_some_layer() { cancels_[random_.below(cancels_.size())].cancel(); }

 private:
  tenon_test::random_source random_;
  std::vector<std::unique_ptr<tenon::context_key<std::size_t>>> keys_;
  std::vector<tenon::cancel_scope> cancels_;
  int timers_ = 0;
  context ctx_ = background();
};

// Go: context/x_test.go TestLayersCancel
TEST(Context, ManyLayersEndWithOneOfThem) {
  const tenon_test::seed_in_use seed;
  for (std::uint64_t i = 0; i < 20; ++i) {
    Layers layers(seed.of(i), 1000h);
    expect_alive(layers.ctx(), "before");
    layers.expect_values("before");
    layers.cancel_some_layer();
    expect_canceled(layers.ctx(), "after");
    layers.expect_values("after");
  }
}

// Go: context/x_test.go TestLayersTimeout
TEST(Context, ManyLayersEndByTime) {
  const tenon_test::seed_in_use seed;
  in_virtual_time([&](std::uint64_t i) {
    const stopwatch since;
    Layers layers(seed.of(i), 100ms);
    layers.expect_values("before");
    (void)layers.ctx().done().recv();
    EXPECT_EQ(since(), 100ms);
    EXPECT_EQ(layers.ctx().err(), tenon::deadline_exceeded()) << layers.ctx().err().message();
    layers.expect_values("after");
  });
}

// Go: context/x_test.go TestWithCancelCanceledParent
TEST(Context, AChildOfACanceledParentIsCanceledFromTheStart) {
  auto parent_scope = tenon::with_cancel_cause(background());
  const tenon::context parent = parent_scope.ctx();
  const tenon::error why(std::string("because!"));
  parent_scope.cancel(why);
  auto scope = tenon::with_cancel(parent);
  const tenon::context c = scope.ctx();
  expect_canceled(c, "child");
  EXPECT_EQ(tenon::cause(c), why);
}

// Go: context/x_test.go TestWithCancelSimultaneouslyCanceledParent
TEST(Context, AChildMadeWhileItsParentIsCanceledIsCanceled) {
  const std::size_t times = tenon_test::scaled(1000, 50);
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&](context) {
          for (std::size_t i = 0; i < times; ++i) {
            auto parent_scope = tenon::with_cancel_cause(background());
            const tenon::context parent = parent_scope.ctx();
            const tenon::error why(std::string("because!"));
            auto g = tenon::go([&] { parent_scope.cancel(why); });
            auto scope = tenon::with_cancel(parent);
            const tenon::context c = scope.ctx();
            (void)c.done().recv();
            EXPECT_EQ(c.err(), tenon::canceled());
            EXPECT_EQ(tenon::cause(c), why);
            g.join();
          }
        },
        {.workers = workers});
  }
}

// Go: context/x_test.go TestInvalidDerivedFail
TEST(Context, NothingIsDerivedFromTheNilContext) {
  static constexpr tenon::context_key<int> key{"key"};
  const auto soon = tenon::now() + 1ms;
  const char* text = "cannot create context from nil parent";
  // Go: context/x_test.go TestInvalidDerivedFail: WithCancel
  EXPECT_PANIC(auto c = tenon::with_cancel(nullptr), text);
  // Go: context/context.go: no nil parent for WithCancelCause
  EXPECT_PANIC(auto c = tenon::with_cancel_cause(context()), text);
  // Go: context/x_test.go TestInvalidDerivedFail: WithDeadline
  EXPECT_PANIC(auto c = tenon::with_deadline(nullptr, soon), text);
  // Go: context/context.go: no nil parent for WithTimeout
  EXPECT_PANIC(auto c = tenon::with_timeout(nullptr, 1ms), text);
  // Go: context/x_test.go TestInvalidDerivedFail: WithValue
  EXPECT_PANIC(auto c = tenon::with_value(nullptr, key, 1), text);
  // Go: context/context.go: no nil parent for WithoutCancel
  EXPECT_PANIC(auto c = tenon::without_cancel(nullptr), text);
  EXPECT_PANIC(auto c = tenon::with_stop_token(nullptr, std::stop_token()), text);
}

// Go: the nil context, which Go's own functions crash on
TEST(Context, TheNilContextNeverCancelsABlockingCall) {
  const context nil;
  EXPECT_FALSE(nil);
  in_virtual_time([&] {
    const auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] {
      for (int i = 0; i < 3; ++i) c.send(i);
    });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(c.recv(nil), i);
    g.join();
    tenon::mutex mu;
    if (mu.lock(nil)) {
      mu.unlock();
    } else {
      ADD_FAILURE() << "the nil context was canceled";
    }
    EXPECT_TRUE(tenon::sleep_for(nil, 1h));
    tenon::wait_group wg;
    EXPECT_TRUE(wg.wait(nil));
  });
}

// Go: context/x_test.go TestDeadlineExceededSupportsTimeout
TEST(Context, ADeadlineThatPassedIsATimeout) {
  EXPECT_TRUE(tenon::deadline_exceeded().is(std::errc::timed_out));
  EXPECT_TRUE(std::error_code(tenon::errc::deadline_exceeded) == std::errc::timed_out);
  EXPECT_FALSE(tenon::canceled().is(std::errc::timed_out));
}

// Go: context/x_test.go TestWithoutCancel
TEST(Context, WithoutCancelKeepsOnlyTheValues) {
  static constexpr tenon::context_key<std::string> key{"key"};
  auto scope = tenon::with_timeout(tenon::with_value(background(), key, "value"), 1h);
  const tenon::context parent = scope.ctx();
  const context c = tenon::without_cancel(parent);
  // Go: context/x_test.go TestWithoutCancel: it has neither deadline nor channel nor error
  EXPECT_FALSE(c.deadline());
  EXPECT_FALSE(c.done());
  EXPECT_FALSE(c.err());
  ASSERT_NE(c.value(key), nullptr);
  // Go: context/x_test.go TestWithoutCancel: it has the values
  EXPECT_EQ(*c.value(key), "value");
  EXPECT_TRUE(starts_with(tenon::to_string(tenon::without_cancel(background())), "context.Background.WithoutCancel"));
  scope.cancel();
  // Go: context/context.go WithoutCancel: its parent's cancel does not reach it
  expect_alive(c, "its parent is canceled");
  auto child_scope = tenon::with_cancel(c);
  const tenon::context child = child_scope.ctx();
  expect_alive(child, "its grandparent is canceled");
  EXPECT_EQ(*child.value(key), "value");
  child_scope.cancel();
  expect_canceled(child, "itself");
}

// Go: context/x_test.go TestContextErrDoneRace
TEST(Context, WhoeverSeesTheErrorFindsTheChannelClosed) {
  const std::size_t times = tenon_test::scaled(500, 50);
  tenon::run(
      [&](context) {
        for (std::size_t i = 0; i < times; ++i) {
          auto scope = tenon::with_cancel(background());
          const tenon::context c = scope.ctx();
          const auto done = c.done();
          auto g = tenon::go([&scope] { scope.cancel(); });
          while (!c.err()) tenon::yield();
          EXPECT_EQ(tenon::select(tenon::recv(done), tenon::otherwise), 0U);
          g.join();
        }
      },
      {.workers = 2});
}

// Go: context/context.go: Done is the same channel at each call
TEST(Context, TheDoneChannelIsAlwaysTheSame) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c = scope.ctx();
  const auto before = c.done();
  EXPECT_EQ(before, c.done());
  scope.cancel();
  EXPECT_EQ(before, c.done());
  auto child_scope = tenon::with_cancel(background());
  const tenon::context child = child_scope.ctx();
  EXPECT_FALSE(before == child.done());
}

// Go: context/context.go, the contract of Done
TEST(Context, ACanceledContextBeatsAReadyChannelInTheContextForms) {
  tenon::run([](context) {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    scope.cancel();
    const auto full = tenon::make_chan<int>(1);
    full.send(1);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(full.recv(c));
    EXPECT_EQ(full.len(), 1U);
    const auto empty = tenon::make_chan<int>(1);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(empty.send(c, 1));
    EXPECT_EQ(empty.len(), 0U);
  });
}

class ContextBy : public testing::TestWithParam<tenon_test::callers> {};

// Go: context/context.go: a cancel wakes whoever waits for Done
TEST_P(ContextBy, ACancelWakesWhoeverWaits) {
  tenon_test::as(GetParam(), [] {
    auto scope = tenon::with_cancel(background());
    const tenon::context c = scope.ctx();
    const auto never = tenon::make_chan<int>();
    const auto never_either = tenon::make_chan<int>();  // or the send would meet the receive
    tenon::mutex held;
    held.lock();
    std::atomic<int> woken{0};
    const auto woke = [&](bool well) {
      EXPECT_TRUE(well);
      ++woken;
    };
    std::vector<std::function<void()>> waits = {
        [&] { woke(!never.recv(c)); },   [&] { woke(!never_either.send(c, 1)); },
        [&] { woke(!held.lock(c)); },    [&] { woke(!tenon::sleep_for(c, 1000h)); },
        [&] { woke(!c.done().recv()); }, [&] { woke(tenon::select(tenon::recv(never), tenon::recv(c.done())) == 1); },
    };
    std::vector<tenon_test::companion> all;
    for (auto& f : waits) all.push_back(tenon_test::start(GetParam(), f));
    tenon_test::settle();
    EXPECT_EQ(woken.load(), 0);
    scope.cancel();
    for (auto& a : all) a.join();
    EXPECT_EQ(woken.load(), static_cast<int>(waits.size()));
    held.unlock();
  });
}

// Go: context/x_test.go TestTimeout
TEST_P(ContextBy, ADeadlineWakesWhoeverWaits) {
  tenon_test::as(GetParam(), [] {
    const auto start = std::chrono::steady_clock::now();
    auto scope = tenon::with_timeout(background(), 20ms);
    const tenon::context c = scope.ctx();
    const auto never = tenon::make_chan<int>();
    std::vector<tenon_test::companion> all;
    for (int i = 0; i < 4; ++i) all.push_back(tenon_test::start(GetParam(), [&] { EXPECT_FALSE(never.recv(c)); }));
    EXPECT_FALSE(never.recv(c));
    EXPECT_EQ(c.err(), tenon::deadline_exceeded()) << c.err().message();
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
    for (auto& a : all) a.join();
  });
}

// Go: context/x_test.go TestTimeout
TEST(Context, ADeadlineWakesWhoeverWaitsAtItsTime) {
  in_virtual_time([](tenon::group& g) {
    const stopwatch since;
    const auto scope = tenon::with_timeout(background(), 20ms);
    const tenon::context& c = scope.ctx();
    const auto never = tenon::make_chan<int>();
    const auto never_either = tenon::make_chan<int>();  // or the send would meet the receive
    tenon::mutex held;
    held.lock();
    tenon::semaphore taken(1);
    taken.acquire();
    tenon::wait_group busy;
    busy.add(1);
    std::atomic<int> woken = 0;
    const auto wait = [&](auto ends_well) {
      g.go([&, ends_well] {
        EXPECT_TRUE(ends_well());
        EXPECT_EQ(since(), 20ms);
        EXPECT_EQ(c.err(), tenon::deadline_exceeded());
        ++woken;
      });
    };
    wait([&] { return !never.recv(c); });
    wait([&] { return !never_either.send(c, 1); });
    wait([&] { return !tenon::chan<int>().recv(c); });
    wait([&] { return !tenon::sleep_for(c, 1000h); });
    wait([&] { return !c.done().recv(); });
    wait([&] { return tenon::select(tenon::recv(never), tenon::recv(c.done())) == 1; });
    wait([&] { return !taken.acquire(c); });
    wait([&] { return !busy.wait(c); });
    wait([&]() TENON_TSA(no_thread_safety_analysis) { return !held.lock(c); });
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(woken, 9);
    held.unlock();
    taken.release();
    busy.done();
  });
}

// Go: context/x_test.go TestContextErrDoneRace
TEST(Context, AnErrorMeansThatTheChannelIsClosed) {
  const std::size_t times = tenon_test::scaled(200, 20);
  tenon::run(
      [&](context) {
        for (std::size_t i = 0; i < times; ++i) {
          const auto scope = tenon::with_cancel(background());
          const tenon::recv_chan<void> done = scope.ctx().done();
          auto g = tenon::go([&] { scope.cancel(); });
          while (!scope.ctx().err()) tenon::yield();
          EXPECT_EQ(tenon::select(tenon::recv(done), tenon::otherwise), 0U);
          g.join();
        }
      },
      {.workers = 2});
}

// Go: context/x_test.go TestSimultaneousCancels
TEST_P(ContextBy, EverybodyCancelsTheSameContext) {
  const std::size_t times = tenon_test::scaled(100, 10);
  tenon_test::as(GetParam(), [&] {
    for (std::size_t i = 0; i < times; ++i) {
      auto parent_scope = tenon::with_cancel(background());
      const tenon::context parent = parent_scope.ctx();
      auto scope = tenon::with_cancel(parent);
      const tenon::context c = scope.ctx();
      std::vector<tenon_test::companion> all;
      for (int j = 0; j < 4; ++j) {
        all.push_back(tenon_test::start(GetParam(), [&, j] { (j % 2 == 0 ? parent_scope : scope).cancel(); }));
      }
      (void)c.done().recv();
      expect_canceled(c, "child");
      for (auto& a : all) a.join();
      expect_canceled(parent, "parent");
    }
  });
}

INSTANTIATE_TEST_SUITE_P(By, ContextBy, tenon_test::every_caller, tenon_test::caller_name);

}  // namespace
