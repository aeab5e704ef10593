// The try operations, and a select with `otherwise`, for element types of several kinds and sizes.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

struct three_words {
  std::uint64_t a, b, c;
  bool operator==(const three_words&) const = default;
};

// Two values of each type: one that the test sends and one that it receives.
template <class T>
struct sample;
template <>
struct sample<bool> {
  static bool sent() { return true; }
  static bool received() { return true; }
};
template <>
struct sample<std::int8_t> {
  static std::int8_t sent() { return 12; }
  static std::int8_t received() { return -34; }
};
template <>
struct sample<std::int32_t> {
  static std::int32_t sent() { return 123; }
  static std::int32_t received() { return 234; }
};
template <>
struct sample<std::int64_t> {
  static std::int64_t sent() { return 123456789012345; }
  static std::int64_t received() { return -234567890123456; }
};
template <>
struct sample<three_words> {
  static three_words sent() { return {1, 2, 3}; }
  static three_words received() { return {4, 5, 6}; }
};
template <>
struct sample<std::string> {
  static std::string sent() { return "hello"; }
  static std::string received() { return "hello again, this time in a string that does not fit into itself"; }
};
template <>
struct sample<std::array<int, 500>> {
  static std::array<int, 500> sent() {
    std::array<int, 500> a{};
    a.front() = 1;
    a.back() = 500;
    return a;
  }
  static std::array<int, 500> received() {
    std::array<int, 500> a = sent();
    a[250] = 250;
    return a;
  }
};

template <class T>
class ChanNonblock : public testing::Test {};

using element_types =
    testing::Types<bool, std::int8_t, std::int32_t, std::int64_t, three_words, std::string, std::array<int, 500>>;
TYPED_TEST_SUITE(ChanNonblock, element_types);

// Go: test/chan/nonblock.go, nobody has sent
TYPED_TEST(ChanNonblock, NothingToReceive) {
  for (const int capacity : {0, 1, 2}) {
    const auto c = tenon::make_chan<TypeParam>(capacity, "as much as is sent before anybody receives");
    EXPECT_FALSE(c.try_recv());
    std::optional<TypeParam> v = sample<TypeParam>::sent();
    EXPECT_EQ(tenon::select(tenon_test::into(c, v), tenon::otherwise), 1U);
    EXPECT_EQ(v, sample<TypeParam>::sent()) << "the target of a case that did not fire";
  }
}

// Go: test/chan/nonblock.go, nobody receives
TYPED_TEST(ChanNonblock, NoRoomToSend) {
  for (const int capacity : {0, 1, 2}) {
    const auto c = tenon::make_chan<TypeParam>(capacity, "as much as is sent before anybody receives");
    for (int i = 0; i < capacity; ++i) EXPECT_TRUE(c.try_send(sample<TypeParam>::sent()));
    EXPECT_FALSE(c.try_send(sample<TypeParam>::sent()));
    const TypeParam v = sample<TypeParam>::sent();
    EXPECT_FALSE(c.try_send(v));
    EXPECT_EQ(tenon::select(tenon::send(c, v), tenon::otherwise), 1U);
    EXPECT_EQ(c.len(), static_cast<std::size_t>(capacity));
  }
}

// Go: test/chan/nonblock.go, a blocked or coming receiver takes it
TYPED_TEST(ChanNonblock, SendsToAReceiver) {
  for (const bool by_select : {false, true}) {
    for (const int capacity : {0, 1}) {
      tenon::run([&](const tenon::context&) {
        const auto c = tenon::make_chan<TypeParam>(capacity, "as much as is sent before anybody receives");
        auto g = tenon::go([&] { EXPECT_EQ(c.recv(), sample<TypeParam>::sent()); });
        EXPECT_TRUE(tenon_test::eventually([&] {
          return by_select ? tenon::select(tenon::send(c, sample<TypeParam>::sent()), tenon::otherwise) == 0
                           : c.try_send(sample<TypeParam>::sent());
        }));
        g.join();
        EXPECT_EQ(c.len(), 0U);
      });
    }
  }
}

// Go: test/chan/nonblock.go, a blocked or coming sender gives it
TYPED_TEST(ChanNonblock, ReceivesFromASender) {
  for (const bool by_select : {false, true}) {
    for (const int capacity : {0, 1}) {
      tenon::run([&](const tenon::context&) {
        const auto c = tenon::make_chan<TypeParam>(capacity, "as much as is sent before anybody receives");
        auto g = tenon::go([&] { c.send(sample<TypeParam>::received()); });
        std::optional<TypeParam> v;
        EXPECT_TRUE(tenon_test::eventually([&] {
          if (by_select) return tenon::select(tenon_test::into(c, v), tenon::otherwise) == 0;
          v = c.try_recv();
          return v.has_value();
        }));
        EXPECT_EQ(v, sample<TypeParam>::received());
        g.join();
        EXPECT_FALSE(c.try_recv());
      });
    }
  }
}

// Go: test/chan/nonblock.go; what a failed try_send leaves behind is tenon's own promise
TEST(ChanNonblockValue, IsUntouchedWhenItDidNotGo) {
  const auto c = tenon::make_chan<std::unique_ptr<int>>(1);
  EXPECT_TRUE(c.try_send(std::make_unique<int>(1)));
  auto v = std::make_unique<int>(2);
  EXPECT_FALSE(c.try_send(std::move(v)));
  ASSERT_NE(v, nullptr);
  EXPECT_EQ(*v, 2);
  auto out = tenon::send(c, std::move(v));
  EXPECT_EQ(tenon::select(out, tenon::otherwise), 1U);
  v = out.take();
  ASSERT_NE(v, nullptr);
  EXPECT_EQ(*v, 2);
  EXPECT_EQ(*c.recv().value(), 1);
  EXPECT_TRUE(c.try_send(std::move(v)));
  EXPECT_EQ(v, nullptr);
}

// Go: runtime/chan_test.go TestNonblockRecvRace
TEST(ChanNonblock, ReceiveSeesTheValueWhileTheChannelIsClosed) {
  const std::size_t rounds = tenon_test::scaled_spawns(10000);
  tenon::run(
      [&](const tenon::context&) {
        for (std::size_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
          const auto c = tenon::make_chan<int>(1);
          c.send(1);
          auto g = tenon::go([&] {
            // Either the value or, after us, the end of the channel: never "nothing there".
            EXPECT_EQ(tenon::select(tenon::recv(c), tenon::otherwise), 0U) << "round " << i;
          });
          c.close();
          (void)c.recv();
          g.join();
        }
      },
      {.workers = 2});
}

}  // namespace
