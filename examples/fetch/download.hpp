#pragma once

// One URL: connect, ask, read the answer; follow where it leads.

#include <cstddef>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <tenon/context.hpp>
#include <tenon/result.hpp>

#include "url.hpp"

namespace fetch {

struct page {
  url from;  // where it was found in the end
  std::string body;
};

struct client {
  boost::asio::ssl::context trust;
  std::size_t most_bytes;

  /// Blocks until the whole page is there, or `ctx` ends. A status beyond 299 is an error, but for redirections, of which ten are followed.
  tenon::result<page> get(const tenon::context& ctx, url from);
};

}  // namespace fetch
