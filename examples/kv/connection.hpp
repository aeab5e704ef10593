#pragma once

// One client: reads its requests, carries them out in order, and writes the replies of all that came together at once.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/group.hpp>
#include <tenon/net/tcp_stream.hpp>

#include "database.hpp"
#include "protocol.hpp"

namespace kv {

class connection {
 public:
  connection(const tenon::context& ctx, database& db, tenon::net::tcp_stream peer)
      : ctx_(ctx), db_(db), peer_(std::move(peer)) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Blocks until the client has gone or said QUIT.
  tenon::error serve();

 private:
  friend struct commands;

  void carry_out(const arguments& request);
  void count();
  /// The replies so far.
  tenon::error flush();
  void subscribe(std::string_view channel);
  void unsubscribe(std::string_view channel);
  subscriber& as_subscriber();

  const tenon::context ctx_;
  database& db_;
  tenon::net::tcp_stream peer_;
  std::uint64_t carried_out_ = 0;  // and not yet counted in db_.commands, which all connections write
  std::string out_;
  bool quits_ = false;
  std::optional<subscriber> subscriber_;
  std::unique_ptr<tenon::group> writer_;  // of a subscriber's queue; it ends before what it uses
};

}  // namespace kv
