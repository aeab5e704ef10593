// Why a context was canceled: the table of err and cause, and the races around it.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"
#include "support/virtual_time.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::background;
using tenon::cause;
using tenon::context;

constexpr auto forever = 1000h;

// A context that hangs below another by an `after_func`, and not by being made from it.
class hung_below : public tenon::custom_context {
 public:
  explicit hung_below(context parent) : parent_(std::move(parent)) {
    follow_ = tenon::after_func(parent_, [this] { end(parent_.err()); });
  }
  void end(const tenon::error& why) const {
    const std::lock_guard<tenon::mutex> hold(mu_);
    if (err_) return;
    err_ = why;
    done_.close();
  }
  [[nodiscard]] std::optional<tenon::time_point> deadline() const override { return parent_.deadline(); }
  [[nodiscard]] tenon::recv_chan<void> done() const override { return done_; }
  [[nodiscard]] tenon::error err() const override {
    const std::lock_guard<tenon::mutex> hold(mu_);
    return err_;
  }
  [[nodiscard]] const void* value(const void* key) const override { return parent_.find(key); }

 private:
  context parent_;
  tenon::chan<void> done_ = tenon::make_chan<void>();
  mutable tenon::mutex mu_;
  mutable tenon::error err_;
  tenon::after_func_handle follow_;  // the last one: its function uses the others
};

struct row {
  const char* name;
  // Makes a context, ends it and says how; the parts it keeps alive go with the returned holder.
  context (*make)();
  tenon::error err;
  tenon::error why;
};

const tenon::error parent_cause(std::string("parent cause"));
const tenon::error child_cause(std::string("child cause"));
const tenon::error too_slow(std::string("too slow"));
const tenon::error finished_early(std::string("finished early"));

std::ostream& operator<<(std::ostream& os, const row& r) { return os << r.name; }

class ContextCause : public testing::TestWithParam<row> {};

// Go: context/x_test.go TestCause
TEST_P(ContextCause, IsAsInTheTable) {
  const row& r = GetParam();
  // Within a run, where an after_func has a goroutine, and without one, where the canceling thread runs it.
  for (const bool inside : {false, true}) {
    const auto check = [&] {
      const context c = r.make();
      EXPECT_EQ(c.err(), r.err) << c.err().message() << ", not " << r.err.message();
      EXPECT_EQ(cause(c), r.why) << cause(c).message() << ", not " << r.why.message();
    };
    if (inside) {
      tenon_test::in_virtual_time(check);
    } else {
      check();
    }
  }
}

