#include <tenon/go.hpp>

#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/run.hpp>
#include <tenon/select.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/yield.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/threads.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;

template <class F>
void in_run(unsigned workers, F&& f) {
  tenon::run([&](context root) { f(root); }, {.workers = workers});
}
template <class F>
void in_run(F&& f) {
  in_run(0, std::forward<F>(f));
}

static_assert(!std::is_copy_constructible_v<tenon::goroutine<>>);
static_assert(std::is_nothrow_move_constructible_v<tenon::goroutine<int>>);

TEST(Go, NobodyCancelsTheThread) {
  in_run([](const context&) {
    EXPECT_EQ(::pthread_cancel(::pthread_self()), 0);
    ::pthread_testcancel();
  });
}

// ---- join -----------------------------------------------------------------------------------------------------------

TEST(Go, JoinGivesTheResult) {
  in_run([](const context&) {
    EXPECT_EQ(tenon::go([] { return 42; }).join(), 42);
    EXPECT_EQ(tenon::go([] { return std::string(1000, 'x'); }).join(), std::string(1000, 'x'));
    tenon::go([] {}).join();
  });
}

TEST(Go, JoinGivesWhatCanOnlyBeMoved) {
  in_run([](const context&) {
    std::unique_ptr<int> p = tenon::go([] { return std::make_unique<int>(7); }).join();
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(*p, 7);
  });
}

TEST(Go, JoinGivesAReference) {
  in_run([](const context&) {
    int x = 1;
    int& r = tenon::go([&]() -> int& { return x; }).join();
    EXPECT_EQ(&r, &x);
    auto g = tenon::go([&]() -> const int& { return x; });
    const int& c = g.join();
    EXPECT_EQ(&c, &x);
  });
}

TEST(Go, JoinGivesWhatHasNoDefault) {
  struct no_default {
    explicit no_default(int n) : value(n) {}
    int value;
  };
  in_run([](const context&) { EXPECT_EQ(tenon::go([] { return no_default(3); }).join().value, 3); });
}

TEST(Go, JoinThrowsWhatItThrew) {
  in_run([](const context&) {
    auto g = tenon::go([]() -> int { throw std::out_of_range("nine"); });
    EXPECT_THROW(g.join(), std::out_of_range);
    EXPECT_FALSE(g.joinable());
    EXPECT_THROW(tenon::go([] { throw 42; }).join(), int);
  });
}

TEST(Go, JoinSeesWhatItDid) {
  in_run(2, [](const context&) {
    for (int i = 0; i < 200; ++i) {
      int written = 0;  // not atomic: the join orders it
      int given = i;
      auto g = tenon::go([&] { written = given; });
      g.join();
      ASSERT_EQ(written, i);
    }
  });
}

TEST(Go, JoinOfNothingPanics) {
  in_run([](const context&) {
    tenon::goroutine<> none;
    EXPECT_FALSE(none.joinable());
    EXPECT_EQ(none.id(), 0U);
    EXPECT_THROW(none.join(), tenon::panic);
    auto g = tenon::go([] {});
    g.join();
    EXPECT_THROW(g.join(), tenon::panic);
    EXPECT_THROW((void)g.wait(tenon::background()), tenon::panic);
    g.cancel();
  });
}

TEST(Go, WaitGivesUpWithItsContext) {
  tenon_test::in_virtual_time([] {
    const tenon_test::stopwatch since;
    const auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] { return c.recv().value(); });
    auto scope = tenon::with_timeout(tenon::background(), 2ms);
    const tenon::context ctx = scope.ctx();
    EXPECT_FALSE(g.wait(ctx));
    EXPECT_EQ(since(), 2ms);
    EXPECT_FALSE(g.wait(ctx)) << "canceled already";
    EXPECT_TRUE(g.joinable());
    c.send(5);
    EXPECT_TRUE(g.wait(tenon::background()));
    EXPECT_TRUE(g.wait(tenon::background()));
    EXPECT_EQ(g.join(), 5);
    EXPECT_EQ(since(), 2ms);
  });
}

