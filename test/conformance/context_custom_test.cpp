// Contexts of one's own making: what they end, and that following them costs no goroutine.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/memory.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::context;

// Passes everything on to another context.
class wrapper : public tenon::custom_context {
 public:
  explicit wrapper(context inner) : inner_(std::move(inner)) {}
  [[nodiscard]] std::optional<tenon::time_point> deadline() const override { return inner_.deadline(); }
  [[nodiscard]] tenon::recv_chan<void> done() const override { return inner_.done(); }
  [[nodiscard]] tenon::error err() const override { return inner_.err(); }
  [[nodiscard]] const void* value(const void* key) const override { return inner_.find(key); }

 private:
  context inner_;
};

context wrap(const context& inner) { return context(std::make_shared<wrapper>(inner)); }

// As a wrapper, with a done channel of its own.
class own_done : public wrapper {
 public:
  own_done(const context& inner, tenon::chan<void> done) : wrapper(inner), done_(std::move(done)) {}
  [[nodiscard]] tenon::recv_chan<void> done() const override { return done_; }

 private:
  tenon::chan<void> done_;
};

// Ended by hand, below nothing.
class by_hand : public tenon::custom_context {
 public:
  [[nodiscard]] tenon::recv_chan<void> done() const override { return done_; }
  [[nodiscard]] tenon::error err() const override {
    const std::lock_guard<tenon::mutex> hold(mu_);
    return err_;
  }
  void cancel(const tenon::error& why = tenon::canceled()) {
    {
      const std::lock_guard<tenon::mutex> hold(mu_);
      if (err_) return;
      err_ = why;
    }
    done_.close();
  }

 private:
  tenon::chan<void> done_ = tenon::make_chan<void>();
  mutable tenon::mutex mu_;
  tenon::error err_;
};

bool is_done(const context& c) { return tenon::select(tenon::recv(c.done()), tenon::otherwise) == 0; }

// Go: context/x_test.go TestWithCancel: a custom context around one, and a child of that
TEST(CustomContext, AWrapperIsTransparent) {
  auto scope = tenon::with_cancel(background());
  const tenon::context c1 = scope.ctx();
  const context o = wrap(c1);
  auto cancel2_scope = tenon::with_cancel(o);
  const tenon::context c2 = cancel2_scope.ctx();
  for (const context& c : {c1, o, c2}) {
    EXPECT_TRUE(c.done());
    EXPECT_FALSE(c.err());
    EXPECT_FALSE(c.is_canceled());
    EXPECT_FALSE(is_done(c));
  }
  scope.cancel();
  for (const context& c : {c1, o, c2}) {
    EXPECT_TRUE(is_done(c));
    EXPECT_TRUE(c.is_canceled());
    EXPECT_EQ(c.err(), tenon::canceled()) << c.err().message();
  }
}

// Go: context/x_test.go TestValues: through a custom context
TEST(CustomContext, ValuesAreFoundThroughAWrapper) {
  static constexpr tenon::context_key<std::string> k1{"k1"};
  static constexpr tenon::context_key<std::string> k2{"k2"};
  const context o = wrap(tenon::with_value(background(), k1, "below"));
  ASSERT_NE(o.value(k1), nullptr);
  EXPECT_EQ(*o.value(k1), "below");
  EXPECT_EQ(o.value(k2), nullptr);
  const context c = tenon::with_value(o, k2, "above");
  EXPECT_EQ(*c.value(k1), "below");
  EXPECT_EQ(*c.value(k2), "above");
  EXPECT_EQ(*tenon::with_value(c, k1, "shadow").value(k1), "shadow");
}

// Go: context/x_test.go TestValues
TEST(CustomContext, MayHaveValuesOfItsOwn) {
  static constexpr tenon::context_key<int> mine{"mine"};
  static constexpr tenon::context_key<int> other{"other"};
  struct with_one : tenon::custom_context {
    int v = 42;
    [[nodiscard]] const void* value(const void* key) const override { return key == &mine ? &v : nullptr; }
  };
  const context c{std::make_shared<with_one>()};
  auto scope = tenon::with_cancel(c);
  const tenon::context child = scope.ctx();
  ASSERT_NE(child.value(mine), nullptr);
  EXPECT_EQ(*child.value(mine), 42);
  EXPECT_EQ(child.value(other), nullptr);
  // The rest of it has the base's answers: never canceled, no deadline.
  EXPECT_FALSE(c.done());
  EXPECT_FALSE(c.err());
  EXPECT_FALSE(c.deadline());
}

