// The forms of send and receive that take a context, for every kind of caller. They stand for Go's
// `select { case c <- v: case <-ctx.Done(): }`, except that a context which is canceled already is looked at first.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/values.hpp"
#include "support/virtual_time.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::callers;
using tenon_test::counted;

class ChanContext : public testing::TestWithParam<callers> {
 protected:
  template <class F>
  static void body(F&& f) {
    tenon_test::as(GetParam(), std::forward<F>(f));
  }
  template <class F>
  static tenon_test::companion start(F f) {
    return tenon_test::start(GetParam(), std::move(f));
  }
  // Cancels once the caller of this function had its chance to block.
  static tenon_test::companion cancel_soon(const tenon::cancel_scope& c) {
    return start([&c] {
      tenon_test::settle();
      c.cancel();
    });
  }
};
INSTANTIATE_TEST_SUITE_P(By, ChanContext, tenon_test::every_caller, tenon_test::caller_name);

// Go: select with ctx.Done()
TEST_P(ChanContext, WithoutCancelReceivesAndSends) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>(1);
    for (const tenon::context& ctx : {scope.ctx(), tenon::background(), tenon::todo(), tenon::context()}) {
      EXPECT_TRUE(c.send(ctx, 5));
      EXPECT_EQ(c.recv(ctx), 5);
    }
    EXPECT_FALSE(scope.ctx().err());
  });
}

// Go: select with ctx.Done()
TEST_P(ChanContext, HandsOverBetweenBlockedPartners) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>();
    auto sends = start([&] {
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(c.send(scope.ctx(), i));
      c.close();
    });
    int next = 0;
    while (const auto v = c.recv(scope.ctx())) EXPECT_EQ(*v, next++);
    EXPECT_EQ(next, 50);
    EXPECT_FALSE(scope.ctx().err());
    sends.join();
  });
}

// Go: select with ctx.Done(); a value that is there would be as good a choice for Go
TEST_P(ChanContext, AlreadyCanceledTakesNothing) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    scope.cancel();
    const auto c = tenon::make_chan<int>(2, "the test sends one");
    c.send(1);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(c.recv(scope.ctx()), std::nullopt);
    EXPECT_EQ(scope.ctx().err(), tenon::canceled());
    EXPECT_EQ(c.len(), 1U);
    EXPECT_EQ(c.recv(), 1);
  });
}

// Go: select with ctx.Done()
TEST_P(ChanContext, AlreadyCanceledSendsNothing) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    scope.cancel();
    const auto c = tenon::make_chan<int>(1);
    for (int i = 0; i < 50; ++i) EXPECT_FALSE(c.send(scope.ctx(), 1));
    EXPECT_EQ(c.len(), 0U);
    c.close();
    EXPECT_FALSE(c.send(scope.ctx(), 1)) << "it does nothing else, so it does not panic either";
    EXPECT_FALSE(tenon::chan<int>().send(scope.ctx(), 1));
    EXPECT_EQ(tenon::chan<int>().recv(scope.ctx()), std::nullopt);
  });
}

// Go: select with ctx.Done() and a nil channel
TEST_P(ChanContext, CancelEndsAReceiveFromTheNilChannel) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    auto canceler = cancel_soon(scope);
    EXPECT_EQ(tenon::chan<int>().recv(scope.ctx()), std::nullopt);
    EXPECT_EQ(scope.ctx().err(), tenon::canceled());
    EXPECT_EQ(tenon::recv_chan<int>().recv(scope.ctx()), std::nullopt);
    canceler.join();
  });
}

// Go: select with ctx.Done() and a nil channel
TEST_P(ChanContext, CancelEndsASendToTheNilChannel) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    auto canceler = cancel_soon(scope);
    EXPECT_FALSE(tenon::chan<int>().send(scope.ctx(), 1));
    EXPECT_EQ(scope.ctx().err(), tenon::canceled());
    EXPECT_FALSE(tenon::send_chan<int>().send(scope.ctx(), 1));
    canceler.join();
  });
}

