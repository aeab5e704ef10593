// A value, or the error that there is none.

#include <gtest/gtest.h>

#include <any>
#include <memory>
#include <string>
#include <system_error>

#include <tenon/tenon.hpp>

#include "support/panics.hpp"

/// As Boost.Asio's codes are: an int as well.
enum legacy_code { legacy_eof = 2 };
template <>
struct std::is_error_code_enum<legacy_code> : std::true_type {};
std::error_code make_error_code(legacy_code c) { return {c, std::generic_category()}; }

namespace {

using tenon::error;
using tenon::result;

result<int> half(int n) {
  if (n % 2 != 0) return error("odd");
  return n / 2;
}

TEST(Result, HoldsAValue) {
  const auto r = half(8);
  EXPECT_TRUE(r);
  EXPECT_TRUE(r.has_value());
  EXPECT_EQ(*r, 4);
  EXPECT_EQ(r.value(), 4);
  EXPECT_FALSE(r.err());
  EXPECT_EQ(r.value_or(7), 4);
}

TEST(Result, IsMadeFromWhatItsValueIsMadeFrom) {
  const auto text = [](bool there) -> result<std::string> {
    if (!there) return error("nothing there");
    return "here";
  };
  EXPECT_EQ(*text(true), "here");
  EXPECT_EQ(text(false).err().message(), "nothing there");
  const result<std::any> any(7);
  const result<std::any> same = any;  // NOLINT: a copy, and no value of its own
  EXPECT_EQ(std::any_cast<int>(*same), 7);
  result<std::any> once_more = same;
  const result<std::any> from_another(once_more);  // NOLINT: likewise
  EXPECT_EQ(std::any_cast<int>(*from_another), 7);
  static_assert(!std::is_constructible_v<result<int>, std::string>);
  static_assert(!std::is_convertible_v<int, result<std::unique_ptr<int>>>);
}

TEST(Result, OrSaysWhyThereIsNone) {
  const auto r = half(7);
  EXPECT_FALSE(r);
  EXPECT_EQ(r.err().message(), "odd");
  EXPECT_EQ(r.value_or(7), 7);
  EXPECT_THROW((void)r.value(), std::runtime_error);
  EXPECT_THROW((void)*r, std::runtime_error);
}

TEST(Result, IsMadeFromWhatAnErrorIsMadeFrom) {
  const result<std::string> code = std::make_error_code(std::errc::timed_out);
  EXPECT_TRUE(code.err().is(std::errc::timed_out));
  EXPECT_THROW((void)code.value(), std::system_error);
  EXPECT_PANIC((void)result<int>(error{}), "tenon: a result made from no error and without a value");
}

TEST(Result, TakesAnErrorForOneEvenIfItIsAValueAsWell) {
  const result<int> number = legacy_eof;
  EXPECT_EQ(number.err().code(), make_error_code(legacy_eof));
  const result<std::any> anything = error("gone");
  EXPECT_EQ(anything.err().message(), "gone");
  const result<legacy_code> code = legacy_eof;
  EXPECT_EQ(*code, legacy_eof);
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  result<std::unique_ptr<int>> r = std::make_unique<int>(3);
  EXPECT_EQ(**r, 3);
  const std::unique_ptr<int> mine = *std::move(r);
  EXPECT_EQ(*mine, 3);
  result<std::string> s = std::string("abc");
  EXPECT_EQ(s->size(), 3U);
}

TEST(Result, GoesThroughChannelsAndGoroutines) {
  tenon::run([] {
    auto g = tenon::go([] { return half(10); });
    EXPECT_EQ(*g.join(), 5);
    const auto c = tenon::make_chan<result<int>>(2, "the test sends two");
    c.send(half(2));
    c.send(half(3));
    EXPECT_EQ(**c.recv(), 1);
    EXPECT_EQ(c.recv()->err().message(), "odd");
  });
}

}  // namespace
