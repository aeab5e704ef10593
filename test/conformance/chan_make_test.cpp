// Making channels, their length and capacity, and what a handle is.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"
#include "support/values.hpp"

namespace {

constexpr const char* out_of_range = "makechan: size out of range";

// Go: test/makechan.go
// Go: test/chancap.go, a negative capacity
TEST(MakeChan, RefusesANegativeCapacity) {
  EXPECT_PANIC((void)tenon::make_chan<int>(-1, "as much as is sent before anybody receives"), out_of_range);
  EXPECT_PANIC((void)tenon::make_chan<int>(std::numeric_limits<std::int64_t>::min(),
                                           "as much as is sent before anybody receives"),
               out_of_range);
  EXPECT_PANIC((void)tenon::make_chan<std::string>(-1, "why"), out_of_range);
}

// Go: test/chancap.go, more memory than there can be
TEST(MakeChan, RefusesAnImpossibleCapacity) {
  EXPECT_PANIC((void)tenon::make_chan<int>(std::int64_t{1} << 59, "as much as is sent before anybody receives"),
               out_of_range);
  EXPECT_PANIC((void)tenon::make_chan<int>(std::numeric_limits<std::int64_t>::max(),
                                           "as much as is sent before anybody receives"),
               out_of_range);
}

// Go: test/chancap.go, element size times capacity overflows
TEST(MakeChan, RefusesACapacityWhoseSizeOverflows) {
  using kilobyte = std::array<char, 1024>;
  using odd_size = std::array<char, 24>;
  EXPECT_PANIC((void)tenon::make_chan<kilobyte>(std::int64_t{1} << 54, "as much as is sent before anybody receives"),
               out_of_range);  // 2^64 bytes
  EXPECT_PANIC(
      (void)tenon::make_chan<kilobyte>((std::int64_t{1} << 54) + 1, "as much as is sent before anybody receives"),
      out_of_range);
  EXPECT_PANIC((void)tenon::make_chan<odd_size>(std::numeric_limits<std::int64_t>::max(),
                                                "as much as is sent before anybody receives"),
               out_of_range);
}

// Go: test/makechan.go, from inside a goroutine
TEST(MakeChan, PanicIsRethrownByJoin) {
  tenon::run([](const tenon::context&) {
    auto g = tenon::go([] { return tenon::make_chan<int>(-1, "as much as is sent before anybody receives"); });
    EXPECT_PANIC((void)g.join(), out_of_range);
  });
}

// Go: test/chancap.go, len and cap
TEST(ChanCap, CountsWhatIsBuffered) {
  const auto c = tenon::make_chan<int>(10, "the test sends three");
  EXPECT_EQ(c.len(), 0U);
  EXPECT_EQ(c.cap(), 10U);
  for (int i = 0; i < 3; ++i) c.send(i);
  EXPECT_EQ(c.len(), 3U);
  EXPECT_EQ(c.cap(), 10U);
  (void)c.recv();
  EXPECT_EQ(c.len(), 2U);
  const auto unbuffered = tenon::make_chan<int>();
  EXPECT_EQ(unbuffered.len(), 0U);
  EXPECT_EQ(unbuffered.cap(), 0U);
}

// Go: the specification: len and cap of a nil channel are 0
TEST(ChanCap, OfTheNilChannelIsZero) {
  EXPECT_EQ(tenon::chan<int>().len(), 0U);
  EXPECT_EQ(tenon::chan<int>().cap(), 0U);
  EXPECT_EQ(tenon::send_chan<int>().cap(), 0U);
  EXPECT_EQ(tenon::recv_chan<int>(nullptr).len(), 0U);
}

template <class T>
class ChanOfSize : public testing::Test {};
using sizes = testing::Types<std::array<std::uint8_t, 1>, std::array<std::uint8_t, 2>, std::array<std::uint8_t, 4>,
                             std::array<std::uint8_t, 7>, std::array<std::uint8_t, 8>, std::array<std::uint8_t, 12>,
                             std::array<std::uint8_t, 16>, std::array<std::uint8_t, 17>, std::array<std::uint8_t, 64>>;
TYPED_TEST_SUITE(ChanOfSize, sizes);

template <class T>
T numbered(std::uint8_t first) {
  T v{};
  for (auto& byte : v) byte = ++first;
  return v;
}

// Some sizes are copied by code of their own, each way that a value can go.
TYPED_TEST(ChanOfSize, EveryByteArrivesEveryWay) {
  const auto a = numbered<TypeParam>(1);
  const auto b = numbered<TypeParam>(100);
  const auto c = numbered<TypeParam>(150);
  tenon::run(
      [&](const tenon::context&) {
        const auto buffered = tenon::make_chan<TypeParam>(2, "the test sends one more");
        buffered.send(a);
        buffered.send(b);
        auto third = tenon::go([&] { buffered.send(c); });
        tenon::yield();                 // it waits
        EXPECT_EQ(buffered.recv(), a);  // and puts its own into the place of this one
        EXPECT_EQ(buffered.recv(), b);
        EXPECT_EQ(buffered.recv(), c);
        third.join();

        const auto direct = tenon::make_chan<TypeParam>();
        auto sender = tenon::go([&] { direct.send(a); });
        tenon::yield();
        EXPECT_EQ(direct.recv(), a) << "from a sender that waits";
        sender.join();
        auto receiver = tenon::go([&] { return direct.recv(); });
        tenon::yield();
        direct.send(b);
        EXPECT_EQ(receiver.join(), b) << "by a receiver that waits";
        auto selecting = tenon::go([&] {
          auto from = tenon::recv(direct);
          auto never = tenon::recv(tenon::chan<TypeParam>());
          tenon::select(from, never);
          return *from;
        });
        tenon::yield();
        direct.send(c);
        EXPECT_EQ(selecting.join(), c) << "by a select that waits";
      },
      {.workers = 1});
}

struct empty {};

template <class T>
class ChanOfNothing : public testing::Test {};
using empty_types = testing::Types<empty, std::array<char, 0>>;
TYPED_TEST_SUITE(ChanOfNothing, empty_types);

// Go: test/chan/zerosize.go
TYPED_TEST(ChanOfNothing, CanBeMadeAndUsed) {
  const auto unbuffered = tenon::make_chan<TypeParam>();
  EXPECT_FALSE(unbuffered.try_send(TypeParam{}));
  const auto c = tenon::make_chan<TypeParam>(1);
  c.send({});
  EXPECT_EQ(c.len(), 1U);
  EXPECT_FALSE(c.try_send(TypeParam{}));
  EXPECT_TRUE(c.recv());
  tenon::run([&](const tenon::context&) {
    auto g = tenon::go([&] { unbuffered.send({}); });
    EXPECT_TRUE(unbuffered.recv());
    g.join();
  });
  c.close();
  EXPECT_FALSE(c.recv());
}

// Go: test/chan/zerosize.go
TEST(ChanOfVoid, IsASignalWithoutAValue) {
  const auto unbuffered = tenon::make_chan<void>();
  EXPECT_FALSE(unbuffered.try_send());
  EXPECT_FALSE(unbuffered.try_recv());
  const auto c = tenon::make_chan<void>(1);
  c.send();
  EXPECT_EQ(c.len(), 1U);
  EXPECT_FALSE(c.try_send());
  EXPECT_TRUE(c.recv());
  tenon::run([&](const tenon::context& ctx) {
    auto g = tenon::go([&] {
      unbuffered.send();
      EXPECT_TRUE(unbuffered.send(ctx));
    });
    EXPECT_TRUE(unbuffered.recv());
    EXPECT_TRUE(unbuffered.recv(ctx));
    g.join();
  });
  auto out = tenon::send(c);
  auto in = tenon::recv(c);
  tenon::select(out, in);
  EXPECT_TRUE(out);
  EXPECT_FALSE(in);
  tenon::select(out, in);
  EXPECT_TRUE(in);
  EXPECT_FALSE(in.closed());
  c.close();
  tenon::select(in);
  EXPECT_TRUE(in.closed());
  EXPECT_FALSE(c.recv());
}

// Go: test/chan/sendstmt.go, a channel that carries channels, and a send to what comes out of it
TEST(ChanOfChans, HandsOverTheChannelItself) {
  const auto outer = tenon::make_chan<tenon::chan<int>>(1);
  const auto inner = tenon::make_chan<int>(1);
  outer.send(inner);
  EXPECT_EQ(tenon::select(tenon::send(outer.recv().value(), 2), tenon::otherwise), 0U);
  EXPECT_EQ(inner.recv(), 2);
}

// Go: runtime/chan_test.go TestChanSendInterface: values of one static type and several dynamic ones
TEST(ChanOfInterfaces, CarriesWhateverImplementsThem) {
  struct shape {
    virtual ~shape() = default;
    [[nodiscard]] virtual int sides() const = 0;
  };
  struct triangle : shape {
    [[nodiscard]] int sides() const override { return 3; }
  };
  struct square : shape {
    [[nodiscard]] int sides() const override { return 4; }
  };
  const auto c = tenon::make_chan<std::unique_ptr<shape>>(1);
  c.send(std::make_unique<triangle>());
  std::unique_ptr<shape> late = std::make_unique<square>();
  EXPECT_FALSE(c.try_send(std::move(late)));
  auto later = tenon::send(c, std::move(late));
  EXPECT_EQ(tenon::select(later, tenon::send(c, std::make_unique<triangle>()), tenon::otherwise), 2U);
  late = later.take();
  EXPECT_EQ(c.recv().value()->sides(), 3);
  c.send(std::move(late));
  EXPECT_EQ(c.recv().value()->sides(), 4);
}

// Go: the specification: channel values are references, comparable, and nil when not made
TEST(ChanHandle, RefersToOneChannel) {
  const auto a = tenon::make_chan<int>(1);
  const auto b = a;
  EXPECT_EQ(a, b);
  EXPECT_FALSE(a == tenon::make_chan<int>(1));
  b.send(5);
  EXPECT_EQ(a.recv(), 5);
  EXPECT_TRUE(a);
  tenon::chan<int> c = a;
  c = nullptr;
  EXPECT_FALSE(c);
  EXPECT_TRUE(a);
  EXPECT_EQ(c, tenon::chan<int>());
}

// Go: test/chan/perm.go, the conversions that are allowed
TEST(ChanHandle, NarrowsToOneDirection) {
  const auto c = tenon::make_chan<int>(1);
  const tenon::send_chan<int> in = c;
  const tenon::recv_chan<int> out = c;
  in.send(8);
  EXPECT_EQ(out.len(), 1U);
  EXPECT_EQ(out.recv(), 8);
  EXPECT_EQ(tenon::select(tenon::recv(out), tenon::send(in, 9)), 1U);
  EXPECT_EQ(tenon::select(tenon::send(in, 10), tenon::recv(out)), 1U);
  in.close();
  EXPECT_EQ(c.recv(), std::nullopt);
  EXPECT_EQ(in, tenon::send_chan<int>(c));
  static_assert(std::is_convertible_v<tenon::chan<int>, tenon::send_chan<int>>);
  static_assert(std::is_convertible_v<tenon::chan<int>, tenon::recv_chan<int>>);
  static_assert(!std::is_convertible_v<tenon::send_chan<int>, tenon::recv_chan<int>>);
  static_assert(!std::is_constructible_v<tenon::chan<int>, tenon::recv_chan<int>>);
}

// Go: garbage collection; here the last handle to go takes the channel and what is in it along
TEST(ChanHandle, TheLastOneTakesTheBufferedValuesAlong) {
  tenon_test::counted::living = 0;
  {
    tenon::recv_chan<tenon_test::counted> out;
    {
      const auto c = tenon::make_chan<tenon_test::counted>(5, "the test sends four");
      out = c;
      for (int i = 0; i < 4; ++i) c.send(tenon_test::counted(i));
    }
    EXPECT_EQ(out.recv().value().value(), 0);
    EXPECT_EQ(tenon_test::counted::living, 3);
  }
  EXPECT_EQ(tenon_test::counted::living, 0);
}

}  // namespace
