// Closed channels, and the panics around close, by plain operations and by selects, for every kind of caller.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
#include "support/panics.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::callers;

constexpr const char* send_on_closed = "send on closed channel";
constexpr const char* close_of_nil = "close of nil channel";
constexpr const char* close_of_closed = "close of closed channel";

// What a receive that does not wait can come to.
struct polled {
  bool fired;
  std::optional<int> value;
  bool operator==(const polled&) const = default;
};

// The plain operations. `try_recv` cannot tell a closed channel from an empty one, so polling asks a select.
struct plain_operations {
  static void send(const tenon::chan<int>& c, int v) { c.send(v); }
  static bool try_send(const tenon::chan<int>& c, int v) { return c.try_send(v); }
  static std::optional<int> recv(const tenon::chan<int>& c) { return c.recv(); }
  static polled poll(const tenon::chan<int>& c) {
    std::optional<int> v;
    const bool over = tenon::select(tenon_test::into(c, v), tenon::otherwise) == 0;
    return {over, v};
  }
};

// Selects of one case.
struct small_selects {
  static void send(const tenon::chan<int>& c, int v) { tenon::select(tenon::send(c, v)); }
  static bool try_send(const tenon::chan<int>& c, int v) {
    return tenon::select(tenon::otherwise, tenon::send(c, v)) == 1;
  }
  static std::optional<int> recv(const tenon::chan<int>& c) {
    std::optional<int> v = -1;
    tenon::select(tenon_test::into(c, v));
    return v;
  }
  static polled poll(const tenon::chan<int>& c) {
    std::optional<int> v;
    const bool over = tenon::select(tenon::otherwise, tenon_test::into(c, v)) == 1;
    return {over, v};
  }
};

// Selects with a case that never fires.
struct large_selects {
  static inline const tenon::chan<bool> never = tenon::make_chan<bool>();
  static void send(const tenon::chan<int>& c, int v) {
    EXPECT_EQ(tenon::select(tenon::send(c, v), tenon::recv(never)), 0U);
  }
  static bool try_send(const tenon::chan<int>& c, int v) {
    return tenon::select(tenon::otherwise, tenon::recv(never), tenon::send(c, v)) == 2;
  }
  static std::optional<int> recv(const tenon::chan<int>& c) {
    std::optional<int> v = -1;
    EXPECT_EQ(tenon::select(tenon::recv(never), tenon_test::into(c, v)), 1U);
    return v;
  }
  static polled poll(const tenon::chan<int>& c) {
    std::optional<int> v;
    const bool over = tenon::select(tenon::recv(never), tenon::otherwise, tenon_test::into(c, v)) == 2;
    return {over, v};
  }
};

template <class Operations>
class ClosedChan : public testing::Test {
 protected:
  // A closed and drained channel stays so, whatever one does to it.
  static void expect_over(const tenon::chan<int>& c) {
    for (int again = 0; again < 3; ++again) {
      EXPECT_EQ(Operations::recv(c), std::nullopt);
      EXPECT_EQ(Operations::poll(c), (polled{true, std::nullopt}));
    }
    EXPECT_PANIC((void)Operations::try_send(c, 1), send_on_closed);
    EXPECT_EQ(Operations::recv(c), std::nullopt);
    EXPECT_PANIC(Operations::send(c, 2), send_on_closed);
    EXPECT_EQ(Operations::recv(c), std::nullopt);
    EXPECT_PANIC(c.close(), close_of_closed);
    EXPECT_EQ(Operations::poll(c), (polled{true, std::nullopt}));
  }
};

using operation_types = testing::Types<plain_operations, small_selects, large_selects>;
TYPED_TEST_SUITE(ClosedChan, operation_types);

// Go: test/closedchan.go, unbuffered
TYPED_TEST(ClosedChan, UnbufferedIsOverAtOnce) {
  const auto c = tenon::make_chan<int>();
  c.close();
  TestFixture::expect_over(c);
}

