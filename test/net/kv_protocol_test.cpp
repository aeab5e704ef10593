// How kv reads requests that come in pieces.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "../../examples/kv/protocol.cpp"

namespace {

using kv::request_reader;
using outcome = kv::request_reader::outcome;

/// What the last of these bytes makes of it, each of which comes by itself; the ones before it make nothing.
outcome by_bytes(request_reader& in, std::string_view text, kv::arguments& into) {
  outcome o = outcome::incomplete;
  for (const char c : text) {
    EXPECT_EQ(o, outcome::incomplete);
    in.input() += c;
    o = in.next(into);
  }
  return o;
}

TEST(KvProtocol, ArgumentsStayWhereTheyAreWhileMoreComes) {
  request_reader in;
  kv::arguments request;
  in.input() += "PING\r\n*2\r\n$3\r\nGET\r\n$";
  ASSERT_EQ(in.next(request), outcome::request);
  EXPECT_EQ(request, kv::arguments{"PING"});
  ASSERT_EQ(in.next(request), outcome::incomplete);
  ASSERT_EQ(by_bytes(in, "40\r\n" + std::string(40, 'x') + "\r\n", request), outcome::request);
  EXPECT_EQ(request, (kv::arguments{"GET", std::string_view("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")}));
  ASSERT_EQ(by_bytes(in, "*1\r\n$1\r\na\r\n", request), outcome::request);
  EXPECT_EQ(request, kv::arguments{"a"});
}

// Six million pieces: to look at all arguments again with each of them would take days.
TEST(KvProtocol, AnArgumentIsReadOnce) {
  constexpr std::size_t n = 1 << 20;
  request_reader in;
  kv::arguments request;
  ASSERT_EQ(by_bytes(in, "*" + std::to_string(n) + "\r\n", request), outcome::incomplete);
  for (std::size_t i = 1; i < n; ++i) ASSERT_EQ(by_bytes(in, "$0\r\n\r\n", request), outcome::incomplete);
  ASSERT_EQ(by_bytes(in, "$0\r\n\r\n", request), outcome::request);
  EXPECT_EQ(request.size(), n);
}

TEST(KvProtocol, NumbersAsTheyMayBeWritten) {
  request_reader in;
  kv::arguments request;
  for (const std::string_view text :
       {"*1\r\n$4\r\nPING\r\n", "*1\n$4\nPING\r\n", "*01\r\n$00000000000004\r\nPING\r\n"}) {
    ASSERT_EQ(by_bytes(in, text, request), outcome::request) << text;
    EXPECT_EQ(request, kv::arguments{"PING"});
  }
  for (const std::string_view text : {"*\r\n", "*1 \r\n", "*+1\r\n", "*1\r1\n", "*99999999999999999999\r\n"}) {
    request_reader other;
    EXPECT_EQ(by_bytes(other, text, request), outcome::broken) << text;
  }
}

TEST(KvProtocol, AClientThatWaitsKeepsLittle) {
  request_reader in;
  kv::arguments request;
  in.input() += "*1\r\n$100000\r\n" + std::string(100'000, 'x') + "\r\n";
  ASSERT_EQ(in.next(request), outcome::request);
  EXPECT_LE(in.input().capacity(), 512U);
  in.input() += "PING\r\n";
  ASSERT_EQ(in.next(request), outcome::request);
  EXPECT_EQ(request, kv::arguments{"PING"});
}

TEST(KvProtocol, ANumberIsShort) {
  for (const auto& [text, why] :
       {std::pair("*", "too big mbulk count string"), std::pair("*1\r\n$", "too big bulk count string")}) {
    request_reader in;
    kv::arguments request;
    in.input() += text + std::string(33, '0');
    EXPECT_EQ(in.next(request), outcome::broken);
    EXPECT_EQ(in.why(), why);
  }
}

}  // namespace
