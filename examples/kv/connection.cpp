#include "connection.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include <tenon/net/errc.hpp>

#include "commands.hpp"

namespace kv {

namespace {
constexpr std::size_t large = 64 * 1024;  // so much is read at once, and written though more requests are there
constexpr std::size_t few = 8;            // arguments: a client that waits has room for no more
}  // namespace

connection::~connection() {
  if (!subscriber_) return;
  for (const std::string& channel : subscriber_->channels) db_.channels.unsubscribe(*subscriber_, channel);
  if (!quits_) return;  // its writer is canceled
  subscriber_->out.close();
  (void)writer_->finish(std::chrono::seconds(1));
}

tenon::error connection::serve() {
  request_reader in;
  arguments request;
  while (!quits_) {
    const tenon::context& ctx = subscriber_ ? subscriber_->scope.ctx() : ctx_;
    const auto n = peer_.append_some(ctx, in.input(), large);
    if (!n) return n.err() == tenon::net::eof() ? nullptr : n.err();
    auto o = request_reader::outcome::incomplete;
    while (!quits_ && (o = in.next(request)) == request_reader::outcome::request) {
      carry_out(request);
      if (out_.size() < large) continue;
      if (tenon::error e = flush()) return e;
    }
    count();
    if (request.capacity() > few) arguments().swap(request);
    if (o == request_reader::outcome::broken) {
      add_error(out_, "ERR Protocol error: " + std::string(in.why()));
      quits_ = true;
    }
    if (tenon::error e = flush()) return e;
  }
  return nullptr;
}

tenon::error connection::flush() {
  if (out_.empty()) return nullptr;
  if (subscriber_) {
    const tenon::context& ctx = subscriber_->scope.ctx();
    return subscriber_->out.put(ctx, std::exchange(out_, {}));
  }
  tenon::error e = peer_.write_all(ctx_, out_);
  out_.clear();
  if (out_.capacity() > large) out_.shrink_to_fit();  // a client that waits does not keep what its largest answer took
  return e;
}

void connection::carry_out(const arguments& request) {
  ++carried_out_;
  commands::carry_out(*this, request);
}

void connection::count() { db_.commands.fetch_add(std::exchange(carried_out_, 0), std::memory_order_relaxed); }

subscriber& connection::as_subscriber() {
  if (!subscriber_) {
    (void)flush();  // what it has asked for before; if that fails, so does the next read
    subscriber_.emplace(ctx_);
    writer_ = std::make_unique<tenon::group>(subscriber_->scope.ctx());
    writer_->go({.name = "writer"}, [this](const tenon::context& ctx) -> tenon::error {
      std::string all;
      while (subscriber_->out.take(ctx, all)) {
        if (tenon::error e = peer_.write_all(ctx, all)) {
          subscriber_->scope.cancel();  // the reads, too
          return e;
        }
        if (all.capacity() > large) std::string().swap(all);
      }
      return ctx.err();
    });
  }
  return *subscriber_;
}

void connection::subscribe(std::string_view channel) {
  subscriber& s = as_subscriber();
  (void)flush();
  s.channels.emplace(channel);
  std::string reply;
  add_array(reply, 3);
  add_text(reply, "subscribe");
  add_text(reply, channel);
  add_number(reply, static_cast<std::int64_t>(s.channels.size()));
  db_.channels.subscribe(s, channel, reply);
}

void connection::unsubscribe(std::string_view channel) {
  if (subscriber_) {
    db_.channels.unsubscribe(*subscriber_, channel);
    if (const auto at = subscriber_->channels.find(channel); at != subscriber_->channels.end()) {
      subscriber_->channels.erase(at);
    }
  }
  add_array(out_, 3);
  add_text(out_, "unsubscribe");
  add_text(out_, channel);
  add_number(out_, subscriber_ ? static_cast<std::int64_t>(subscriber_->channels.size()) : 0);
}

}  // namespace kv