// Go: test/closedchan.go, a value is still in the buffer
TYPED_TEST(ClosedChan, BufferedGivesItsValueFirst) {
  for (const bool polling : {false, true}) {
    const auto c = tenon::make_chan<int>(2, "the test sends one");
    c.send(1);
    c.close();
    EXPECT_PANIC(TypeParam::send(c, 2), send_on_closed);
    if (polling) {
      EXPECT_EQ(TypeParam::poll(c), (polled{true, 1}));
    } else {
      EXPECT_EQ(TypeParam::recv(c), 1);
    }
    TestFixture::expect_over(c);
  }
}

// Go: for range c {}
TEST(Drain, TakesWhatIsLeftUntilTheClose) {
  const auto c = tenon::make_chan<int>(3, "the test sends three");
  for (int i = 0; i < 3; ++i) c.send(i);
  c.close();
  EXPECT_EQ(tenon::drain(c), 3U);
  EXPECT_EQ(tenon::drain(tenon::recv_chan<int>(c)), 0U);
  tenon::run([](tenon::group& g) {
    const auto numbers = g.produce<int>([](tenon::sender<int>& out) {
      for (int i = 0; i < 100; ++i) out.send(i);
    });
    EXPECT_EQ(numbers.recv(), 0);
    EXPECT_EQ(tenon::drain(numbers), 99U);
    const auto signals = g.produce<void>([](tenon::sender<void>& out) {
      out.send();
      out.send();
    });
    EXPECT_EQ(tenon::drain(g.ctx(), signals), 2U);
    const auto never = tenon::make_chan<int>();
    auto scope = tenon::with_cancel(g.ctx());
    scope.cancel();
    EXPECT_EQ(tenon::drain(scope.ctx(), never), 0U);
  });
}

// Go: test/closedchan.go
TYPED_TEST(ClosedChan, OpenAndEmptyIsNeitherReadyNorOver) {
  for (const int capacity : {0, 1}) {
    const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
    EXPECT_EQ(TypeParam::poll(c), (polled{false, std::nullopt}));
    EXPECT_EQ(TypeParam::try_send(c, 1), capacity == 1);
  }
}

class Close : public testing::TestWithParam<callers> {};
INSTANTIATE_TEST_SUITE_P(By, Close, tenon_test::every_caller, tenon_test::caller_name);

// Go: test/closedchan.go, with the texts of runtime/chan.go
TEST_P(Close, MisuseIsAPanicWithGosText) {
  tenon_test::as(GetParam(), [] {
    EXPECT_PANIC(tenon::chan<int>().close(), close_of_nil);
    EXPECT_PANIC(tenon::send_chan<int>().close(), close_of_nil);
    for (const int capacity : {0, 1}) {
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      c.close();
      EXPECT_PANIC(c.close(), close_of_closed);
      EXPECT_PANIC(tenon::send_chan<int>(c).close(), close_of_closed);
      EXPECT_PANIC(c.send(1), send_on_closed);
      EXPECT_PANIC((void)c.try_send(1), send_on_closed);
      EXPECT_PANIC(tenon::select(tenon::send(c, 1)), send_on_closed);
      EXPECT_PANIC(tenon::select(tenon::send(c, 1), tenon::otherwise), send_on_closed);
      EXPECT_PANIC((void)c.send(tenon::background(), 1), send_on_closed);
      EXPECT_EQ(c.recv(), std::nullopt);
    }
  });
}

// Go: runtime/chan.go, a panic unwinds the goroutine; here join hands it on
TEST_P(Close, PanicReachesWhoeverJoins) {
  tenon_test::as(GetParam(), [] {
    const auto c = tenon::make_chan<int>();
    c.close();
    auto sends = tenon_test::start(GetParam(), [=] { c.send(1); });
    EXPECT_PANIC(sends.join(), send_on_closed);
    auto closes = tenon_test::start(GetParam(), [=] { c.close(); });
    EXPECT_PANIC(closes.join(), close_of_closed);
    auto closes_nil = tenon_test::start(GetParam(), [=] { tenon::chan<int>().close(); });
    EXPECT_PANIC(closes_nil.join(), close_of_nil);
  });
}

