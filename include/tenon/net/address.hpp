#pragma once

/// `net::ip_address`, `net::endpoint`, `net::unix_address`: where sockets are.
///
/// Go counterpart: `netip.Addr`, `netip.AddrPort`, `net.UnixAddr`.
///
///     auto at = tn::net::endpoint::parse("[::1]:8080");
///     std::cout << at->address.to_string() << " port " << at->port;
///
/// Values: copied and compared as such, usable as keys of maps (`unix_address`: of ordered ones). Names are not addresses: `resolve` finds the addresses of a name. Nothing here
/// blocks. As thread-safe as an `int`.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/result.hpp>

namespace tenon::net {

/// An address of IP version 4 or 6; by default 0.0.0.0.
class ip_address {
 public:
  constexpr ip_address() noexcept = default;
  static constexpr ip_address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
    ip_address made;
    made.bytes_ = {a, b, c, d};
    return made;
  }
  /// `scope` is the number of the interface that a link-local address belongs to; 0 for none.
  static constexpr ip_address v6(const std::array<std::uint8_t, 16>& bytes, std::uint32_t scope = 0) noexcept {
    ip_address made;
    made.is_v6_ = true;
    made.bytes_ = bytes;
    made.scope_ = scope;
    return made;
  }
  static constexpr ip_address any_v4() noexcept { return {}; }
  static constexpr ip_address any_v6() noexcept { return v6({}); }
  static constexpr ip_address loopback_v4() noexcept { return v4(127, 0, 0, 1); }
  static constexpr ip_address loopback_v6() noexcept { return v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}); }

  /// "192.0.2.1", "2001:db8::1", "fe80::1%eth0". Anything else: `errc::not_an_address`.
  static result<ip_address> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const noexcept { return !is_v6_; }
  [[nodiscard]] constexpr bool is_v6() const noexcept { return is_v6_; }
  /// 127.0.0.0/8, ::1.
  [[nodiscard]] bool is_loopback() const noexcept;
  /// 0.0.0.0, ::.
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;
  /// In the order of the network; the first four, if it is of version 4.
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] constexpr std::uint32_t scope() const noexcept { return scope_; }

  /// As `parse` reads it.
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const ip_address&, const ip_address&) noexcept = default;

 private:
  bool is_v6_ = false;
  std::uint32_t scope_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

/// An address and a port of TCP or UDP.
struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  /// "192.0.2.1:80", "[2001:db8::1]:80", ":80" (0.0.0.0). Anything else: `errc::not_an_address`.
  static result<endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const endpoint&, const endpoint&) noexcept = default;
};

/// "host:port" and "[host]:port" taken apart, without a look at either: what `dial` and `listen` are given.
struct host_port {
  std::string host;
  std::string port;
  static result<host_port> parse(std::string_view text);
};

/// The path of a socket in the file system, or, if it begins with '@', a name in Linux' abstract space; empty: unnamed.
class unix_address {
 public:
  unix_address() noexcept = default;
  /// `errc::not_an_address` if it is longer than the system takes (107 bytes), or has a null in it.
  static result<unix_address> parse(std::string_view path);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& to_string() const noexcept { return path_; }
  [[nodiscard]] bool is_abstract() const noexcept { return path_.starts_with('@'); }
  friend auto operator<=>(const unix_address&, const unix_address&) noexcept = default;

 private:
  std::string path_;
};

}  // namespace tenon::net

template <>
struct std::hash<tenon::net::ip_address> {
  std::size_t operator()(const tenon::net::ip_address& a) const noexcept {
    const auto& b = a.bytes();
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(b.data()), b.size()}) + a.scope();
  }
};
template <>
struct std::hash<tenon::net::endpoint> {
  std::size_t operator()(const tenon::net::endpoint& e) const noexcept {
    return std::hash<tenon::net::ip_address>()(e.address) * 31 + e.port;
  }
};