TEST(Go, WaitAndItsContextMayMeet) {
  const std::size_t times = tenon_test::scaled(500, 50);
  for (const unsigned workers : {1U, 2U}) {
    in_run(workers, [&](const context&) {
      for (std::size_t i = 0; i < times; ++i) {
        auto scope = tenon::with_cancel(tenon::background());
        const tenon::context ctx = scope.ctx();
        auto canceler = tenon::go([&scope] { scope.cancel(); });
        auto g = tenon::go([] { return 1; });
        (void)g.wait(ctx);
        EXPECT_EQ(g.join(), 1);
        canceler.join();
      }
    });
  }
}

TEST(Go, AnyThreadMayJoin) {
  in_run([](const context&) {
    std::atomic<long> joins = 0;  // the thread that does
    const auto waits = [&] { return joins != 0 && tenon_test::state_of_thread(joins) == 'S'; };
    auto g = tenon::go([&] { return tenon_test::eventually(waits); });
    tenon_test::os_thread t([&] {
      joins = tenon_test::os_thread_number();
      EXPECT_TRUE(g.join());
    });
    t.join();
  });
}

TEST(Go, AllWhoWaitLearnOfTheEnd) {
  tenon_test::in_virtual_time([] {
    auto g = tenon::go([] {
      tenon::sleep_for(1ms);  // in virtual time: until all others wait
      return 1;
    });
    tenon::wait_group wg;
    std::atomic<int> told = 0;
    for (int i = 0; i < 3; ++i) {
      wg.go([&] {
        g.wait();
        ++told;
      });
      wg.go([&] {
        EXPECT_TRUE(g.wait(tenon::background()));
        ++told;
      });
    }
    wg.wait();
    EXPECT_EQ(told, 6);
    EXPECT_EQ(g.join(), 1);
  });
}

// ---- the handle's end -------------------------------------------------------------------------------------------------

TEST(Go, TheDestructorJoins) {
  tenon_test::in_virtual_time([] {
    const tenon_test::stopwatch since;
    bool ended = false;
    {
      auto g = tenon::go([&] {
        tenon::sleep_for(2ms);
        ended = true;
      });
    }
    EXPECT_TRUE(ended);
    EXPECT_EQ(since(), 2ms);
  });
  in_run(2, [](const context&) {
    bool ended = false;
    {
      auto g = tenon::go([&] {
        tenon_test::settle();
        ended = true;
      });
    }
    EXPECT_TRUE(ended);
  });
}

TEST(Go, TheDestructorCancelsItsContext) {
  in_run([](const context& root) {
    tenon::error seen;
    {
      auto g = tenon::go(root, [&](const context& ctx) {
        EXPECT_FALSE(tenon::sleep_for(ctx, 1000h));
        seen = ctx.err();
      });
    }
    EXPECT_EQ(seen, tenon::canceled());
    EXPECT_FALSE(root.err());
  });
}

TEST(Go, CancelEndsItsContextAlone) {
  tenon_test::in_virtual_time([](const context& root) {
    const tenon_test::stopwatch since;
    const auto wait = [](const context& ctx) {
      (void)ctx.done().recv();
      return ctx.err();
    };
    auto a = tenon::go(root, wait);
    auto b = tenon::go(root, wait);
    a.cancel();
    a.cancel();
    EXPECT_EQ(a.join(), tenon::canceled());
    auto scope = tenon::with_timeout(tenon::background(), 2ms);
    const tenon::context soon = scope.ctx();
    EXPECT_FALSE(b.wait(soon));
    EXPECT_EQ(since(), 2ms);
    b.cancel();
    EXPECT_EQ(b.join(), tenon::canceled());
    auto c = tenon::go([] { return 1; });
    c.cancel();
    EXPECT_EQ(c.join(), 1);
  });
}

TEST(Go, ItsContextIsAChildOfTheOneGiven) {
  static constexpr tenon::context_key<int> key{"key"};
  in_run([](const context& root) {
    auto scope = tenon::with_cancel_cause(tenon::with_value(root, key, 5));
    const tenon::context parent = scope.ctx();
    auto g = tenon::go(parent, [](const context& ctx) {
      EXPECT_EQ(*ctx.value(key), 5);
      (void)ctx.done().recv();
      return tenon::cause(ctx);
    });
    const tenon::error why(std::string("why"));
    scope.cancel(why);
    EXPECT_EQ(g.join(), why);
  });
}