// What WithDeadline and WithTimeout are in Go's tables.
struct limited {
  const char* name;
  tenon::cancel_scope (*by)(const context&, std::chrono::nanoseconds);
};

// Go: context/x_test.go TestDeadline, TestTimeout
TEST(CustomContext, DeadlinesPassThroughAWrapper) {
  const limited table[] = {
      {"WithDeadline", [](const context& c, auto d) { return tenon::with_deadline(c, tenon::now() + d); }},
      {"WithTimeout", [](const context& c, auto d) { return tenon::with_timeout(c, d); }},
  };
  for (const auto& [name, by] : table) {
    SCOPED_TRACE(name);
    tenon_test::in_virtual_time([by = by] {
      const tenon_test::stopwatch since;
      auto scope = by(background(), 50ms);
      const tenon::context c = scope.ctx();
      const context o = wrap(c);
      EXPECT_EQ(o.deadline(), c.deadline());
      auto late_scope = by(o, 1000h);
      const tenon::context late = late_scope.ctx();
      EXPECT_EQ(late.deadline(), c.deadline());
      // Go: context/x_test.go TestDeadline: WithDeadline and a custom context around it
      // Go: context/x_test.go TestTimeout: WithTimeout and a custom context around it
      (void)o.done().recv();
      EXPECT_EQ(o.err(), tenon::deadline_exceeded()) << o.err().message();
      // Go: context/x_test.go TestDeadline: a later one below a custom context
      // Go: context/x_test.go TestTimeout: a longer one below a custom context
      (void)late.done().recv();
      EXPECT_EQ(late.err(), tenon::deadline_exceeded()) << late.err().message();
      EXPECT_EQ(since(), 50ms);
    });
  }
}

// Go: context/x_test.go TestCanceledTimeout: below a custom context
TEST(CustomContext, ATimeoutBelowAWrapperCanBeCanceled) {
  auto c_scope = tenon::with_timeout(background(), 1h);
  const tenon::context c = c_scope.ctx();
  auto scope = tenon::with_timeout(wrap(c), 1000h);
  const tenon::context d = scope.ctx();
  scope.cancel();
  EXPECT_TRUE(is_done(d));
  EXPECT_EQ(d.err(), tenon::canceled()) << d.err().message();
  EXPECT_FALSE(c.err());
}

// Go: context/x_test.go TestCustomContextPropagation
TEST(CustomContext, ItsOwnDoneChannelIsWhatCounts) {
  tenon::run([](context) {
    const tenon::error why(std::string("of propagation"));
    const auto done = tenon::make_chan<void>();
    auto cancel1_scope = tenon::with_cancel_cause(background());
    const tenon::context c1 = cancel1_scope.ctx();
    const context c2{std::make_shared<own_done>(c1, done)};
    auto cancel3_scope = tenon::with_cancel(c2);
    const tenon::context c3 = cancel3_scope.ctx();
    cancel1_scope.cancel(why);
    done.close();
    (void)c3.done().recv();
    EXPECT_EQ(c3.err(), tenon::canceled()) << c3.err().message();
    EXPECT_EQ(tenon::cause(c3), why) << tenon::cause(c3).message();
  });
}

// Go: context/x_test.go TestCustomContextCause: its error is its cause
TEST(CustomContext, HasNoCauseButItsError) {
  const auto custom = std::make_shared<by_hand>();
  custom->cancel();
  const context c(custom);
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(c), tenon::canceled());
}

// Go: context/x_test.go TestCustomContextCause: the cause of its child stays the child's
TEST(CustomContext, AChildsCauseStaysItsOwn) {
  const auto custom = std::make_shared<by_hand>();
  const context c(custom);
  const tenon::error why(std::string("of the child"));
  auto scope = tenon::with_cancel_cause(c);
  const tenon::context child = scope.ctx();
  scope.cancel(why);
  EXPECT_EQ(child.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(child), why);
  EXPECT_FALSE(c.err());
  EXPECT_FALSE(tenon::cause(c));
  custom->cancel();
  EXPECT_EQ(child.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(child), why);
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(c), tenon::canceled());
}