// Go: runtime/chan.go closechan: waiting receivers get the end of the channel
TEST_P(Close, WakesWaitingReceivers) {
  tenon_test::as(GetParam(), [] {
    const auto c = tenon::make_chan<int>();
    std::atomic<int> started = 0;
    std::vector<tenon_test::companion> waiting;
    for (int i = 0; i < 6; ++i) {
      waiting.push_back(tenon_test::start(GetParam(), [&, i] {
        ++started;
        std::optional<int> v = 7;
        if (i % 2 == 0) {
          v = c.recv();
        } else {
          tenon::select(tenon::recv(tenon::chan<int>()), tenon_test::into(c, v));
        }
        EXPECT_EQ(v, std::nullopt);
      }));
    }
    EXPECT_TRUE(tenon_test::eventually([&] { return started == 6; }));
    tenon_test::settle();
    c.close();
    for (auto& w : waiting) w.join();
  });
}

// Go: runtime/chan.go closechan: waiting senders panic, and nobody gets their values
TEST_P(Close, MakesWaitingSendersPanic) {
  tenon_test::as(GetParam(), [] {
    for (const int capacity : {0, 1}) {
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      for (int i = 0; i < capacity; ++i) c.send(100);
      std::atomic<int> started = 0;
      std::vector<tenon_test::companion> waiting;
      for (int i = 0; i < 6; ++i) {
        waiting.push_back(tenon_test::start(GetParam(), [&, i] {
          ++started;
          switch (i % 3) {
            case 0: c.send(i); break;
            case 1: (void)c.send(tenon::background(), i); break;
            default: tenon::select(tenon::send(c, i), tenon::recv(tenon::chan<int>())); break;
          }
        }));
      }
      EXPECT_TRUE(tenon_test::eventually([&] { return started == 6; }));
      tenon_test::settle();
      c.close();
      for (auto& w : waiting) EXPECT_PANIC(w.join(), send_on_closed);
      for (int i = 0; i < capacity; ++i) EXPECT_EQ(c.recv(), 100);
      EXPECT_EQ(c.recv(), std::nullopt);
    }
  });
}

// Go: the specification, range over a channel
TEST_P(Close, EndsARange) {
  tenon_test::as(GetParam(), [] {
    const auto c = tenon::make_chan<int>(3, "as much as is sent before anybody receives");
    auto producer = tenon_test::start(GetParam(), [=] {
      for (int i = 0; i < 50; ++i) c.send(i);
      c.close();
    });
    int next = 0;
    for (const int v : c) EXPECT_EQ(v, next++);
    EXPECT_EQ(next, 50);
    producer.join();
    for (const int v : c) ADD_FAILURE() << "after the end: " << v;
  });
}

// Go: the specification, the range expression is evaluated once
TEST_P(Close, EndsARangeWhoseHandleTheBodySetsToNil) {
  tenon_test::as(GetParam(), [] {
    auto c = tenon::make_chan<int>(3, "the test sends three");
    for (int i = 0; i < 3; ++i) c.send(i);
    c.close();
    int next = 0;
    for (const int v : c) {
      c = nullptr;  // the last handle
      EXPECT_EQ(v, next++);
    }
    EXPECT_EQ(next, 3);
  });
}

// Go: runtime/chan.go closechan: of several closes at once one succeeds, and every other one panics
TEST_P(Close, OnlyOneOfManySucceeds) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      const auto c = tenon::make_chan<int>();
      std::atomic<int> closed = 0;
      std::atomic<int> panicked = 0;
      std::vector<tenon_test::companion> all;
      for (int i = 0; i < 4; ++i) {
        all.push_back(tenon_test::start(GetParam(), [&] {
          const std::string text = tenon_test::panic_text([&] { c.close(); });
          if (text == "no panic") {
            ++closed;
          } else {
            EXPECT_EQ(text, close_of_closed);
            ++panicked;
          }
        }));
      }
      for (auto& one : all) one.join();
      EXPECT_EQ(closed, 1);
      EXPECT_EQ(panicked, 3);
    }
  });
}

// Go: the memory model: a close is seen together with what came before it
TEST_P(Close, PublishesWhatCameBefore) {
  tenon_test::as(GetParam(), [] {
    for (int round = 0; round < 20; ++round) {
      int written = 0;
      const auto c = tenon::make_chan<void>();
      auto writer = tenon_test::start(GetParam(), [&] {
        written = round + 1;
        c.close();
      });
      (void)c.recv();
      EXPECT_EQ(written, round + 1);
      writer.join();
    }
  });
}

}  // namespace
