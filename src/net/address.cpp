#include <tenon/net/address.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <tenon/net/errc.hpp>

namespace tenon::net {

namespace {

error not_an_address(std::string_view text) { return {errc::not_an_address, '"' + std::string(text) + '"'}; }

std::optional<std::uint32_t> scope_of(const std::string& interface) {
  std::uint32_t number = 0;
  const char* const end = interface.data() + interface.size();
  if (const auto read = std::from_chars(interface.data(), end, number); read.ec == std::errc() && read.ptr == end)
    return number;
  number = ::if_nametoindex(interface.c_str());
  return number != 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

result<ip_address> ip_address::parse(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  if (text.find('\0') != std::string_view::npos) return not_an_address(text);
  const std::string whole(text);
  if (::inet_pton(AF_INET, whole.c_str(), bytes.data()) == 1) return v4(bytes[0], bytes[1], bytes[2], bytes[3]);
  const auto percent = whole.find('%');
  if (::inet_pton(AF_INET6, whole.substr(0, percent).c_str(), bytes.data()) != 1) return not_an_address(text);
  if (percent == std::string::npos) return v6(bytes);
  const auto scope = scope_of(whole.substr(percent + 1));
  return scope ? result(v6(bytes, *scope)) : result<ip_address>(not_an_address(text));
}

bool ip_address::is_loopback() const noexcept {
  return is_v6_ ? std::ranges::equal(bytes_, loopback_v6().bytes()) : bytes_[0] == 127;
}

bool ip_address::is_unspecified() const noexcept {
  return std::ranges::all_of(bytes_, [](std::uint8_t b) { return b == 0; });
}

bool ip_address::is_multicast() const noexcept { return is_v6_ ? bytes_[0] == 0xff : bytes_[0] >> 4U == 0xe; }

std::string ip_address::to_string() const {
  if (!is_v6_) {
    // Not by inet_ntop, whose printf takes a page of a goroutine's stack: servers call this once a connection.
    std::string out = std::to_string(bytes_[0]);
    for (std::size_t i = 1; i < 4; ++i) out.append(1, '.').append(std::to_string(bytes_[i]));
    return out;
  }
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  std::string out = text;
  if (scope_ != 0) {
    char name[IF_NAMESIZE] = "";
    out += '%';
    out += ::if_indextoname(scope_, name) != nullptr ? std::string(name) : std::to_string(scope_);
  }
  return out;
}

result<host_port> host_port::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return error(errc::not_an_address, '"' + std::string(text) + "\", which has no port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return not_an_address(text);
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return error(errc::not_an_address, '"' + std::string(text) + "\", which needs brackets: [address]:port");
  }
  return host_port{std::string(host), std::string(text.substr(colon + 1))};
}

result<endpoint> endpoint::parse(std::string_view text) {
  auto parts = host_port::parse(text);
  if (!parts) return parts.err();
  endpoint at;
  const char* const end = parts->port.data() + parts->port.size();
  const auto read = std::from_chars(parts->port.data(), end, at.port);
  if (read.ec != std::errc() || read.ptr != end) return not_an_address(text);
  if (parts->host.empty()) return at;
  const auto address = ip_address::parse(parts->host);
  if (!address) return not_an_address(text);
  at.address = *address;
  return at;
}

std::string endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

result<unix_address> unix_address::parse(std::string_view path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path) || path.find('\0') != std::string_view::npos)
    return not_an_address(path);
  unix_address at;
  at.path_ = path;
  return at;
}

}  // namespace tenon::net