// Go: context/x_test.go TestCustomContextCause: it may cancel its child itself
TEST(CustomContext, MayCancelItsChildItself) {
  struct with_child : by_hand {
    std::optional<tenon::cancel_scope> child;
    void cancel_both() {
      cancel();
      child->cancel();
    }
  };
  const auto custom = std::make_shared<with_child>();
  auto scope = tenon::with_cancel(context(custom));
  const tenon::context child = scope.ctx();
  custom->child = std::move(scope);
  custom->cancel_both();
  EXPECT_EQ(child.err(), tenon::canceled());
  EXPECT_EQ(tenon::cause(child), tenon::canceled());
  custom->child.reset();
}

// Go: context/x_test.go TestCustomContextCause: it may close its channel while it holds the lock that Err takes
TEST(CustomContext, MayCloseItsChannelUnderItsOwnLock) {
  struct locked : tenon::custom_context {
    tenon::chan<void> closing = tenon::make_chan<void>();
    mutable tenon::mutex mu;
    tenon::error why;
    [[nodiscard]] tenon::recv_chan<void> done() const override { return closing; }
    [[nodiscard]] tenon::error err() const override {
      const std::lock_guard<tenon::mutex> hold(mu);
      return why;
    }
    void cancel() {
      const std::lock_guard<tenon::mutex> hold(mu);
      why = tenon::canceled();
      closing.close();
    }
  };
  tenon::run([](context) {
    const auto custom = std::make_shared<locked>();
    auto scope = tenon::with_cancel(context(custom));
    const tenon::context child = scope.ctx();
    auto grandchild_scope = tenon::with_timeout(child, 1000h);
    const tenon::context grandchild = grandchild_scope.ctx();
    custom->cancel();
    (void)grandchild.done().recv();
    EXPECT_EQ(child.err(), tenon::canceled());
    EXPECT_EQ(grandchild.err(), tenon::canceled());
  });
}

// Go: context/x_test.go TestCustomContextCause
TEST(CustomContext, AnErrorOfItsOwnReachesTheChildren) {
  const tenon::error odd(std::string("an error of my own"));
  const auto custom = std::make_shared<by_hand>();
  auto scope = tenon::with_cancel(context(custom));
  const tenon::context child = scope.ctx();
  custom->cancel(odd);
  EXPECT_TRUE(tenon_test::eventually([&c = child] { return c.is_canceled(); }));
  EXPECT_EQ(child.err(), odd) << child.err().message();
  EXPECT_EQ(tenon::cause(child), odd) << tenon::cause(child).message();
}

class CustomContextBy : public testing::TestWithParam<tenon_test::callers> {};

// Go: context/afterfunc_test.go TestCustomContextAfterFuncCancel
TEST_P(CustomContextBy, EndsAWithCancelBelowIt) {
  tenon_test::as(GetParam(), [] {
    const auto custom = std::make_shared<by_hand>();
    auto scope = tenon::with_cancel(context(custom));
    const tenon::context c = scope.ctx();
    auto other = tenon_test::start(GetParam(), [&] { custom->cancel(); });
    (void)c.done().recv();
    EXPECT_EQ(c.err(), tenon::canceled());
    other.join();
  });
}

// Go: context/afterfunc_test.go TestCustomContextAfterFuncTimeout
TEST_P(CustomContextBy, EndsAWithTimeoutBelowIt) {
  tenon_test::as(GetParam(), [] {
    const auto custom = std::make_shared<by_hand>();
    auto scope = tenon::with_timeout(context(custom), 1000h);
    const tenon::context c = scope.ctx();
    auto other = tenon_test::start(GetParam(), [&] { custom->cancel(); });
    (void)c.done().recv();
    EXPECT_EQ(c.err(), tenon::canceled()) << c.err().message();
    other.join();
  });
}

// Go: context/afterfunc_test.go TestCustomContextAfterFuncAfterFunc
TEST_P(CustomContextBy, RunsAnAfterFunc) {
  tenon_test::as(GetParam(), [] {
    const auto custom = std::make_shared<by_hand>();
    const auto ran = tenon::make_chan<void>();
    auto handle = tenon::after_func(context(custom), [&] { ran.close(); });
    auto other = tenon_test::start(GetParam(), [&] { custom->cancel(); });
    (void)ran.recv();
    other.join();
    EXPECT_FALSE(handle.stop());
  });
}

