// What becomes of the values themselves: moved, never copied, destroyed once, whatever their size.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/panics.hpp"
#include "support/values.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::counted;

class ChanValues : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { counted::living = 0; }
  void TearDown() override { EXPECT_EQ(counted::living, 0); }

  /// Calls f(sends first) with one worker, where settle() makes sure that the one who comes first is blocked.
  template <class F>
  static void both_ways(F f) {
    tenon::run(
        [&](const tenon::context&) {
          f(true);
          f(false);
        },
        {.workers = 1});
  }
};
INSTANTIATE_TEST_SUITE_P(Capacity, ChanValues, testing::Values(0, 1, 7), testing::PrintToStringParamName());

// Passes what `make(i)` returns through a channel of that capacity, hands what comes out to `check(i, value)`.
template <class T, class Make, class Check>
void pass(int capacity, bool sender_first, int count, Make make, Check check) {
  const auto c = tenon::make_chan<T>(capacity, "as much as is sent before anybody receives");
  const auto send_all = [&] {
    for (int i = 0; i < count; ++i) c.send(make(i));
  };
  const auto receive_all = [&] {
    for (int i = 0; i < count; ++i) {
      auto v = c.recv();
      ASSERT_TRUE(v);
      check(i, std::move(*v));
    }
  };
  tenon::goroutine<> other;
  if (sender_first) {
    other = tenon::go(send_all);
    tenon_test::settle();
    receive_all();
  } else {
    other = tenon::go(receive_all);
    tenon_test::settle();
    send_all();
  }
  other.join();
}

// Go: the specification, a channel passes values; here their ownership, too
TEST_P(ChanValues, MoveOnly) {
  both_ways([](bool sender_first) {
    pass<std::unique_ptr<int>>(
        GetParam(), sender_first, 20, [](int i) { return std::make_unique<int>(i); },
        [](int i, const std::unique_ptr<int>& v) { EXPECT_EQ(*v, i); });
  });
}

// Go: test/chan/nonblock.go, strings
TEST_P(ChanValues, Strings) {
  both_ways([](bool sender_first) {
    pass<std::string>(
        GetParam(), sender_first, 20, [](int i) { return std::string(static_cast<std::size_t>(i) * 5, 'x'); },
        [](int i, const std::string& v) { EXPECT_EQ(v, std::string(static_cast<std::size_t>(i) * 5, 'x')); });
  });
}

// Go: runtime/chan.go, elements are copied from stack to stack or through the buffer
TEST_P(ChanValues, Large) {
  using block = std::array<int, 4000>;
  both_ways([](bool sender_first) {
    pass<block>(
        GetParam(), sender_first, 10,
        [](int i) {
          block b;
          b.fill(i);
          return b;
        },
        [](int i, const block& b) { EXPECT_TRUE(std::all_of(b.begin(), b.end(), [i](int x) { return x == i; })); });
  });
}

struct alignas(64) cache_line {
  std::uint64_t number = 0;
  std::unique_ptr<int> owned;
};

// Some compilers do not see to it with AddressSanitizer, before any library comes in: GCC's bug 110027.
[[gnu::noinline]] bool is_aligned(const cache_line* v) { return reinterpret_cast<std::uintptr_t>(v) % 64 == 0; }
[[gnu::noinline]] bool compiler_aligns_variables() {
  cache_line here;
  return is_aligned(&here);
}

// C++: over-aligned elements
TEST_P(ChanValues, OverAligned) {
  if (!compiler_aligns_variables())
    GTEST_SKIP() << "this compiler misaligns variables of alignment 64 under AddressSanitizer";
  both_ways([](bool sender_first) {
    pass<cache_line>(
        GetParam(), sender_first, 10,
        [](int i) { return cache_line{static_cast<std::uint64_t>(i), std::make_unique<int>(i)}; },
        [](int i, const cache_line& v) {
          EXPECT_TRUE(is_aligned(&v));
          EXPECT_EQ(v.number, static_cast<std::uint64_t>(i));
          EXPECT_EQ(*v.owned, i);
        });
  });
}

// C++: an element may be anything that can be moved without throwing
TEST_P(ChanValues, Functions) {
  both_ways([](bool sender_first) {
    pass<std::function<int()>>(
        GetParam(), sender_first, 10, [](int i) { return [i] { return i * i; }; },
        [](int i, const std::function<int()>& f) { EXPECT_EQ(f(), i * i); });
  });
}

// tenon: every value is constructed and destroyed, and the one received is the one sent
TEST_P(ChanValues, NoneIsLostOrDestroyedTwice) {
  both_ways([](bool sender_first) {
    pass<counted>(
        GetParam(), sender_first, 30, [](int i) { return counted(i); },
        [](int i, const counted& v) { EXPECT_EQ(v.value(), i); });
    EXPECT_EQ(counted::living, 0);
  });
}

// Go: runtime/chan.go, the ring buffer goes round
TEST_P(ChanValues, TheBufferGoesRound) {
  const auto c = tenon::make_chan<counted>(GetParam(), "as much as is sent before anybody receives");
  int in = 0;
  int out = 0;
  for (std::size_t fill = 1; fill <= c.cap(); ++fill) {
    for (int round = 0; round < 20; ++round) {
      for (std::size_t i = 0; i < fill; ++i) c.send(counted(in++));
      EXPECT_EQ(counted::living, static_cast<int>(fill));
      for (std::size_t i = 0; i < fill; ++i) EXPECT_EQ(c.recv().value().value(), out++);
    }
  }
  EXPECT_EQ(in, out);
}

