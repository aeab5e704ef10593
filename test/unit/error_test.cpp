#include <tenon/error.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/panic.hpp>

#include "support/panics.hpp"

namespace {

using tenon::error;

static_assert(std::is_nothrow_default_constructible_v<error>);
static_assert(std::is_nothrow_copy_constructible_v<error>);
static_assert(std::is_nothrow_move_constructible_v<error>);
static_assert(std::is_nothrow_move_assignable_v<error>);
static_assert(sizeof(error) == sizeof(void*));
static_assert(std::is_error_code_enum_v<tenon::errc>);
static_assert(!std::is_convertible_v<std::string, error>);

error succeed() { return nullptr; }
error fail() { return std::make_error_code(std::errc::connection_refused); }

TEST(Error, NoneIsFalseAndPrintsAsGoDoes) {
  const error none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.message(), "<nil>");
  EXPECT_EQ(none.code(), std::error_code());
  EXPECT_FALSE(none.is(tenon::errc::canceled));
  EXPECT_FALSE(none.is(std::errc::timed_out));
  EXPECT_FALSE(none.cause());
  EXPECT_EQ(none.exception(), nullptr);
  EXPECT_EQ(none, error(nullptr));
  EXPECT_FALSE(succeed());
}

TEST(Error, ReadsAsInGo) {
  if (const error e = fail()) {
    EXPECT_TRUE(e.is(std::errc::connection_refused));
  } else {
    ADD_FAILURE();
  }
}

TEST(Error, OfACodeHasItsText) {
  const error e(std::make_error_code(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(e);
  EXPECT_EQ(e.message(), "No such file or directory");
  EXPECT_EQ(e.code(), std::errc::no_such_file_or_directory);
  EXPECT_TRUE(e.is(std::errc::no_such_file_or_directory));
  EXPECT_FALSE(e.is(std::errc::permission_denied));
  EXPECT_FALSE(e.cause());
}

TEST(Error, OfACodeOfZeroIsNone) {
  EXPECT_FALSE(error(std::error_code()));
  EXPECT_FALSE(error(std::error_code(0, std::system_category())));
  EXPECT_FALSE(error(std::error_code(0, tenon::error_category())));
}

TEST(Error, OfACodeEnumConverts) {
  const error e = tenon::errc::deadline_exceeded;
  EXPECT_TRUE(e.is(tenon::errc::deadline_exceeded));
  EXPECT_EQ(e, tenon::deadline_exceeded());
}

TEST(Error, OfACodeAndAPlaceSaysBoth) {
  const error e(std::make_error_code(std::errc::permission_denied), "open config");
  EXPECT_EQ(e.message(), "open config: Permission denied");
  EXPECT_TRUE(e.is(std::errc::permission_denied));
  EXPECT_EQ(e.code(), std::errc::permission_denied);
}

TEST(Error, OfAMessageIsThatMessage) {
  const error e(std::string("out of luck"));
  EXPECT_TRUE(e);
  EXPECT_EQ(e.message(), "out of luck");
  EXPECT_EQ(e.code(), std::error_code());
  EXPECT_FALSE(e.is(tenon::errc::canceled));
  const error empty{std::string()};
  EXPECT_TRUE(empty) << "an error without a text is one";
  EXPECT_EQ(empty.message(), "");
}

TEST(Error, WithACauseFindsItsCode) {
  const error root(std::make_error_code(std::errc::broken_pipe));
  const error middle("while copying", root);
  const error outer("job 7", middle);
  EXPECT_EQ(outer.cause(), middle);
  EXPECT_EQ(outer.cause().cause(), root);
  EXPECT_FALSE(outer.cause().cause().cause());
  EXPECT_TRUE(outer.is(std::errc::broken_pipe));
  EXPECT_TRUE(outer.is(std::make_error_code(std::errc::broken_pipe)));
  EXPECT_FALSE(outer.is(std::errc::timed_out));
  EXPECT_NE(outer.message().find("job 7"), std::string::npos) << outer.message();
  const error without("alone", nullptr);
  EXPECT_FALSE(without.cause());
  EXPECT_EQ(without.message(), "alone");
}

TEST(Error, OfAnExceptionKeepsIt) {
  const error e(std::make_exception_ptr(std::out_of_range("index 9")));
  EXPECT_TRUE(e);
  EXPECT_EQ(e.message(), "index 9");
  EXPECT_NE(e.exception(), nullptr);
  EXPECT_THROW(e.rethrow(), std::out_of_range);
  EXPECT_THROW(e.rethrow(), std::out_of_range) << "as often as one likes";
}

TEST(Error, OfASystemErrorHasItsCode) {
  const auto code = std::make_error_code(std::errc::address_in_use);
  const error e(std::make_exception_ptr(std::system_error(code, "bind")));
  EXPECT_TRUE(e.is(std::errc::address_in_use));
  EXPECT_EQ(e.code(), code);
}

TEST(Error, OfAnythingThrownIsAnError) {
  const error e(std::make_exception_ptr(42));
  EXPECT_TRUE(e);
  EXPECT_FALSE(e.message().empty());
  EXPECT_THROW(e.rethrow(), int);
}

TEST(Error, OfNoExceptionIsNone) { EXPECT_FALSE(error(std::exception_ptr())); }

TEST(Error, IsThrownAsWhatItWas) {
  EXPECT_THROW(tenon::canceled().rethrow(), std::system_error);
  try {
    error(std::make_error_code(std::errc::timed_out), "read").rethrow();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::timed_out);
    EXPECT_NE(std::string(e.what()).find("read"), std::string::npos) << e.what();
  }
  try {
    error(std::string("a message")).rethrow();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "a message");
  }
}

