// What a run ends with where its function fails and members of its root group do.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"

namespace {

using tenon::context;
using tenon::error;
using tenon::group;

struct run_ending {
  int status = -1;
  std::string thrown;  // what() of what came out
  std::string err;
};

template <class F>
run_ending see_run(F f) {
  run_ending e;
  testing::internal::CaptureStderr();
  try {
    e.status = tenon::run(std::move(f));
  } catch (const std::exception& x) {
    e.thrown = x.what();
  }
  e.err = testing::internal::GetCapturedStderr();
  return e;
}

void await_end(const context& ctx) { (void)ctx.done().recv(); }

error no_disk() { return error("read log: no such disk"); }
error no_table() { return error("no such table"); }
[[noreturn]] void no_memory() { throw std::runtime_error("no memory"); }

TEST(RunFailure, IsTheMembersWhereItsFunctionWasToldToStop) {
  const run_ending e = see_run([](group& g) {
    g.go([] { return no_disk(); });
    await_end(g.ctx());
    return g.ctx().err();
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.err, "read log: no such disk\n");
}

TEST(RunFailure, HasTheFunctionsWordsBeforeTheMembers) {
  const run_ending e = see_run([](group& g) {
    g.go([] { return no_disk(); });
    await_end(g.ctx());
    return error("serve", g.ctx().err());
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.err, "serve: context canceled: read log: no such disk\n");
}

TEST(RunFailure, IsTheMembersExceptionWhereItsFunctionWasToldToStop) {
  const run_ending e = see_run([](group& g) {
    g.go([] { no_memory(); });
    await_end(g.ctx());
    return g.ctx().err();
  });
  EXPECT_EQ(e.thrown, "no memory");
  EXPECT_EQ(e.err, "");
}

TEST(RunFailure, IsTheMembersWhereItsFunctionThrowsThatItWasToldToStop) {
  const run_ending e = see_run([](group& g) {
    g.go([] { return no_disk(); });
    await_end(g.ctx());
    g.ctx().err().rethrow();
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.thrown, "");
  EXPECT_EQ(e.err, "read log: no such disk\n");
}

TEST(RunFailure, ThatCameFirstIsPrintedBesideTheFunctions) {
  const run_ending e = see_run([](group& g) {
    g.go([] { return no_disk(); });
    await_end(g.ctx());
    return no_table();
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.err, "read log: no such disk\nno such table\n");
}

TEST(RunFailure, OfAMemberThatIsAnErrorIsPrintedBesideAnExceptionOfTheFunction) {
  const run_ending e = see_run([](group& g) {
    g.go([] { return no_disk(); });
    await_end(g.ctx());
    no_memory();
  });
  EXPECT_EQ(e.thrown, "no memory");
  EXPECT_EQ(e.err, "read log: no such disk\n");
}

TEST(RunFailure, OfTheFunctionThatIsAnErrorIsPrintedBesideAMembersException) {
  const run_ending e = see_run([](group& g) {
    g.go([] { no_memory(); });
    await_end(g.ctx());
    return no_table();
  });
  EXPECT_EQ(e.thrown, "no memory");
  EXPECT_EQ(e.err, "no such table\n");
}

TEST(RunFailure, OfAMemberThatIsAnExceptionHasALineBesideTheFunctions) {
  for (const bool after : {false, true}) {
    const run_ending e = see_run([after](group& g) {
      g.go([after](const context& ctx) {
        if (after) await_end(ctx);
        no_memory();
      });
      if (!after) await_end(g.ctx());
      throw std::logic_error("out of order");
    });
    EXPECT_EQ(e.thrown, "out of order");
    EXPECT_EQ(e.err.rfind("tenon: unhandled beside an exception on its way: a member of the root group", 0), 0U)
        << e.err;
    EXPECT_NE(e.err.find(": no memory\n"), std::string::npos) << e.err;
  }
}

// What they return once they are told to stop is no news.
TEST(RunFailure, IsTheFunctionsWhereTheMembersErrorsCameOfIt) {
  for (const bool wraps : {false, true}) {
    const run_ending e = see_run([wraps](group& g) {
      g.go([wraps](const context& ctx) {
        await_end(ctx);
        return wraps ? error("accept", ctx.err()) : error("the connection is gone");
      });
      return no_table();
    });
    EXPECT_EQ(e.status, 1);
    EXPECT_EQ(e.err, "no such table\n");
  }
}

TEST(RunFailure, OfACancelAloneStaysTheFunctions) {
  const run_ending e = see_run([](group& g) {
    g.go([](const context& ctx) {
      await_end(ctx);
      return error("accept", ctx.err());
    });
    g.cancel();
    return error("serve", g.ctx().err());
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.err, "serve: context canceled\n");
}

TEST(RunFailure, ThatItsFunctionHasGotFromTheGroupIsItsOwnToDealWith) {
  const run_ending e = see_run([](group& g) {
    g.go([] { no_memory(); });
    (void)g.wait();
    return g.ctx().err();
  });
  EXPECT_EQ(e.status, 1);
  EXPECT_EQ(e.err, "context canceled\n");
}

}  // namespace