TEST(Go, ItsContextEndsWithTheHandleNotWithTheFunction) {
  in_run([](const context& root) {
    context kept;
    auto g = tenon::go(root, [&](context ctx) { kept = std::move(ctx); });
    EXPECT_TRUE(g.wait(tenon::background()));
    g.join();
    EXPECT_TRUE(kept.is_canceled());
  });
}

TEST(Go, OfTheNilContextPanics) {
  in_run([](const context&) {
    EXPECT_PANIC(auto g = tenon::go(context(), [](const context&) {}), "cannot create context from nil parent");
  });
}

TEST(Go, MoveAssignmentEndsTheOneBefore) {
  in_run([](const context& root) {
    std::atomic<int> ended = 0;
    const auto wait = [&](const context& ctx) {
      (void)ctx.done().recv();
      ++ended;
    };
    auto g = tenon::go(root, wait);
    g = tenon::go(root, wait);
    EXPECT_EQ(ended.load(), 1);
    EXPECT_TRUE(g.joinable());
    g = tenon::goroutine<>();
    EXPECT_EQ(ended.load(), 2);
    EXPECT_FALSE(g.joinable());
  });
}

TEST(Go, AMovedHandleOwnsNothing) {
  in_run([](const context&) {
    auto a = tenon::go([] { return 1; });
    const auto id = a.id();
    tenon::goroutine<int> b(std::move(a));
    EXPECT_FALSE(a.joinable());  // NOLINT: moved from on purpose
    EXPECT_EQ(b.id(), id);
    auto& itself = b;
    b = std::move(itself);  // nothing happens
    EXPECT_EQ(b.join(), 1);
    std::vector<tenon::goroutine<std::size_t>> many;
    for (std::size_t i = 0; i < 100; ++i) many.push_back(tenon::go([i] { return i; }));
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(many[i].join(), i);
  });
}

TEST(Go, TheHandlesOfAVectorEndTogether) {
  in_run(2, [](const context& root) {
    std::atomic<int> ended = 0;
    {
      std::vector<tenon::goroutine<>> all;
      for (int i = 0; i < 100; ++i) {
        all.push_back(tenon::go(root, [&](const context& ctx) {
          (void)ctx.done().recv();
          ++ended;
        }));
      }
    }
    EXPECT_EQ(ended.load(), 100);
  });
}

// What the hook was told; a hook is a plain function.
std::vector<std::string> heard;

void hear(std::exception_ptr failure, const char* goroutine, const char* where) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const std::exception& e) {
    heard.push_back(e.what());
  }
  heard.emplace_back(goroutine);
  heard.emplace_back(where);
}

TEST(Go, AnExceptionThatNobodyJoinsForGoesToTheHook) {
  const tenon::unhandled_hook before = tenon::set_unhandled_hook(hear);
  in_run(1, [](const context&) {
    {
      auto g = tenon::go({.name = "thrower"}, [] { throw std::runtime_error("dropped"); });
    }
    auto h = tenon::go([] { throw std::runtime_error("assigned over"); });
    h = tenon::goroutine<>();
    auto joined = tenon::go([] { throw std::runtime_error("joined for"); });
    EXPECT_THROW(joined.join(), std::runtime_error);
  });
  EXPECT_EQ(tenon::set_unhandled_hook(before), &hear);
  ASSERT_EQ(heard.size(), 6U);
  EXPECT_EQ(heard[0], "dropped");
  EXPECT_NE(heard[1].find("goroutine "), std::string::npos) << heard[1];
  EXPECT_NE(heard[1].find("thrower"), std::string::npos) << heard[1];
  EXPECT_NE(heard[2].find("go_test.cpp"), std::string::npos) << heard[2];
  EXPECT_EQ(heard[3], "assigned over");
}

// ---- what is started ----------------------------------------------------------------------------------------------------

int free_function(int a, int b) { return a * 10 + b; }

struct thing {
  int base;
  [[nodiscard]] int plus(int n) const { return base + n; }
};

