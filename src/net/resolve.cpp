#include <tenon/net/resolve.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/semaphore.hpp>

#include "net/socket.hpp"
#include "platform/fork.hpp"

namespace tenon::net {

namespace {

error resolver_error(int code, int number, const std::string& host, const std::string& service) {
  switch (code) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
      return {errc::no_such_host, host};
    case EAI_SERVICE: return {errc::no_such_service, service};
    case EAI_AGAIN: return {errc::try_again, host};
    case EAI_SYSTEM: return {std::error_code(number, std::generic_category()), host};
    default: return {errc::cannot_resolve, host + ": " + ::gai_strerror(code)};
  }
}

/// Blocks the thread.
result<std::vector<endpoint>> ask_library(const std::string& host, const std::string& service) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // An address is one also on a machine that has none of its version, and each has both of its own.
  const bool is_this_machine = host.empty() || host == "localhost";
  hints.ai_flags = ip_address::parse(host) ? AI_NUMERICHOST : is_this_machine ? 0 : AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), service.c_str(), &hints, &found);
  if (code != 0) return resolver_error(code, last_error(), host, service);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, &::freeaddrinfo);
  std::vector<endpoint> all;
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
    detail::system_address at;
    if (a->ai_addrlen > sizeof at.bytes) continue;
    std::memcpy(at.bytes, a->ai_addr, a->ai_addrlen);
    const auto e = at.to_endpoint();
    if (e && std::ranges::find(all, *e) == all.end()) all.push_back(*e);  // once for each line of /etc/hosts
  }
  if (all.empty()) return error(errc::no_such_host, host);
  return all;
}

std::optional<std::uint16_t> number_of(std::string_view service) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(service.data(), service.data() + service.size(), port);
  if (read.ec != std::errc() || read.ptr != service.data() + service.size()) return std::nullopt;
  return port;
}

/// Of a service. What the library would read as a number it would take modulo 65536.
bool may_be_name(std::string_view service) noexcept {
  return service.find('\0') == std::string_view::npos &&
         service.find_first_not_of("0123456789+- \t\n\v\f\r") != std::string_view::npos;
}

/// A lookup goes on when its caller has given it up. With so many at a time a name server that is silent takes no thread from other blocking calls.
semaphore& lookups() {
  static semaphore& most = *new semaphore(64);
  return most;
}
const at_load lookups_made([] { (void)lookups(); });

}  // namespace

result<std::vector<endpoint>> resolve(const context& ctx, std::string_view host, std::string_view service) {
  if (ctx.is_canceled()) return ctx.err();
  const auto port = number_of(service);
  if (!port && !may_be_name(service)) return error(errc::no_such_service, '"' + std::string(service) + '"');
  if (host.find('\0') != std::string_view::npos) return error(errc::no_such_host, '"' + std::string(host) + '"');
  if (port) {
    if (const auto ip = ip_address::parse(host)) return std::vector{endpoint{*ip, *port}};
  }
  auto turn = lookups().hold(ctx);
  if (!turn) return ctx.err();
  auto answer = blocking(ctx, [turn = std::move(turn), host = std::string(host), service = std::string(service)] {
    return ask_library(host, service);
  });
  if (!answer) return answer.err();
  return *std::move(answer);
}

}  // namespace tenon::net
