// What every channel does, for each capacity from 0 to 19, with one worker and with four.

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

constexpr int last_capacity = 19;

class ChanOfCapacity : public testing::TestWithParam<unsigned> {
 protected:
  /// Calls `f` with a new channel of each capacity.
  template <class F>
  void each(F f) {
    tenon::run(
        [&](const tenon::context&) {
          for (int n = 0; n <= last_capacity && !HasFailure(); ++n)
            f(tenon::make_chan<int>(n, "as much as is sent before anybody receives"), n);
        },
        {.workers = GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Workers, ChanOfCapacity, testing::Values(1U, 4U), testing::PrintToStringParamName());

// Go: runtime/chan_test.go TestChan, receive from an empty channel
TEST_P(ChanOfCapacity, ReceiveFromEmptyBlocks) {
  each([](const tenon::chan<int>& c, int n) {
    std::atomic<bool> plain = false;
    std::atomic<bool> in_select = false;
    auto a = tenon::go([&] {
      EXPECT_EQ(c.recv(), 0) << "capacity " << n;
      plain = true;
    });
    auto b = tenon::go([&] {
      std::optional<int> v;
      EXPECT_EQ(tenon::select(tenon_test::into(c, v)), 0U) << "capacity " << n;
      EXPECT_EQ(v, 0) << "capacity " << n;
      in_select = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(plain)) << "capacity " << n;
    EXPECT_TRUE(tenon_test::stays_false(in_select)) << "capacity " << n;
    EXPECT_EQ(c.try_recv(), std::nullopt) << "capacity " << n;
    EXPECT_EQ(tenon::select(tenon::recv(c), tenon::otherwise), 1U) << "capacity " << n;
    c.send(0);
    c.send(0);
    a.join();
    b.join();
  });
}

// Go: runtime/chan_test.go TestChan, send to a full channel
TEST_P(ChanOfCapacity, SendToFullBlocks) {
  each([](const tenon::chan<int>& c, int n) {
    for (int i = 0; i < n; ++i) c.send(i);
    std::atomic<bool> sent = false;
    auto g = tenon::go([&] {
      c.send(n);
      sent = true;
    });
    EXPECT_TRUE(tenon_test::stays_false(sent)) << "capacity " << n;
    if (n > 0) {
      EXPECT_FALSE(c.try_send(-1)) << "capacity " << n;
      EXPECT_EQ(tenon::select(tenon::send(c, -1), tenon::otherwise), 1U) << "capacity " << n;
    }
    EXPECT_EQ(c.recv(), 0) << "capacity " << n;
    g.join();
    EXPECT_TRUE(sent);
    for (int i = 1; i <= n; ++i) EXPECT_EQ(c.recv(), i) << "capacity " << n;
  });
}

// Go: runtime/chan_test.go TestChan, receive from a closed channel
TEST_P(ChanOfCapacity, ClosedChannelIsDrainedThenEnds) {
  each([](const tenon::chan<int>& c, int n) {
    for (int i = 0; i < n; ++i) c.send(i);
    c.close();
    for (int i = 0; i < n; ++i) EXPECT_EQ(c.recv(), i) << "capacity " << n;
    for (int again = 0; again < 3; ++again) {
      EXPECT_EQ(c.recv(), std::nullopt) << "capacity " << n;
      int v = 7;
      EXPECT_EQ(tenon::select(tenon_test::into(c, v)), 0U) << "capacity " << n;
      EXPECT_EQ(v, 0) << "capacity " << n;
    }
  });
}

// Go: runtime/chan_test.go TestChan, close unblocks receive
TEST_P(ChanOfCapacity, CloseWakesEveryReceiver) {
  each([](const tenon::chan<int>& c, int n) {
    std::atomic<int> ended = 0;
    std::vector<tenon::goroutine<>> receivers;
    for (int i = 0; i < 5; ++i) {
      receivers.push_back(tenon::go([&] {
        EXPECT_EQ(c.recv(), std::nullopt) << "capacity " << n;
        ++ended;
      }));
    }
    tenon_test::settle();
    EXPECT_EQ(ended, 0) << "capacity " << n;
    c.close();
    for (auto& g : receivers) g.join();
    EXPECT_EQ(ended, 5) << "capacity " << n;
  });
}

// Go: runtime/chan_test.go TestChan, 100 integers in order
TEST_P(ChanOfCapacity, OneSenderIsHeardInOrder) {
  each([](const tenon::chan<int>& c, int n) {
    for (const bool by_select : {false, true}) {
      auto g = tenon::go([&] {
        for (int i = 0; i < 100; ++i) c.send(i);
      });
      for (int i = 0; i < 100; ++i) {
        std::optional<int> v;
        if (by_select) {
          tenon::select(tenon_test::into(c, v));
        } else {
          v = c.recv();
        }
        ASSERT_EQ(v, i) << "capacity " << n;
      }
      g.join();
    }
  });
}

// Go: runtime/chan_test.go TestChan, 1000 integers from each of 4 senders to 4 receivers
TEST_P(ChanOfCapacity, FourSendersFourReceiversLoseNothing) {
  constexpr int each_side = 4;
  const int values = static_cast<int>(tenon_test::scaled(1000, 50));
  each([&](const tenon::chan<int>& c, int n) {
    std::vector<tenon::goroutine<>> senders;
    std::vector<tenon::goroutine<std::map<int, int>>> receivers;
    for (int p = 0; p < each_side; ++p) {
      senders.push_back(tenon::go([&] {
        for (int i = 0; i < values; ++i) c.send(i);
      }));
      receivers.push_back(tenon::go([&] {
        std::map<int, int> seen;
        for (int i = 0; i < values; ++i) ++seen[c.recv().value()];
        return seen;
      }));
    }
    std::map<int, int> seen;
    for (auto& g : receivers) {
      for (const auto& [value, times] : g.join()) seen[value] += times;
    }
    for (auto& g : senders) g.join();
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(values)) << "capacity " << n;
    for (const auto& [value, times] : seen) ASSERT_EQ(times, each_side) << "value " << value << ", capacity " << n;
  });
}

// Go: runtime/chan_test.go TestChan, len and cap
TEST_P(ChanOfCapacity, LenAndCapFollow) {
  each([](const tenon::chan<int>& c, int n) {
    const auto room = static_cast<std::size_t>(n);
    EXPECT_EQ(c.cap(), room);
    for (std::size_t i = 0; i < room; ++i) {
      EXPECT_EQ(c.len(), i);
      c.send(0);
    }
    EXPECT_EQ(c.len(), room);
    EXPECT_EQ(c.cap(), room);
    c.close();
    for (std::size_t i = room; i > 0; --i) {
      EXPECT_EQ(c.len(), i);
      (void)c.recv();
    }
    EXPECT_EQ(c.len(), 0U);
    EXPECT_EQ(c.cap(), room);
  });
}

// Go: runtime/chan.go, a blocked sender's value joins the buffer behind the others when there is room
TEST_P(ChanOfCapacity, BlockedSendersFollowTheBuffer) {
  each([](const tenon::chan<int>& c, int n) {
    for (int i = 0; i < n; ++i) c.send(i);
    auto g = tenon::go([&] {
      for (int i = n; i < 2 * n + 3; ++i) c.send(i);
    });
    tenon_test::settle();
    for (int i = 0; i < 2 * n + 3; ++i) ASSERT_EQ(c.recv(), i) << "capacity " << n;
    g.join();
  });
}

}  // namespace
