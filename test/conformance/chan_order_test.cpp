// Channels are first in, first out, in the buffer and among those who wait.

#include <gtest/gtest.h>

#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

// Go: test/chan/fifo.go, asynchronous
TEST(ChanOrder, BufferKeepsTheOrder) {
  const auto c = tenon::make_chan<int>(10, "filled and drained by the test");
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 10; ++i) c.send(i);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(c.recv(), i);
  }
}

// Go: test/chan/fifo.go, synchronous. A chain of goroutines takes one value each, in turn
TEST(ChanOrder, UnbufferedKeepsTheOrderAlongAChain) {
  constexpr int links = 10;
  tenon::run([](const tenon::context&) {
    const auto values = tenon::make_chan<int>();
    const auto first = tenon::make_chan<void>();
    std::vector<tenon::goroutine<>> chain;
    auto turn = first;
    for (int i = 0; i < links; ++i) {
      const auto next = tenon::make_chan<void>();
      chain.push_back(tenon::go([=] {
        (void)turn.recv();
        EXPECT_EQ(values.recv(), i);
        next.send();
      }));
      turn = next;
    }
    first.send();
    for (int i = 0; i < links; ++i) values.send(i);
    EXPECT_TRUE(turn.recv());
    for (auto& g : chain) g.join();
  });
}

// Go: runtime/chan.go, sendq is first in, first out
TEST(ChanOrder, BlockedSendersGoInTurn) {
  constexpr int senders = 20;
  for (const int capacity : {0, 1, 3}) {
    tenon::run(
        [&](const tenon::context&) {
          const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
          std::vector<tenon::goroutine<>> waiting;
          for (int i = 0; i < senders; ++i) {
            waiting.push_back(tenon::go([=] { c.send(i); }));
            tenon_test::settle();  // one worker: it is in the queue now
          }
          for (int i = 0; i < senders; ++i) EXPECT_EQ(c.recv(), i) << "capacity " << capacity;
          for (auto& g : waiting) g.join();
        },
        {.workers = 1});
  }
}

// Go: runtime/chan.go, recvq is first in, first out
TEST(ChanOrder, BlockedReceiversGoInTurn) {
  constexpr int receivers = 20;
  for (const int capacity : {0, 1, 3}) {
    tenon::run(
        [&](const tenon::context&) {
          const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
          std::vector<tenon::goroutine<>> waiting;
          for (int i = 0; i < receivers; ++i) {
            waiting.push_back(tenon::go([=] { EXPECT_EQ(c.recv(), i) << "capacity " << capacity; }));
            tenon_test::settle();
          }
          for (int i = 0; i < receivers; ++i) c.send(i);
          for (auto& g : waiting) g.join();
        },
        {.workers = 1});
  }
}

// Go: runtime/chan.go, a select waits in the same queue as a plain operation
TEST(ChanOrder, SelectsAndPlainReceiversShareOneQueue) {
  constexpr int receivers = 12;
  tenon::run(
      [&](const tenon::context&) {
        const auto c = tenon::make_chan<int>();
        const auto never = tenon::make_chan<int>();
        std::vector<tenon::goroutine<>> waiting;
        for (int i = 0; i < receivers; ++i) {
          waiting.push_back(tenon::go([=] {
            std::optional<int> v;
            switch (i % 3) {
              case 0: v = c.recv(); break;
              case 1: EXPECT_EQ(tenon::select(tenon::recv(never), tenon_test::into(c, v)), 1U); break;
              default: EXPECT_EQ(tenon::select(tenon_test::into(c, v)), 0U); break;
            }
            EXPECT_EQ(v, i);
          }));
          tenon_test::settle();
        }
        for (int i = 0; i < receivers; ++i) c.send(i);
        for (auto& g : waiting) g.join();
      },
      {.workers = 1});
}

// Go: test/chan/goroutines.go
TEST(ChanOrder, ALongChainTearsDown) {
  const std::size_t links = tenon_test::scaled_goroutines(10000);
  tenon::run([&](const tenon::context&) {
    const auto leftmost = tenon::make_chan<int>();
    std::vector<tenon::goroutine<>> chain;
    chain.reserve(links + 1);
    auto left = leftmost;
    for (std::size_t i = 0; i < links; ++i) {
      const auto right = tenon::make_chan<int>();
      chain.push_back(tenon::go([left, right] { left.send(right.recv().value() + 1); }));
      left = right;
    }
    chain.push_back(tenon::go([left] { left.send(0); }));
    EXPECT_EQ(leftmost.recv(), static_cast<int>(links));
    for (auto& g : chain) g.join();
  });
}

}  // namespace