// Go: select with ctx.Done()
TEST_P(ChanContext, CancelEndsABlockedReceive) {
  body([] {
    for (const int capacity : {0, 1}) {
      const auto scope = tenon::with_cancel(tenon::background());
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      auto canceler = cancel_soon(scope);
      EXPECT_EQ(c.recv(scope.ctx()), std::nullopt);
      EXPECT_EQ(scope.ctx().err(), tenon::canceled());
      canceler.join();
      // Nobody waits there any more: with a receiver in its queue an unbuffered channel would take this.
      EXPECT_EQ(c.try_send(1), capacity == 1);
      EXPECT_EQ(c.len(), static_cast<std::size_t>(capacity));
    }
  });
}

// Go: select with ctx.Done()
TEST_P(ChanContext, CancelEndsABlockedSend) {
  body([] {
    for (const int capacity : {0, 1}) {
      const auto scope = tenon::with_cancel(tenon::background());
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      for (int i = 0; i < capacity; ++i) c.send(100);
      auto canceler = cancel_soon(scope);
      EXPECT_FALSE(c.send(scope.ctx(), 1));
      canceler.join();
      for (int i = 0; i < capacity; ++i) EXPECT_EQ(c.recv(), 100);
      EXPECT_EQ(c.try_recv(), std::nullopt);
    }
  });
}

// Go: context.WithCancel, the children are canceled with it
TEST_P(ChanContext, CancelOfAnAncestorEndsIt) {
  body([] {
    const auto root = tenon::with_cancel(tenon::background());
    const auto middle = tenon::with_cancel(root.ctx());
    const auto leaf = tenon::with_cancel(middle.ctx());
    auto canceler = cancel_soon(root);
    EXPECT_EQ(tenon::make_chan<int>().recv(leaf.ctx()), std::nullopt);
    EXPECT_EQ(leaf.ctx().err(), tenon::canceled());
    canceler.join();
  });
}

// Go: context.WithTimeout
TEST_P(ChanContext, TheDeadlineEndsIt) {
  body([] {
    const auto c = tenon::make_chan<int>();
    const auto receiving = tenon::with_timeout(tenon::background(), 2ms);
    EXPECT_EQ(c.recv(receiving.ctx()), std::nullopt);
    EXPECT_EQ(receiving.ctx().err(), tenon::deadline_exceeded());
    const auto sending = tenon::with_timeout(tenon::background(), 2ms);
    EXPECT_FALSE(c.send(sending.ctx(), 1));
    EXPECT_EQ(sending.ctx().err(), tenon::deadline_exceeded());
  });
}

// Go: context.WithTimeout
TEST(ChanContextDeadline, EndsItAtItsTime) {
  tenon_test::in_virtual_time([](tenon::group& g) {
    const tenon_test::stopwatch since;
    const auto sent = tenon::make_chan<int>();
    const auto received = tenon::make_chan<int>();
    for (int i = 0; i < 10; ++i) {
      g.go([&, i] {
        const auto scope = tenon::with_timeout(tenon::background(), i * 1ms);
        EXPECT_EQ(received.recv(scope.ctx()), std::nullopt);
        EXPECT_EQ(since(), i * 1ms);
        EXPECT_EQ(scope.ctx().err(), tenon::deadline_exceeded());
      });
      g.go([&, i] {
        const auto scope = tenon::with_timeout(tenon::background(), i * 1ms);
        EXPECT_FALSE(sent.send(scope.ctx(), i));
        EXPECT_EQ(since(), i * 1ms);
      });
    }
    EXPECT_FALSE(g.wait());
    EXPECT_EQ(sent.try_recv(), std::nullopt) << "nobody waits there any more";
    EXPECT_FALSE(received.try_send(1)) << "nobody waits there any more";
  });
}

// Go: closed channels
TEST_P(ChanContext, AClosedChannelEndsAReceiveWithoutAnError) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>(1);
    c.send(3);
    c.close();
    EXPECT_EQ(c.recv(scope.ctx()), 3);
    EXPECT_EQ(c.recv(scope.ctx()), std::nullopt);
    EXPECT_FALSE(scope.ctx().err());
    const auto later = tenon::make_chan<int>();
    auto closer = start([=] {
      tenon_test::settle();
      later.close();
    });
    EXPECT_EQ(later.recv(scope.ctx()), std::nullopt);
    EXPECT_FALSE(scope.ctx().err());
    closer.join();
  });
}

