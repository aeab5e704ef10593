#pragma once

// As much of a URL as is needed to fetch it: "https://host:port/path?query". No user, no password; a fragment is left out.

#include <string>
#include <string_view>

#include <tenon/result.hpp>

namespace fetch {

struct url {
  bool is_secure = false;
  std::string host;  // without brackets
  std::string port;
  std::string target;  // "/" at least

  static tenon::result<url> parse(std::string_view text);
  /// What a Location header that came from here says: a URL, or a path on this host.
  [[nodiscard]] tenon::result<url> resolve(std::string_view location) const;
  /// As a Host header has it.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string to_string() const;
};

}  // namespace fetch
