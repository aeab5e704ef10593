#pragma once

/// `net::resolve`: the addresses of a name.
///
/// Go counterpart: `net.Resolver.LookupIPAddr` and `LookupPort`.
///
///     auto found = tn::net::resolve(ctx, "example.org", "https");
///     if (!found) return found.err();                    // example.org: no such host
///     for (const tn::net::endpoint& at : *found) …
///
/// Asks the C library (`getaddrinfo`), which reads /etc/hosts and asks the name servers, in a call of `blocking`: it holds up no goroutine. Blocks until
/// there is an answer or `ctx` ends; then the call itself, which cannot be stopped, goes on, and the run waits for it at its end. At most 64 are under way at a time,
/// those that were given up included; further ones wait their turn. An address with a number is read without that. In the order in which they are best tried (RFC 6724). Fatal outside of a run, unless there is nothing to look up.
///
/// Errors: `errc::no_such_host`, `no_such_service`, `try_again`, `cannot_resolve` with the library's text.

#include <string_view>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/net/address.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/result.hpp>

namespace tenon::net {

/// `service`: a number from 0 to 65535, or a name (/etc/services). An empty host is this machine.
result<std::vector<endpoint>> resolve(const context& ctx, std::string_view host, std::string_view service);

}  // namespace tenon::net