// Go: closed channels
TEST_P(ChanContext, AClosedChannelMakesASendPanic) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>();
    c.close();
    EXPECT_PANIC((void)c.send(scope.ctx(), 1), "send on closed channel");
    const auto later = tenon::make_chan<int>();
    auto closer = start([=] {
      tenon_test::settle();
      later.close();
    });
    EXPECT_PANIC((void)later.send(scope.ctx(), 1), "send on closed channel");
    closer.join();
  });
}

// Go: runtime/select.go, a waiter that gives up leaves the queue and nobody loses their turn
TEST_P(ChanContext, ACanceledReceiverLeavesTheOthersTheirTurn) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>();
    std::atomic<int> sum = 0;
    std::atomic<int> started = 0;
    const auto receive = [&] {
      ++started;
      sum += c.recv().value_or(-1000);
    };
    auto first = start(receive);
    auto second = start([&] {
      ++started;
      EXPECT_EQ(c.recv(scope.ctx()), std::nullopt);
    });
    auto third = start(receive);
    EXPECT_TRUE(tenon_test::eventually([&] { return started == 3; }));
    // Nothing has been sent, so the second one can only end by the cancel.
    scope.cancel();
    second.join();
    c.send(1);
    c.send(2);
    first.join();
    third.join();
    EXPECT_EQ(sum, 3);
    EXPECT_FALSE(c.try_send(4));
  });
}

// Go: runtime/select.go, the same for senders
TEST_P(ChanContext, ACanceledSenderLeavesTheOthersTheirTurn) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<int>();
    std::atomic<int> started = 0;
    const auto plainly = [&](int v) {
      return [&, v] {
        ++started;
        c.send(v);
      };
    };
    auto first = start(plainly(1));
    auto second = start([&] {
      ++started;
      EXPECT_FALSE(c.send(scope.ctx(), 1000));
    });
    auto third = start(plainly(2));
    EXPECT_TRUE(tenon_test::eventually([&] { return started == 3; }));
    scope.cancel();
    second.join();
    EXPECT_EQ(c.recv().value() + c.recv().value(), 3);
    first.join();
    third.join();
    EXPECT_EQ(c.try_recv(), std::nullopt);
  });
}

// tenon: a value that was not sent is destroyed once
TEST_P(ChanContext, AValueThatDidNotGoIsDestroyed) {
  counted::living = 0;
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<counted>(1);
    EXPECT_TRUE(c.send(scope.ctx(), counted(1)));
    auto canceler = cancel_soon(scope);
    EXPECT_FALSE(c.send(scope.ctx(), counted(2)));
    canceler.join();
    EXPECT_EQ(counted::living, 1);
    EXPECT_FALSE(c.send(scope.ctx(), counted(3)));
    EXPECT_EQ(counted::living, 1);
    EXPECT_EQ(c.recv().value().value(), 1);
  });
  EXPECT_EQ(counted::living, 0);
}

// tenon: ownership moves with the value
TEST_P(ChanContext, MovesWhatCanOnlyBeMoved) {
  body([] {
    const auto scope = tenon::with_cancel(tenon::background());
    const auto c = tenon::make_chan<std::unique_ptr<int>>();
    auto sends = start([&] { EXPECT_TRUE(c.send(scope.ctx(), std::make_unique<int>(6))); });
    const auto v = c.recv(scope.ctx());
    sends.join();
    ASSERT_TRUE(v);
    EXPECT_EQ(**v, 6);
  });
}

// tenon: the handle of a goroutine cancels what the goroutine blocks on
TEST(ChanContextHandle, DroppingTheHandleEndsTheGoroutine) {
  tenon::run([](const tenon::context& ctx) {
    const auto c = tenon::make_chan<int>();
    std::atomic<bool> ended = false;
    {
      const auto g = tenon::go(ctx, [&](const tenon::context& child) {
        EXPECT_EQ(c.recv(child), std::nullopt);
        EXPECT_EQ(child.err(), tenon::canceled());
        ended = true;
      });
      EXPECT_TRUE(tenon_test::stays_false(ended));
    }
    EXPECT_TRUE(ended);
    EXPECT_FALSE(ctx.err());
  });
}

}  // namespace
