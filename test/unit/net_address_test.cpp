#include <tenon/net/address.hpp>

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

#include <tenon/net/errc.hpp>

namespace {

using tenon::net::endpoint;
using tenon::net::errc;
using tenon::net::host_port;
using tenon::net::ip_address;
using tenon::net::unix_address;

// Go: netip.ParseAddr
TEST(NetAddress, IsPrintedAsItIsRead) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "ff02::1"}) {
    const auto a = ip_address::parse(text);
    ASSERT_TRUE(a) << text;
    EXPECT_EQ(a->to_string(), text);
  }
  EXPECT_EQ(*ip_address::parse("127.0.0.1"), ip_address::loopback_v4());
  EXPECT_EQ(*ip_address::parse("::1"), ip_address::loopback_v6());
  EXPECT_EQ(ip_address::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
}

TEST(NetAddress, KnowsItsKind) {
  EXPECT_TRUE(ip_address::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(ip_address::loopback_v6().is_loopback());
  EXPECT_FALSE(ip_address::parse("::2")->is_loopback());
  EXPECT_TRUE(ip_address::any_v4().is_unspecified());
  EXPECT_TRUE(ip_address::any_v6().is_unspecified());
  EXPECT_TRUE(ip_address::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(ip_address::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(ip_address::any_v4().is_v4());
  EXPECT_TRUE(ip_address::any_v6().is_v6());
  EXPECT_NE(ip_address::any_v4(), ip_address::any_v6());
}

TEST(NetAddress, HasTheInterfaceOfALinkLocalOne) {
  const auto number = ip_address::parse("fe80::1%7");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->scope(), 7U);
  EXPECT_FALSE(ip_address::parse("fe80::1%no-such-interface"));
  EXPECT_FALSE(ip_address::parse("fe80::1%"));
}

TEST(NetAddress, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4x", " 127.0.0.1", "::g", "1::2::3", "[::1]"}) {
    const auto a = ip_address::parse(text);
    EXPECT_FALSE(a) << text;
    if (!a) {
      EXPECT_TRUE(a.err().is(errc::not_an_address)) << text;
      EXPECT_EQ(a.err().message(), '"' + text + "\": not an address");
    }
  }
  EXPECT_FALSE(ip_address::parse(std::string_view("127.0.0.1\0x", 11)));
}

TEST(NetEndpoint, IsPrintedAsItIsRead) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:443"}) {
    const auto e = endpoint::parse(text);
    ASSERT_TRUE(e) << text;
    EXPECT_EQ(e->to_string(), text);
  }
  EXPECT_EQ(endpoint::parse(":8080")->to_string(), "0.0.0.0:8080");
}

TEST(NetEndpoint, RefusesWhatIsNone) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http",
                           "127.0.0.1:80 ", "::1:80", "[::1:80", "[::1]80", "localhost:80"}) {
    const auto e = endpoint::parse(text);
    EXPECT_FALSE(e) << text;
    if (!e) {
      EXPECT_TRUE(e.err().is(errc::not_an_address)) << text;
    }
  }
  EXPECT_EQ(endpoint::parse("::1:80").err().message(),
            "\"::1:80\", which needs brackets: [address]:port: not an address");
}

TEST(NetHostPort, IsTakenApart) {
  EXPECT_EQ(host_port::parse("example.org:https")->host, "example.org");
  EXPECT_EQ(host_port::parse("example.org:https")->port, "https");
  EXPECT_EQ(host_port::parse("[::1]:80")->host, "::1");
  EXPECT_EQ(host_port::parse(":80")->host, "");
  EXPECT_FALSE(host_port::parse("example.org"));
}

TEST(NetEndpoint, IsAKey) {
  std::unordered_set<endpoint> seen;
  for (const char* text : {"127.0.0.1:80", "127.0.0.1:81", "[::1]:80", "127.0.0.1:80"})
    seen.insert(*endpoint::parse(text));
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_LT(*endpoint::parse("127.0.0.1:80"), *endpoint::parse("127.0.0.1:81"));
}

TEST(NetUnixAddress, IsShortAndWithoutNulls) {
  EXPECT_EQ(unix_address::parse("/run/a.sock")->path(), "/run/a.sock");
  EXPECT_TRUE(unix_address::parse("@name")->is_abstract());
  EXPECT_TRUE(unix_address::parse(std::string(107, 'x')));
  EXPECT_FALSE(unix_address::parse(std::string(108, 'x')));
  EXPECT_FALSE(unix_address::parse(std::string_view("a\0b", 3)));
}

}  // namespace
