// What a select does with cases that are ready, that are not, and that were not chosen.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
#include "support/memory.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

// Go: test/chan/select.go: a case is switched off by making its channel nil; each select evaluates all of its values
TEST(SelectBasic, ANilChannelSwitchesACaseOff) {
  int evaluated = 0;
  unsigned shift = 0;
  const auto value = [&] {
    ++evaluated;
    return 1U << shift;
  };
  const auto send_to = [&](tenon::chan<unsigned> a, tenon::chan<unsigned> b) {
    for (int sent = 0;;) {
      switch (tenon::select(tenon::send(a, value()), tenon::send(b, value()), tenon::otherwise)) {
        case 0: a = nullptr, ++sent; break;
        case 1: b = nullptr, ++sent; break;
        default: return sent;
      }
      ++shift;
    }
  };
  const auto a = tenon::make_chan<unsigned>(1);
  const auto b = tenon::make_chan<unsigned>(1);
  EXPECT_EQ(send_to(a, b), 2);
  EXPECT_EQ(a.recv().value() | b.recv().value(), 3U);
  EXPECT_EQ(send_to(a, nullptr), 1);
  EXPECT_EQ(evaluated, 10);
}

// Go: test/chan/select4.go: the ready case proceeds, the target of the other one is not touched
TEST(SelectBasic, TheReadyCaseProceeds) {
  struct {
    int member = 0;
  } x;
  const auto ready = tenon::make_chan<int>(1);
  const auto never = tenon::make_chan<int>();
  ready.send(42);
  std::optional<int> untouched = 7;
  EXPECT_EQ(tenon::select(tenon_test::into(never, untouched), tenon_test::into(ready, x.member)), 1U);
  EXPECT_EQ(x.member, 42);
  EXPECT_EQ(untouched, 7);
}

// Go: test/chan/select6.go (issue 2075): a select that goes by another case leaves nothing behind in the queues of its own
TEST(SelectBasic, FailedCasesLeaveNoWaiterBehind) {
  for (const unsigned workers : {1U, 3U}) {
    tenon::run(
        [](const tenon::context&) {
          const auto c1 = tenon::make_chan<bool>();
          const auto c2 = tenon::make_chan<bool>();
          const auto c3 = tenon::make_chan<bool>();
          auto first = tenon::go([=] { (void)c1.recv(); });
          tenon_test::settle();
          auto second = tenon::go([=] {
            EXPECT_EQ(tenon::select(tenon::recv(c1), tenon::recv(c2)), 1U);
            c3.send(true);
            (void)c1.recv();
          });
          tenon_test::settle();
          auto third = tenon::go([=] { c2.send(true); });
          (void)c3.recv();
          c1.send(true);
          c1.send(true);
          first.join();
          second.join();
          third.join();
          EXPECT_FALSE(c1.try_send(true));
          EXPECT_FALSE(c2.try_recv());
        },
        {.workers = workers});
  }
}

// Go: test/chan/select6.go, wherever in the queue the select stood, and for sends as for receives
TEST(SelectBasic, FailedCasesLeaveTheQueueInOrder) {
  constexpr int waiting = 5;
  tenon::run(
      [](const tenon::context&) {
        for (const bool sending : {false, true}) {
          for (int place = 0; place < waiting; ++place) {
            const auto c = tenon::make_chan<int>();
            const auto way_out = tenon::make_chan<void>();
            std::vector<tenon::goroutine<>> all;
            std::vector<int> expected;
            for (int i = 0; i < waiting; ++i) {
              if (i == place) {
                all.push_back(tenon::go([=] {
                  EXPECT_EQ(sending ? tenon::select(tenon::send(c, i), tenon::recv(way_out))
                                    : tenon::select(tenon::recv(c), tenon::recv(way_out)),
                            1U);
                }));
              } else {
                expected.push_back(i);
                all.push_back(tenon::go([=] {
                  if (sending) {
                    c.send(i);
                  } else {
                    EXPECT_EQ(c.recv(), i);
                  }
                }));
              }
              tenon_test::settle();  // one worker: it stands in the queue now
            }
            way_out.send();
            for (const int i : expected) {
              if (sending) {
                EXPECT_EQ(c.recv(), i) << "place " << place;
              } else {
                c.send(i);
              }
            }
            for (auto& g : all) g.join();
          }
        }
      },
      {.workers = 1});
}

// Go: test/chan/select7.go: three ways to receive and drop a value, by three ways to send it
TEST(SelectBasic, ADiscardedValueIsReceivedAllTheSame) {
  using end = std::function<void(tenon::chan<int>)>;
  const std::array<end, 3> receive{
      [](const tenon::chan<int>& c) { (void)c.recv(); },
      [](const tenon::chan<int>& c) { tenon::select(tenon::recv(c)); },
      [](const tenon::chan<int>& c) { tenon::select(tenon::recv(c), tenon::recv(tenon::make_chan<int>())); }};
  const std::array<end, 3> send{
      [](const tenon::chan<int>& c) { c.send(1); }, [](const tenon::chan<int>& c) { tenon::select(tenon::send(c, 1)); },
      [](const tenon::chan<int>& c) { tenon::select(tenon::send(c, 1), tenon::send(tenon::make_chan<int>(), 1)); }};
  for (const unsigned workers : {1U, 2U}) {
    tenon::run(
        [&](const tenon::context&) {
          for (const end& r : receive) {
            for (const end& s : send) {
              const auto c = tenon::make_chan<int>();
              auto g = tenon::go(r, c);
              tenon::yield();
              s(c);
              g.join();
            }
          }
        },
        {.workers = workers});
  }
}