TEST(Error, NoneCannotBeThrown) { EXPECT_THROW(error().rethrow(), tenon::panic); }

TEST(Error, TheTwoOfContexts) {
  EXPECT_EQ(tenon::canceled().message(), "context canceled");
  EXPECT_EQ(tenon::deadline_exceeded().message(), "context deadline exceeded");
  EXPECT_EQ(tenon::canceled(), tenon::canceled());
  EXPECT_FALSE(tenon::canceled() == tenon::deadline_exceeded());
  EXPECT_TRUE(tenon::canceled().is(tenon::errc::canceled));
  EXPECT_TRUE(tenon::deadline_exceeded().is(tenon::errc::deadline_exceeded));
  EXPECT_TRUE(tenon::deadline_exceeded().is(std::errc::timed_out));
  EXPECT_TRUE(tenon::canceled().is(std::errc::operation_canceled));
  EXPECT_FALSE(tenon::canceled().is(tenon::errc::deadline_exceeded));
  EXPECT_TRUE(error("fetch", tenon::canceled()).is(tenon::errc::canceled));
}

TEST(Error, CodesAreOfTheirCategory) {
  const std::error_code code = tenon::errc::canceled;
  EXPECT_EQ(&code.category(), &tenon::error_category());
  EXPECT_EQ(code.message(), "context canceled");
  EXPECT_STREQ(tenon::error_category().name(), "tenon");
  EXPECT_FALSE(tenon::error_category().message(99).empty());
}

TEST(Error, EqualMeansTheSame) {
  const error a(std::string("text"));
  const error b(std::string("text"));
  const error copy = a;  // NOLINT: the copy is the point
  EXPECT_EQ(a, copy);
  EXPECT_FALSE(a == b) << "two errors with one text";
  const error refused = std::make_error_code(std::errc::connection_refused);
  EXPECT_EQ(refused, fail()) << "one code, without a message of its own";
  EXPECT_FALSE(refused == error(std::make_error_code(std::errc::connection_refused), "dial"));
  EXPECT_FALSE(a == error());
}

TEST(Error, CopiesShareAndMovesLeaveNothing) {
  error a(std::string("text"));
  error b = a;
  EXPECT_EQ(a, b);
  const error c = std::move(a);
  EXPECT_FALSE(a);  // NOLINT: moved from on purpose
  EXPECT_EQ(b, c);
  a = b;
  EXPECT_EQ(a, c);
  b = nullptr;
  EXPECT_FALSE(b);
  a = *&a;  // NOLINT: assigned to itself on purpose
  EXPECT_EQ(a.message(), "text");
}

TEST(Error, MayBeCopiedByManyThreadsAtOnce) {
  const error shared("outer", error(std::make_exception_ptr(std::runtime_error("inner"))));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&shared] {
      for (int j = 0; j < 1000; ++j) {
        const error copy = shared;  // NOLINT: the copy is the point
        EXPECT_EQ(copy.cause().message(), "inner");
      }
    });
  }
  for (auto& t : threads) t.join();
}

TEST(Error, IsWrittenAsItsText) {
  std::ostringstream out;
  out << error("open", std::make_error_code(std::errc::permission_denied)) << "; " << error();
  EXPECT_EQ(out.str(), "open: Permission denied; <nil>");
}

TEST(Error, ALongChainOfCausesEnds) {
  error e = std::make_error_code(std::errc::io_error);
  for (int i = 0; i < 100000; ++i) e = error("layer", std::move(e));
  EXPECT_TRUE(e.is(std::errc::io_error));
  EXPECT_GT(e.message().size(), 600000U);
  e = nullptr;  // destroys a hundred thousand, one inside the other
  EXPECT_FALSE(e);
}

}  // namespace