// Go: garbage collection
TEST_P(ChanValues, WhatNobodyTookGoesWithTheChannel) {
  for (const bool closed : {false, true}) {
    const auto c = tenon::make_chan<counted>(GetParam(), "as much as is sent before anybody receives");
    for (std::size_t i = 0; i < c.cap(); ++i) c.send(counted(1));
    if (closed) c.close();
    EXPECT_EQ(counted::living, GetParam());
  }
}

// Go: test/closedchan.go, "the value should have been discarded"
TEST_P(ChanValues, APanickingSendDestroysItsValue) {
  const auto c = tenon::make_chan<counted>(GetParam(), "as much as is sent before anybody receives");
  c.close();
  EXPECT_PANIC(c.send(counted(1)), "send on closed channel");
  EXPECT_PANIC((void)c.try_send(counted(1)), "send on closed channel");
  EXPECT_PANIC(tenon::select(tenon::send(c, counted(1))), "send on closed channel");
  counted lvalue(2);
  EXPECT_PANIC(tenon::select(tenon::send(c, lvalue)), "send on closed channel");
  auto out = tenon::send(c, std::move(lvalue));
  EXPECT_PANIC(tenon::select(out), "send on closed channel");
  EXPECT_EQ(out.take().value(), 2) << "it must not have been moved from";
  EXPECT_EQ(counted::living, 1);
}

// tenon: blocked senders that panic destroy their values
TEST_P(ChanValues, ASenderWokenByCloseDestroysItsValue) {
  tenon::run(
      [](const tenon::context&) {
        const auto c = tenon::make_chan<counted>(GetParam(), "as much as is sent before anybody receives");
        for (std::size_t i = 0; i < c.cap(); ++i) c.send(counted(1));
        auto g = tenon::go([&] { c.send(counted(2)); });
        tenon_test::settle();
        EXPECT_EQ(counted::living, GetParam() + 1);
        c.close();
        EXPECT_PANIC(g.join(), "send on closed channel");
        EXPECT_EQ(counted::living, GetParam());
      },
      {.workers = 1});
}

// Go: the specification, a receive from a closed channel yields the zero value
TEST_P(ChanValues, ASelectReceivesAZeroValueOfAClosedChannel) {
  const auto c = tenon::make_chan<std::string>(GetParam(), "as much as is sent before anybody receives");
  c.close();
  std::string plain = "before";
  EXPECT_EQ(tenon::select(tenon_test::into(c, plain)), 0U);
  EXPECT_EQ(plain, "");
  std::optional<std::string> maybe = "before";
  EXPECT_EQ(tenon::select(tenon_test::into(c, maybe)), 0U);
  EXPECT_EQ(maybe, std::nullopt);
}

// Go: range, with move-only elements
TEST_P(ChanValues, RangesMoveTheirElements) {
  tenon::run([](const tenon::context&) {
    const auto c = tenon::make_chan<std::unique_ptr<int>>(GetParam(), "as much as is sent before anybody receives");
    auto g = tenon::go([=] {
      for (int i = 0; i < 10; ++i) c.send(std::make_unique<int>(i));
      c.close();
    });
    std::vector<std::unique_ptr<int>> kept;
    for (std::unique_ptr<int> v : c) kept.push_back(std::move(v));
    g.join();
    ASSERT_EQ(kept.size(), 10U);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(*kept[static_cast<std::size_t>(i)], i);
  });
}

// C++: a channel is a single-pass range
TEST_P(ChanValues, WorksWithStandardRanges) {
  static_assert(std::ranges::input_range<const tenon::chan<int>>);
  static_assert(std::ranges::input_range<const tenon::recv_chan<int>>);
  static_assert(!std::ranges::forward_range<const tenon::chan<int>>);
  tenon::run([](const tenon::context&) {
    const auto c = tenon::make_chan<int>(GetParam(), "as much as is sent before anybody receives");
    auto g = tenon::go([=] {
      for (int i = 0; i < 20; ++i) c.send(i);
      c.close();
    });
    int sum = 0;
    for (const int even : tenon::recv_chan<int>(c) | std::views::filter([](int i) { return i % 2 == 0; })) sum += even;
    EXPECT_EQ(sum, 90);
    g.join();
  });
}

// Go: runtime/chan_test.go TestShrinkStackDuringBlockedSend: the value of a blocked sender stays where it is
TEST_P(ChanValues, ABlockedSendersStackIsReadInPlace) {
  tenon::run(
      [](const tenon::context&) {
        const auto c = tenon::make_chan<std::array<int, 64>>(GetParam(), "as much as is sent before anybody receives");
        auto g = tenon::go([=] {
          for (int i = 0; i < 10 + GetParam(); ++i) {
            std::array<int, 64> local;
            local.fill(i);
            c.send(local);
          }
        });
        for (int i = 0; i < 10 + GetParam(); ++i) {
          tenon_test::settle();
          const auto v = c.recv().value();
          EXPECT_EQ(v.front(), i);
          EXPECT_EQ(v.back(), i);
        }
        g.join();
      },
      {.workers = 1});
}

}  // namespace
