// Groups whose members fail each by itself, and the end of a group in two steps.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::testing::run_virtual;

/// What failed, in order of the text.
struct failures {
  void operator()(const error& e) {
    const std::lock_guard hold(mu);
    texts.push_back(e.message());
  }
  std::vector<std::string> sorted() {
    const std::lock_guard hold(mu);
    std::vector<std::string> all = texts;
    std::ranges::sort(all);
    return all;
  }
  std::mutex mu;
  std::vector<std::string> texts;
};

class GroupWithAHandler : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, GroupWithAHandler, testing::Values(1U, 2U, 8U), testing::PrintToStringParamName());

// Go: none
TEST_P(GroupWithAHandler, GivesItEachFailureAndCancelsNobody) {
  failures seen;
  tenon::run(
      [&](const context& root) {
        group g(root, std::ref(seen));
        const auto leave = tenon::make_chan<void>();
        bool last_one_saw_a_cancel = true;
        g.go([&](const context& ctx) -> error {
          (void)leave.recv(ctx);
          last_one_saw_a_cancel = ctx.is_canceled();
          return {};
        });
        for (int i = 0; i < 100; ++i) {
          g.go([i](const context& ctx) -> error {
            if (i % 3 == 0) return error("failed " + std::to_string(100 + i));
            if (i % 3 == 1) throw std::runtime_error("threw " + std::to_string(100 + i));
            return ctx.err();
          });
        }
        while (g.active() > 1) tenon::yield();
        EXPECT_FALSE(g.ctx().is_canceled());
        leave.close();
        EXPECT_FALSE(g.wait());
        EXPECT_FALSE(last_one_saw_a_cancel);
        EXPECT_EQ(g.active(), 0);
      },
      {.workers = GetParam()});
  std::vector<std::string> expected;
  for (int i = 0; i < 100; i += 3) expected.push_back("failed " + std::to_string(100 + i));
  for (int i = 1; i < 100; i += 3) expected.push_back("threw " + std::to_string(100 + i));
  EXPECT_EQ(seen.sorted(), expected);
}

// Go: none
TEST(GroupWithAHandler, SaysWhichMemberFailed) {
  std::mutex mu;
  std::vector<std::string> seen;
  tenon::run([&](const context& root) {
    group g(root, [&](const tenon::group_member& m, const error& e) {
      EXPECT_NE(m.id, 0U);
      EXPECT_NE(std::string(m.where.file_name()).find("group_end_test.cpp"), std::string::npos);
      const std::lock_guard hold(mu);
      seen.push_back(std::string(m.name) + ": " + e.message());
    });
    g.go({.name = "returns"}, [] { return error("no"); });
    g.go({.name = "throws"}, [] { throw std::runtime_error("never"); });
    g.go([] { return error("nameless"); });
    g.go({.name = "is fine"}, [] {});
    const auto from = g.produce<int>({.name = "stage"}, [](tenon::sender<int>&) { return error("dry"); });
    EXPECT_FALSE(from.recv());
    EXPECT_FALSE(g.wait());
  });
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<std::string>{": nameless", "returns: no", "stage: dry", "throws: never"}));
}

// Go: none
TEST(GroupWithAHandler, FailsIfTheHandlerThrows) {
  tenon::run([](const context& root) {
    group g(root, [](const error& e) { throw std::runtime_error("on " + e.message()); });
    g.go([](const context& ctx) { (void)ctx.done().recv(); });
    g.go([] { return error("this"); });
    EXPECT_EQ(g.wait().message(), "on this");
  });
}

// Go: none
TEST(GroupWithAHandler, IsNotToldOfMembersThatEndBecauseTheyWereCanceled) {
  failures seen;
  tenon::run([&](const context& root) {
    group g(root, std::ref(seen));
    g.go([](const context& ctx) {
      (void)ctx.done().recv();
      return ctx.err();
    });
    g.cancel();
    EXPECT_FALSE(g.wait());
  });
  EXPECT_TRUE(seen.sorted().empty());
}

// Go: none: TryGo's function is the garbage collector's
TEST(Group, LeavesWhatTryGoRefuses) {
  tenon::run([](const context& root) {
    group g(root);
    g.set_limit(1);
    const auto leave = tenon::make_chan<void>();
    ASSERT_TRUE(g.try_go([leave] { (void)leave.recv(); }));
    auto f = [p = std::make_unique<int>(7), leave] { return *p == 7 ? error() : error("moved from"); };
    EXPECT_FALSE(g.try_go(std::move(f)));
    leave.close();
    while (!g.try_go(std::move(f))) tenon::yield();
    EXPECT_FALSE(g.wait());
  });
}

// Go: none: http.Server.Shutdown is one of these
TEST(Group, FinishesAsSoonAsItsMembersHave) {
  run_virtual([](group& root) {
    group g(root.ctx());
    const auto began = tenon::now();
    for (int i = 1; i <= 3; ++i) {
      g.go([i](const context& ctx) {
        tenon::sleep_for(i * 1s);
        return ctx.err();
      });
    }
    EXPECT_FALSE(g.finish(10s));
    EXPECT_EQ(tenon::now() - began, 3s);
  });
}

// Go: none
TEST(Group, CancelsThoseThatTakeLongerThanTheGrace) {
  run_virtual([](group& root) {
    group g(root.ctx());
    const auto began = tenon::now();
    for (int i = 1; i <= 3; ++i) {
      g.go([i](const context& ctx) -> error {
        (void)tenon::sleep_for(ctx, i * 6s);
        EXPECT_EQ(ctx.is_canceled(), i != 1);
        return ctx.err();
      });
    }
    EXPECT_FALSE(g.finish(10s)) << "they did as they were told";
    EXPECT_EQ(tenon::now() - began, 10s);
  });
}

// Go: none
TEST(Group, FinishReturnsTheFirstFailure) {
  run_virtual([](group& root) {
    group early(root.ctx());
    early.go([] { return error("early"); });
    early.go([](const context& ctx) { (void)ctx.done().recv(); });
    EXPECT_EQ(early.finish(10s).message(), "early");

    group late(root.ctx());
    late.go([](const context& ctx) {
      (void)ctx.done().recv();
      return error("on the way out");
    });
    EXPECT_EQ(late.finish(10s).message(), "on the way out");
  });
}

// Go: none
TEST(Group, FinishGoesOnWhereTheGroupIsCanceledMeanwhile) {
  run_virtual([](group& root) {
    const auto outer = tenon::with_cancel(root.ctx());
    group g(outer.ctx());
    const auto began = tenon::now();
    g.go([](const context& ctx) {
      (void)ctx.done().recv();
      tenon::sleep_for(2s);
    });
    root.go([&] {
      tenon::sleep_for(1s);
      outer.cancel();
    });
    EXPECT_FALSE(g.finish(10s));
    EXPECT_EQ(tenon::now() - began, 3s);
  });
}

}  // namespace