const row rows[] = {
    // Go: context/x_test.go TestCause: Background
    {"Background", [] { return background(); }, nullptr, nullptr},
    // Go: context/x_test.go TestCause: Todo
    {"Todo", [] { return tenon::todo(); }, nullptr, nullptr},
    // Go: context/x_test.go TestCause: WithCancel
    {"WithCancel",
     [] {
       auto scope = tenon::with_cancel(background());
       const tenon::context c = scope.ctx();
       scope.cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithCancelCause
    {"WithCancelCause",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context c = scope.ctx();
       scope.cancel(parent_cause);
       return c;
     },
     tenon::canceled(), parent_cause},
    // Go: context/x_test.go TestCause: WithCancelCause nil
    {"WithCancelCauseNil",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context c = scope.ctx();
       scope.cancel(nullptr);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"WithCancelCausePlainCall",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context c = scope.ctx();
       scope.cancel();
       scope.cancel(parent_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithCancelCause, parent cause before child
    {"ParentCauseBeforeChildCause",
     [] {
       auto parent_scope = tenon::with_cancel_cause(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel_cause(p);
       const tenon::context c = child_scope.ctx();
       parent_scope.cancel(parent_cause);
       child_scope.cancel(child_cause);
       return c;
     },
     tenon::canceled(), parent_cause},
    // Go: context/x_test.go TestCause: WithCancelCause, parent cause after child
    {"ParentCauseAfterChildCause",
     [] {
       auto parent_scope = tenon::with_cancel_cause(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel_cause(p);
       const tenon::context c = child_scope.ctx();
       child_scope.cancel(child_cause);
       parent_scope.cancel(parent_cause);
       return c;
     },
     tenon::canceled(), child_cause},
    // Go: context/x_test.go TestCause: WithCancelCause, parent cause before nil
    {"ParentCauseBeforeChildWithout",
     [] {
       auto parent_scope = tenon::with_cancel_cause(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel(p);
       const tenon::context c = child_scope.ctx();
       parent_scope.cancel(parent_cause);
       child_scope.cancel();
       return c;
     },
     tenon::canceled(), parent_cause},
    // Go: context/x_test.go TestCause: WithCancelCause, parent cause after nil
    {"ParentCauseAfterChildWithout",
     [] {
       auto parent_scope = tenon::with_cancel_cause(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel(p);
       const tenon::context c = child_scope.ctx();
       child_scope.cancel();
       parent_scope.cancel(parent_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithCancelCause, child cause after nil
    {"ChildCauseAfterParentWithout",
     [] {
       auto parent_scope = tenon::with_cancel(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel_cause(p);
       const tenon::context c = child_scope.ctx();
       parent_scope.cancel();
       child_scope.cancel(child_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithCancelCause, child cause before nil
    {"ChildCauseBeforeParentWithout",
     [] {
       auto parent_scope = tenon::with_cancel(background());
       const tenon::context p = parent_scope.ctx();
       auto child_scope = tenon::with_cancel_cause(p);
       const tenon::context c = child_scope.ctx();
       child_scope.cancel(child_cause);
       parent_scope.cancel();
       return c;
     },
     tenon::canceled(), child_cause},
    // Go: context/x_test.go TestCause: WithTimeout
    {"WithTimeout",
     [] {
       auto scope = tenon::with_timeout(background(), 0s);
       const tenon::context c = scope.ctx();
       scope.cancel();
       return c;
     },
     tenon::deadline_exceeded(), tenon::deadline_exceeded()},
    // Go: context/x_test.go TestCause: WithTimeout canceled
    {"WithTimeoutCanceled",
     [] {
       auto scope = tenon::with_timeout(background(), forever);
       const tenon::context c = scope.ctx();
       scope.cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithTimeoutCause
    {"WithTimeoutCause",
     [] {
       auto scope = tenon::with_timeout(background(), 0s, too_slow);
       const tenon::context c = scope.ctx();
       scope.cancel();
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    {"WithTimeoutCauseLater",
     [] {
       auto scope = tenon::with_timeout(background(), 2ms, too_slow);
       const tenon::context c = scope.ctx();
       (void)c.done().recv();
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    // Go: context/context.go: WithDeadlineCause, whose children have its cause
    {"WithDeadlineCause",
     [] {
       auto scope = tenon::with_deadline(background(), tenon::now() + 2ms, too_slow);
       const tenon::context c = scope.ctx();
       auto child_scope = tenon::with_cancel(c);
       const tenon::context child = child_scope.ctx();
       (void)child.done().recv();
       return child;
     },
     tenon::deadline_exceeded(), too_slow},
    // Go: context/x_test.go TestCause: WithTimeoutCause canceled
    {"WithTimeoutCauseCanceled",
     [] {
       auto scope = tenon::with_timeout(background(), forever, too_slow);
       const tenon::context c = scope.ctx();
       scope.cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: WithTimeoutCause stacked
    {"WithTimeoutCauseStacked",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       auto child_scope = tenon::with_timeout(p, 0s, too_slow);
       const tenon::context c = child_scope.ctx();
       scope.cancel(finished_early);
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    // Go: context/x_test.go TestCause: WithTimeoutCause stacked canceled
    {"WithTimeoutCauseStackedCanceled",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       auto child_scope = tenon::with_timeout(p, forever, too_slow);
       const tenon::context c = child_scope.ctx();
       scope.cancel(finished_early);
       return c;
     },
     tenon::canceled(), finished_early},
    // Go: context/x_test.go TestCause: WithoutCancel
    {"WithoutCancel", [] { return tenon::without_cancel(background()); }, nullptr, nullptr},
    // Go: context/x_test.go TestCause: WithoutCancel canceled
    {"WithoutCancelCanceled",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       context c = tenon::without_cancel(p);
       scope.cancel(finished_early);
       return c;
     },
     nullptr, nullptr},
    // Go: context/x_test.go TestCause: WithoutCancel timeout
    {"WithoutCancelTimeout",
     [] {
       auto scope = tenon::with_timeout(background(), 0s, too_slow);
       const tenon::context p = scope.ctx();
       context c = tenon::without_cancel(p);
       scope.cancel();
       return c;
     },
     nullptr, nullptr},
    // Go: context/context.go: Cause goes through WithValue
    {"WithValue",
     [] {
       static constexpr tenon::context_key<int> key{"key"};
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       scope.cancel(parent_cause);
       return tenon::with_value(p, key, 1);
     },
     tenon::canceled(), parent_cause},
    // Go: context/x_test.go TestCause: parent of custom context not canceled
    {"CustomBelowParentThatLives",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       const auto custom = std::make_shared<hung_below>(p);
       custom->end(tenon::canceled());
       // The parent's own scope, when its handle goes, must come after the look: so the handle has to stay.
       static std::optional<tenon::cancel_cause_scope> kept;
       kept.emplace(std::move(scope));
       return context(custom);
     },
     tenon::canceled(), tenon::canceled()},
    // Go: context/x_test.go TestCause: parent of custom context is canceled before
    {"CustomBelowParentCanceledBefore",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       const auto custom = std::make_shared<hung_below>(p);
       scope.cancel(parent_cause);
       custom->end(tenon::canceled());
       return context(custom);
     },
     tenon::canceled(), parent_cause},
    // Go: context/x_test.go TestCause: parent of custom context is canceled after.
    // Not quite right, and the same in Go: who was first cannot be told from a custom context.
    {"CustomBelowParentCanceledAfter",
     [] {
       auto scope = tenon::with_cancel_cause(background());
       const tenon::context p = scope.ctx();
       const auto custom = std::make_shared<hung_below>(p);
       custom->end(tenon::canceled());
       scope.cancel(parent_cause);
       return context(custom);
     },
     tenon::canceled(), parent_cause},
};

INSTANTIATE_TEST_SUITE_P(Table, ContextCause, testing::ValuesIn(rows),
                         [](const testing::TestParamInfo<row>& info) { return std::string(info.param.name); });

// Go: context/x_test.go TestCauseRace
TEST(ContextCauseRace, APollerSeesNothingOrTheRightOne) {
  const std::size_t times = tenon_test::scaled(200, 20);
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&](context) {
          for (std::size_t i = 0; i < times; ++i) {
            const tenon::error why(std::string("of a race"));
            auto scope = tenon::with_cancel_cause(background());
            const tenon::context c = scope.ctx();
            auto g = tenon::go([&] { scope.cancel(why); });
            for (;;) {
              if (const tenon::error seen = cause(c)) {
                EXPECT_EQ(seen, why) << seen.message();
                break;
              }
              tenon::yield();
            }
            g.join();
          }
        },
        {.workers = workers});
  }
}

// Go: context/x_test.go TestCauseRace
TEST(ContextCauseRace, OneOfManyCausesWinsForEverybody) {
  const std::size_t times = tenon_test::scaled(200, 20);
  tenon::run(
      [&](context) {
        for (std::size_t i = 0; i < times; ++i) {
          auto scope = tenon::with_cancel_cause(background());
          const tenon::context p = scope.ctx();
          auto child_scope = tenon::with_cancel(p);
          const tenon::context c = child_scope.ctx();
          tenon::wait_group wg;
          for (int j = 0; j < 4; ++j) {
            wg.go([&scope, j] { scope.cancel(tenon::error("cause " + std::to_string(j))); });
          }
          (void)c.done().recv();
          const tenon::error first = cause(c);
          EXPECT_EQ(first.message().substr(0, 6), "cause ");
          wg.wait();
          EXPECT_EQ(cause(p), first);
          EXPECT_EQ(cause(c), first);
        }
      },
      {.workers = 2});
}

// Go: context/context.go WithCancelCause: any error will do
TEST(ContextCauseRace, ACauseMayBeAnException) {
  auto scope = tenon::with_cancel_cause(background());
  const tenon::context c = scope.ctx();
  scope.cancel(tenon::error(std::make_exception_ptr(std::runtime_error("it burns"))));
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_THROW(cause(c).rethrow(), std::runtime_error);
}

}  // namespace