INSTANTIATE_TEST_SUITE_P(By, CustomContextBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: context/x_test.go TestCustomContextGoroutines
TEST(CustomContext, FollowingItTakesNoGoroutine) {
  tenon::run([](context) {
    const std::size_t before = tenon::goroutine_count();
    const auto custom = std::make_shared<by_hand>();
    std::vector<tenon::cancel_scope> cancels;
    std::vector<context> all;
    for (int i = 0; i < 100; ++i) {
      auto scope = tenon::with_cancel(context(custom));
      const tenon::context c = scope.ctx();
      auto d_scope = tenon::with_timeout(wrap(c), 1000h);
      const tenon::context d = d_scope.ctx();
      all.insert(all.end(), {c, d});
      cancels.push_back(std::move(scope));
      cancels.push_back(std::move(d_scope));
    }
    EXPECT_EQ(tenon::goroutine_count(), before);
    custom->cancel();
    for (const context& c : all) {
      (void)c.done().recv();
      EXPECT_EQ(c.err(), tenon::canceled());
    }
    // Those that the cancellation started are about to end.
    EXPECT_TRUE(tenon_test::eventually([&] { return tenon::goroutine_count() == before; }));
  });
}

// What a child leaves behind in a custom context shows as memory, as there is nothing to count from outside.
void leaves_nothing(void (*make_and_drop)(const context&)) {
  const auto custom = std::make_shared<by_hand>();
  const context c(custom);
  if (tenon_test::sanitized()) GTEST_SKIP() << "a sanitizer keeps freed memory for a while";
  const std::size_t n = tenon_test::scaled(20000, 1000);
  EXPECT_TRUE(tenon_test::stops_growing(n * 16, [&] {
    for (std::size_t i = 0; i < n; ++i) make_and_drop(c);
  }));
  custom->cancel();
}

// Go: context/afterfunc_test.go TestCustomContextAfterFuncUnregisterCancel
TEST(CustomContext, ACanceledChildLeavesNothingBehind) {
  leaves_nothing([](const context& c) { auto child = tenon::with_cancel(c); });
}

// Go: context/afterfunc_test.go TestCustomContextAfterFuncUnregisterTimeout
TEST(CustomContext, ACanceledTimeoutLeavesNothingBehind) {
  leaves_nothing([](const context& c) { auto child = tenon::with_timeout(c, 1000h); });
}

// Go: context/afterfunc_test.go TestCustomContextAfterFuncUnregisterAfterFunc
TEST(CustomContext, AStoppedAfterFuncLeavesNothingBehind) {
  leaves_nothing([](const context& c) {
    auto handle = tenon::after_func(c, [] {});
    EXPECT_TRUE(handle.stop());
  });
}

// Go: context/context.go, Context is an interface
TEST(CustomContext, BlockingCallsEndWithIt) {
  tenon_test::in_virtual_time([] {
    const tenon_test::stopwatch since;
    const auto custom = std::make_shared<by_hand>();
    const context c(custom);
    const auto never = tenon::make_chan<int>();
    auto g = tenon::go([&] { EXPECT_FALSE(never.recv(c)); });
    auto h = tenon::go([&] { EXPECT_FALSE(tenon::sleep_for(c, 1000h)); });
    tenon::sleep_for(1ms);
    custom->cancel();
    g.join();
    h.join();
    EXPECT_FALSE(never.recv(c));
    EXPECT_EQ(since(), 1ms);
  });
}

// Go: context/context.go, Context is an interface
TEST(CustomContext, LivesAsLongAsWhatIsDerivedFromIt) {
  std::weak_ptr<by_hand> watched;
  {
    context leaf;
    std::optional<tenon::cancel_scope> kept;
    {
      auto custom = std::make_shared<by_hand>();
      watched = custom;
      auto scope = tenon::with_cancel(context(std::move(custom)));
      const tenon::context c = scope.ctx();
      leaf = c;
      kept.emplace(std::move(scope));
    }
    EXPECT_FALSE(watched.expired());
    kept->cancel();
    kept.reset();
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