// Go: test/chan/select8.go: a select of one, two and three cases is left from inside
TEST(SelectBasic, CanBeLeftFromInside) {
  tenon::run([](const tenon::context& ctx) {
    const auto c = tenon::make_chan<int>();
    const auto fives = tenon::go(ctx, [=](const tenon::context& mine) {
      while (c.send(mine, 5)) {
      }
    });
    const auto by_return = [&] {
      while (true) {
        int v = 0;
        switch (tenon::select(tenon_test::into(c, v), tenon::recv(ctx.done()))) {
          case 0: return v;
          default: ADD_FAILURE(); break;
        }
      }
    };
    EXPECT_EQ(by_return(), 5);
    int received = 0;
    while (true) {
      if (tenon::select(tenon::recv(c), tenon::otherwise) == 1) {
        tenon::yield();
        continue;
      }
      if (++received == 10) break;
    }
    try {
      auto five = tenon::recv(c);
      tenon::select(five, tenon::recv(ctx.done()));
      if (five) throw *five;
      ADD_FAILURE() << "nothing came";
    } catch (int five) {
      EXPECT_EQ(five, 5);
    }
    // A receiver and a sender on one channel: nobody receives from us, and there is another one who sends.
    for (int i = 0; i < 10; ++i) EXPECT_NE(tenon::select(tenon::recv(c), tenon::send(c, 10), tenon::otherwise), 1U);
  });
}

// Go: test/chan/select2.go: 100,000 selects must not need more memory than the first ones did
TEST(SelectBasic, NeedsNoMemory) {
  const int count = static_cast<int>(tenon_test::scaled(100000, 5000));
  tenon::run([&](const tenon::context&) {
    const auto c = tenon::make_chan<int>();
    const auto never = tenon::make_chan<int>();
    const auto round = [&] {
      auto g = tenon::go([&] {
        for (int i = 0; i < count; ++i) c.send(i);
      });
      for (int i = 0; i < count; ++i) {
        int v = -1;
        ASSERT_EQ(tenon::select(tenon::recv(never), tenon_test::into(c, v)), 1U);
        ASSERT_EQ(v, i);
      }
      g.join();
    };
    round();
    // One pointer left behind by each would be more. A sanitizer keeps records of its own: of every goroutine, of what was freed.
    const std::size_t slack = tenon_test::sanitized() ? 8 << 20 : 64 << 10;
    EXPECT_TRUE(tenon_test::stops_growing(slack + static_cast<std::size_t>(count) * 6, round));
  });
}

class SelectBy : public testing::TestWithParam<tenon_test::callers> {};
INSTANTIATE_TEST_SUITE_P(By, SelectBy, tenon_test::every_caller, tenon_test::caller_name);

// Go: runtime/select.go: a blocked select is woken by whichever case comes first
TEST_P(SelectBy, IsWokenByEachOfItsCases) {
  tenon_test::as(GetParam(), [] {
    for (std::size_t which = 0; which < 4; ++which) {
      const auto a = tenon::make_chan<int>();
      const auto b = tenon::make_chan<int>(1);
      const auto out = tenon::make_chan<int>(1);
      const auto closing = tenon::make_chan<int>();
      out.send(0);
      std::atomic<bool> fired = false;
      auto waits = tenon_test::start(GetParam(), [&] {
        std::optional<int> v = -1;
        EXPECT_EQ(tenon::select(tenon_test::into(a, v), tenon_test::into(b, v), tenon::send(out, 9),
                                tenon_test::into(closing, v)),
                  which);
        EXPECT_EQ(v, which == 2   ? std::optional(-1)
                     : which == 3 ? std::nullopt
                                  : std::optional(static_cast<int>(which)));
        fired = true;
      });
      EXPECT_TRUE(tenon_test::stays_false(fired));
      switch (which) {
        case 0: a.send(0); break;
        case 1: b.send(1); break;
        case 2:
          EXPECT_EQ(out.recv(), 0);
          EXPECT_EQ(out.recv(), 9);
          break;
        default: closing.close(); break;
      }
      waits.join();
    }
  });
}

// Go: runtime/select.go: a select on a closed channel
TEST_P(SelectBy, ASendCaseOnAClosedChannelPanics) {
  tenon_test::as(GetParam(), [] {
    const auto closed = tenon::make_chan<int>();
    closed.close();
    const auto never = tenon::make_chan<int>();
    EXPECT_PANIC(tenon::select(tenon::recv(never), tenon::send(closed, 1)), "send on closed channel");
    EXPECT_PANIC(tenon::select(tenon::send(closed, 1), tenon::otherwise), "send on closed channel");
  });
}

}  // namespace