TEST(Go, TakesArguments) {
  in_run([](const context&) {
    EXPECT_EQ(tenon::go([](int a) { return a; }, 1).join(), 1);
    EXPECT_EQ(tenon::go(free_function, 1, 2).join(), 12);
    EXPECT_EQ(tenon::go(&free_function, 3, 4).join(), 34);
    EXPECT_EQ(tenon::go([](int a, int b, int c) { return a + b + c; }, 1, 2, 3).join(), 6);
    EXPECT_EQ(tenon::go([](int a, int b, int c, int d) { return a + b + c + d; }, 1, 2, 3, 4).join(), 10);
    EXPECT_EQ(tenon::go(&thing::plus, thing{5}, 6).join(), 11);
    const thing t{7};
    EXPECT_EQ(tenon::go(&thing::plus, &t, 1).join(), 8);
    int out = 0;
    tenon::go([](int& r) { r = 9; }, std::ref(out)).join();
    EXPECT_EQ(out, 9);
    auto p = std::make_unique<int>(3);
    EXPECT_EQ(tenon::go([](std::unique_ptr<int> q) { return *q; }, std::move(p)).join(), 3);
    EXPECT_EQ(tenon::go(std::function<int()>([] { return 4; })).join(), 4);
  });
}

TEST(Go, CopiesItsArguments) {
  in_run([](const context&) {
    std::string s = "before";
    auto g = tenon::go([](const std::string& x) { return x; }, s);
    s = "after";
    EXPECT_EQ(g.join(), "before");
  });
}

TEST(Go, TakesArgumentsAfterAContext) {
  in_run([](const context& root) {
    EXPECT_EQ(
        tenon::go(root, [](const context& c, int a, int b) { return c.is_canceled() ? -1 : a + b; }, 1, 2).join(), 3);
  });
}

TEST(Go, TakesOptions) {
  in_run([](const context& root) {
    EXPECT_EQ(tenon::go({.name = "plain"}, [](int a) { return a; }, 1).join(), 1);
    EXPECT_EQ(tenon::go({.name = "child"}, root, [](const context& c, int a) { return c ? a : -1; }, 2).join(), 2);
    EXPECT_EQ(tenon::go({.stack_size = 1 << 20}, [] { return 3; }).join(), 3);
  });
}

// Needs about `depth` times half a kilobyte.
[[gnu::noinline]] unsigned deep(unsigned depth) {
  volatile char frame[400] = {};
  frame[depth % 400] = static_cast<char>(depth);
  return depth == 0 ? 0 : deep(depth - 1) + (frame[depth % 400] == static_cast<char>(depth) ? 1 : 0);
}

TEST(Go, HasTheStackItAskedFor) {
  in_run([](const context&) {
    EXPECT_EQ(tenon::go({.stack_size = 8 << 20}, [] { return deep(2000); }).join(), 2000U);
    EXPECT_EQ(tenon::go([] { return deep(100); }).join(), 100U);
    // And again: what a large stack leaves behind is usable by whoever comes next.
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(tenon::go({.stack_size = 1 << 20}, [] { return deep(500); }).join(), 500U);
    }
  });
}

TEST(Go, DestroysItsFunctionWhenThatEnds) {
  in_run([](const context&) {
    auto owned = std::make_shared<int>(1);
    std::weak_ptr<int> watched = owned;
    auto g = tenon::go([held = std::move(owned)] { return *held; });
    EXPECT_TRUE(g.wait(tenon::background()));
    EXPECT_TRUE(watched.expired());
    EXPECT_EQ(g.join(), 1);
  });
}

TEST(Go, AFunctionThatCannotBeCopiedInStartsNothing) {
  struct fragile {
    fragile() = default;
    fragile(const fragile&) { throw std::runtime_error("copy"); }
    void operator()() const { ADD_FAILURE() << "started"; }
  };
  in_run([](const context& root) {
    const std::size_t before = tenon::goroutine_count();
    const fragile f;
    EXPECT_THROW((void)tenon::go(f), std::runtime_error);
    struct with_context : fragile {
      void operator()(const context&) const { ADD_FAILURE() << "started"; }
    };
    const with_context w;
    EXPECT_THROW((void)tenon::go(root, w), std::runtime_error);
    EXPECT_EQ(tenon::goroutine_count(), before);
    // Nor does a context stay behind, which would keep its parent.
    static constexpr tenon::context_key<std::shared_ptr<int>> key{"kept"};
    const auto kept = std::make_shared<int>(1);
    {
      const auto parent = tenon::with_value(root, key, kept);
      EXPECT_THROW((void)tenon::go(parent, f), std::runtime_error);
      EXPECT_THROW((void)tenon::go(parent, w), std::runtime_error);
    }
    EXPECT_EQ(kept.use_count(), 1);
  });
}

