#include "url.hpp"

#include <algorithm>
#include <cctype>

namespace fetch {

tenon::result<url> url::parse(std::string_view text) {
  const auto refuse = [&](const char* why) { return tenon::error("not a URL: " + std::string(text) + ": " + why); };
  if (std::ranges::any_of(text, [](unsigned char c) { return std::iscntrl(c) != 0 || c == ' '; }))
    return refuse("blanks and controls stand as %XX");
  url u;
  std::string_view rest = text.substr(0, text.find('#'));
  if (rest.starts_with("https://")) {
    u.is_secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return refuse("it begins with http:// or https://");
  }
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  u.target = rest.substr(end);
  if (!u.target.starts_with('/')) u.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return refuse("no user and password");
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return refuse("a bracket that does not close");
    u.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    u.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (u.host.empty()) return refuse("no host");
  if (!port.empty() && !port.starts_with(':')) return refuse("what stands behind the host is no port");
  if (port.size() > 1) u.port = port.substr(1);
  if (u.port.empty()) u.port = u.is_secure ? "443" : "80";
  if (!std::ranges::all_of(u.port, [](unsigned char c) { return std::isdigit(c) != 0; }))
    return refuse("a port is a number");
  return u;
}

tenon::result<url> url::resolve(std::string_view location) const {
  const std::string scheme = is_secure ? "https:" : "http:";
  if (location.starts_with("//")) return parse(scheme + std::string(location));
  if (location.starts_with('/')) return parse(scheme + "//" + authority() + std::string(location));
  return parse(location);
}

std::string url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (is_secure ? "443" : "80") ? name : name + ":" + port;
}

std::string url::to_string() const { return (is_secure ? "https://" : "http://") + authority() + target; }

}  // namespace fetch
