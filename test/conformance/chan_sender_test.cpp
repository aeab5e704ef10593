// sender<T>: the last copy closes the channel.

#include <gtest/gtest.h>

#include <memory>
#include <type_traits>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/panics.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::callers;

bool is_closed(const tenon::chan<int>& c) { return tenon::select(tenon::recv(c), tenon::otherwise) == 0; }

// Go: a WaitGroup and a goroutine that waits and closes
TEST(Sender, TheLastCopyCloses) {
  const auto c = tenon::make_chan<int>();
  {
    const tenon::sender first(c);
    {
      const tenon::sender<int> second = first.clone();
      EXPECT_FALSE(is_closed(c));
    }
    EXPECT_FALSE(is_closed(c));
  }
  EXPECT_TRUE(is_closed(c));
}

// tenon: a sender can go before its scope ends
TEST(Sender, ReleaseGivesACopyUpEarly) {
  const auto c = tenon::make_chan<int>();
  tenon::sender a(c);
  tenon::sender<int> b = a.clone();
  a.release();
  EXPECT_FALSE(is_closed(c));
  a.release();
  EXPECT_FALSE(is_closed(c));
  b.release();
  EXPECT_TRUE(is_closed(c));
}

// tenon: copies are counted, moves are not
TEST(Sender, MovingAndAssigningKeepTheCount) {
  const auto c = tenon::make_chan<int>();
  const auto d = tenon::make_chan<int>();
  tenon::sender a(c);
  tenon::sender<int> b = std::move(a);
  EXPECT_FALSE(is_closed(c));
  b = tenon::sender(d);
  EXPECT_TRUE(is_closed(c));
  EXPECT_FALSE(is_closed(d));
  b = tenon::sender<int>();
  EXPECT_TRUE(is_closed(d));
}

// Go: a nil channel
TEST(Sender, AnEmptyOneSendsOnTheNilChannel) {
  const tenon::sender<int> empty;
  EXPECT_FALSE(empty);
  EXPECT_FALSE(empty.try_send(1));
  const auto scope = tenon::with_cancel(tenon::background());
  scope.cancel();
  EXPECT_FALSE(empty.send(scope.ctx(), 1));
  EXPECT_EQ(tenon::select(tenon::send(empty, 1), tenon::otherwise), 1U);
}

// tenon: the sending side is enough to make one
TEST(Sender, CanBeMadeOfTheSendingSide) {
  const auto c = tenon::make_chan<int>(1);
  const tenon::send_chan<int> in = c;
  {
    const tenon::sender tx(in);
    static_assert(std::is_same_v<decltype(tx), const tenon::sender<int>>);
    tx.send(4);
  }
  EXPECT_EQ(c.recv(), 4);
  EXPECT_EQ(c.recv(), std::nullopt);
}

// tenon: the same operations as the channel has
TEST(Sender, SendsLikeTheChannel) {
  const auto c = tenon::make_chan<std::unique_ptr<int>>(2, "the test sends two");
  const auto scope = tenon::with_cancel(tenon::background());
  const tenon::sender tx(c);
  EXPECT_TRUE(tx.try_send(std::make_unique<int>(1)));
  EXPECT_TRUE(tx.send(scope.ctx(), std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(tx.try_send(std::move(third)));
  ASSERT_NE(third, nullptr);
  auto case_of_third = tenon::send(tx, std::move(third));
  EXPECT_EQ(tenon::select(case_of_third, tenon::otherwise), 1U);
  third = case_of_third.take();
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(*c.recv().value(), 1);
  EXPECT_EQ(*c.recv().value(), 2);
  scope.cancel();
  EXPECT_FALSE(tx.send(scope.ctx(), std::move(third)));
  EXPECT_NE(third, nullptr);
}

class SenderOf : public testing::TestWithParam<callers> {};
INSTANTIATE_TEST_SUITE_P(By, SenderOf, tenon_test::every_caller, tenon_test::caller_name);

// Go: the fan-in with a WaitGroup
TEST_P(SenderOf, SeveralEndsTheRangeAfterAllOfThem) {
  tenon_test::as(GetParam(), [] {
    constexpr int senders = 8;
    const int values = static_cast<int>(tenon_test::scaled(500, 20));
    const auto out = tenon::make_chan<int>(3, "as much as is sent before anybody receives");
    std::vector<tenon_test::companion> producers;
    {
      const tenon::sender tx(out);
      for (int i = 0; i < senders; ++i) {
        producers.push_back(tenon_test::start(GetParam(), [tx = tx.clone(), values] {
          for (int v = 1; v <= values; ++v) tx.send(v);
        }));
      }
    }
    long sum = 0;
    for (const int v : out) sum += v;
    EXPECT_EQ(sum, static_cast<long>(senders) * values * (values + 1) / 2);
    for (auto& p : producers) p.join();
  });
}

// tenon: an exception that leaves a sender's goroutine gives its copy up, so that nobody waits for it for ever
TEST_P(SenderOf, AFailedProducerStillCloses) {
  tenon_test::as(GetParam(), [] {
    const auto out = tenon::make_chan<int>();
    auto failing = tenon_test::start(GetParam(), [out] {
      const tenon::sender mine(out);
      mine.send(1);
      throw std::runtime_error("lost interest");
    });
    EXPECT_EQ(out.recv(), 1);
    EXPECT_EQ(out.recv(), std::nullopt);
    EXPECT_THROW(failing.join(), std::runtime_error);
  });
}

}  // namespace