TEST(Go, NeverRunsTheFunctionOnTheSpot) {
  in_run(1, [](const context&) {
    std::atomic<bool> came_back = false;
    auto g = tenon::go([&] { EXPECT_TRUE(tenon_test::eventually([&] { return came_back.load(); })); });
    came_back = true;
    g.join();
  });
}

TEST(Go, EachHasANumberOfItsOwn) {
  in_run(2, [](const context&) {
    std::vector<tenon::goroutine<>> all;
    std::set<unsigned long long> ids = {1};  // the first one is this
    for (int i = 0; i < 300; ++i) {
      all.push_back(tenon::go([] {}));
      EXPECT_TRUE(ids.insert(all.back().id()).second) << all.back().id();
    }
    EXPECT_FALSE(ids.contains(0));
  });
}

TEST(Go, AreCounted) {
  in_run([](const context&) {
    const std::size_t before = tenon::goroutine_count();
    EXPECT_EQ(before, 1U);
    const auto c = tenon::make_chan<int>();
    {
      std::vector<tenon::goroutine<>> all;
      for (int i = 0; i < 10; ++i) all.push_back(tenon::go([&] { (void)c.recv(); }));
      EXPECT_EQ(tenon::goroutine_count(), before + 10);
      c.close();
    }
    EXPECT_EQ(tenon::goroutine_count(), before);
  });
  EXPECT_EQ(tenon::goroutine_count(), 0U);
}

TEST(Go, AThreadMayStartOne) {
  in_run([](const context&) {
    tenon_test::os_thread t([] { EXPECT_EQ(tenon::go([] { return 5; }).join(), 5); });
    t.join();
  });
}

TEST(Go, ManyAreNoTrouble) {
  const std::size_t n = tenon_test::scaled_goroutines(20000);
  in_run([&](const context&) {
    const auto over = tenon::make_chan<void>();
    std::vector<tenon::goroutine<>> all;
    std::atomic<std::size_t> ran = 0;
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(tenon::go([&] {
        ++ran;
        (void)over.recv();
      }));
    }
    over.close();
    all.clear();
    EXPECT_EQ(ran.load(), n);
  });
}

TEST(Go, AnExceptionMayPassTenonCalls) {
  in_run(2, [](const context&) {
    // A switch inside a handler: each goroutine keeps the exceptions it has caught to itself.
    const auto catcher = [](int n) {
      try {
        throw n;
      } catch (const int& caught) {
        for (int i = 0; i < 20; ++i) tenon::yield();
        EXPECT_EQ(caught, n);
        try {
          throw std::runtime_error("inner");
        } catch (const std::exception&) {
          tenon::yield();
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
        try {
          throw;
        } catch (const int& again) {
          EXPECT_EQ(again, n);
        }
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    };
    std::vector<tenon::goroutine<>> all;
    for (int i = 0; i < 50; ++i) all.push_back(tenon::go(catcher, i));
  });
}

TEST(Go, ADestructorMayWaitWhileAnExceptionPasses) {
  in_run(2, [](const context&) {
    const auto f = [](int n) {
      struct waits {
        ~waits() {
          EXPECT_EQ(std::uncaught_exceptions(), 1);
          for (int i = 0; i < 5; ++i) tenon::yield();
          EXPECT_EQ(std::uncaught_exceptions(), 1);
        }
      };
      try {
        const waits w;
        throw n;
      } catch (int caught) {
        EXPECT_EQ(caught, n);
      }
    };
    std::vector<tenon::goroutine<>> all;
    for (int i = 0; i < 50; ++i) all.push_back(tenon::go(f, i));
  });
}

}  // namespace
