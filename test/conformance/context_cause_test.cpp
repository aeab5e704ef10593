// Why a context was canceled: the table of err and cause, and the races around it.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"

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
  [[nodiscard]] tenon::recv_chan<tenon::unit> done() const override { return done_; }
  [[nodiscard]] tenon::error err() const override {
    const std::lock_guard<tenon::mutex> hold(mu_);
    return err_;
  }
  [[nodiscard]] const void* value(const void* key) const override { return parent_.find(key); }

 private:
  context parent_;
  tenon::chan<tenon::unit> done_ = tenon::make_chan<tenon::unit>();
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
      tenon::run([&](context) { check(); });
    } else {
      check();
    }
  }
}

const row rows[] = {
    {"Background", [] { return background(); }, nullptr, nullptr},
    {"Todo", [] { return tenon::todo(); }, nullptr, nullptr},
    {"WithCancel",
     [] {
       auto [c, cancel] = tenon::with_cancel(background());
       cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"WithCancelCause",
     [] {
       auto [c, cancel] = tenon::with_cancel_cause(background());
       cancel(parent_cause);
       return c;
     },
     tenon::canceled(), parent_cause},
    {"WithCancelCauseNil",
     [] {
       auto [c, cancel] = tenon::with_cancel_cause(background());
       cancel(nullptr);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"WithCancelCausePlainCall",
     [] {
       auto [c, cancel] = tenon::with_cancel_cause(background());
       cancel();
       cancel(parent_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"ParentCauseBeforeChildCause",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_cancel_cause(p);
       cancel_parent(parent_cause);
       cancel_child(child_cause);
       return c;
     },
     tenon::canceled(), parent_cause},
    {"ParentCauseAfterChildCause",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_cancel_cause(p);
       cancel_child(child_cause);
       cancel_parent(parent_cause);
       return c;
     },
     tenon::canceled(), child_cause},
    {"ParentCauseBeforeChildWithout",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_cancel(p);
       cancel_parent(parent_cause);
       cancel_child();
       return c;
     },
     tenon::canceled(), parent_cause},
    {"ParentCauseAfterChildWithout",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_cancel(p);
       cancel_child();
       cancel_parent(parent_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"ChildCauseAfterParentWithout",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel(background());
       auto [c, cancel_child] = tenon::with_cancel_cause(p);
       cancel_parent();
       cancel_child(child_cause);
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"ChildCauseBeforeParentWithout",
     [] {
       auto [p, cancel_parent] = tenon::with_cancel(background());
       auto [c, cancel_child] = tenon::with_cancel_cause(p);
       cancel_child(child_cause);
       cancel_parent();
       return c;
     },
     tenon::canceled(), child_cause},
    {"WithTimeout",
     [] {
       auto [c, cancel] = tenon::with_timeout(background(), 0s);
       cancel();
       return c;
     },
     tenon::deadline_exceeded(), tenon::deadline_exceeded()},
    {"WithTimeoutCanceled",
     [] {
       auto [c, cancel] = tenon::with_timeout(background(), forever);
       cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"WithTimeoutCause",
     [] {
       auto [c, cancel] = tenon::with_timeout(background(), 0s, too_slow);
       cancel();
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    {"WithTimeoutCauseLater",
     [] {
       auto [c, cancel] = tenon::with_timeout(background(), 2ms, too_slow);
       (void)c.done().recv();
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    {"WithDeadlineCause",
     [] {
       auto [c, cancel] = tenon::with_deadline(background(), std::chrono::steady_clock::now() + 2ms, too_slow);
       auto [child, cancel_child] = tenon::with_cancel(c);
       (void)child.done().recv();
       return child;
     },
     tenon::deadline_exceeded(), too_slow},
    {"WithTimeoutCauseCanceled",
     [] {
       auto [c, cancel] = tenon::with_timeout(background(), forever, too_slow);
       cancel();
       return c;
     },
     tenon::canceled(), tenon::canceled()},
    {"WithTimeoutCauseStacked",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_timeout(p, 0s, too_slow);
       cancel(finished_early);
       return c;
     },
     tenon::deadline_exceeded(), too_slow},
    {"WithTimeoutCauseStackedCanceled",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       auto [c, cancel_child] = tenon::with_timeout(p, forever, too_slow);
       cancel(finished_early);
       return c;
     },
     tenon::canceled(), finished_early},
    {"WithoutCancel", [] { return tenon::without_cancel(background()); }, nullptr, nullptr},
    {"WithoutCancelCanceled",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       context c = tenon::without_cancel(p);
       cancel(finished_early);
       return c;
     },
     nullptr, nullptr},
    {"WithoutCancelTimeout",
     [] {
       auto [p, cancel] = tenon::with_timeout(background(), 0s, too_slow);
       context c = tenon::without_cancel(p);
       cancel();
       return c;
     },
     nullptr, nullptr},
    {"WithValue",
     [] {
       static constexpr tenon::context_key<int> key{"key"};
       auto [p, cancel] = tenon::with_cancel_cause(background());
       cancel(parent_cause);
       return tenon::with_value(p, key, 1);
     },
     tenon::canceled(), parent_cause},
    {"CustomBelowParentThatLives",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       const auto custom = std::make_shared<hung_below>(p);
       custom->end(tenon::canceled());
       // The parent's own cancel, when its handle goes, must come after the look: so the handle has to stay.
       static tenon::cancel_cause_func kept;
       kept = std::move(cancel);
       return context(custom);
     },
     tenon::canceled(), tenon::canceled()},
    {"CustomBelowParentCanceledBefore",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       const auto custom = std::make_shared<hung_below>(p);
       cancel(parent_cause);
       custom->end(tenon::canceled());
       return context(custom);
     },
     tenon::canceled(), parent_cause},
    // Not quite right, and the same in Go: who was first cannot be told from a custom context.
    {"CustomBelowParentCanceledAfter",
     [] {
       auto [p, cancel] = tenon::with_cancel_cause(background());
       const auto custom = std::make_shared<hung_below>(p);
       custom->end(tenon::canceled());
       cancel(parent_cause);
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
            auto [c, cancel] = tenon::with_cancel_cause(background());
            auto g = tenon::go([&] { cancel(why); });
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
          auto [p, cancel] = tenon::with_cancel_cause(background());
          auto [c, cancel_child] = tenon::with_cancel(p);
          tenon::wait_group wg;
          for (int j = 0; j < 4; ++j) {
            wg.go([&cancel = cancel, j] { cancel(tenon::error("cause " + std::to_string(j))); });
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

// Go: context/context.go, WithCancelCause
TEST(ContextCauseRace, ACauseMayBeAnException) {
  auto [c, cancel] = tenon::with_cancel_cause(background());
  cancel(tenon::error(std::make_exception_ptr(std::runtime_error("it burns"))));
  EXPECT_EQ(c.err(), tenon::canceled());
  EXPECT_THROW(cause(c).rethrow(), std::runtime_error);
}

}  // namespace
