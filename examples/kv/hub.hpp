#pragma once

// Publishing: a text for a channel goes to all who have subscribed to that. Thread-safe.

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/mutex.hpp>

namespace kv {

/// What is to be written to a connection, the same for many.
using message = std::shared_ptr<const std::string>;

/// A connection that has subscribed to channels. From then on all that it gets goes through its queue, in order.
struct subscriber {
  explicit subscriber(const tenon::context& ctx) : scope(tenon::with_cancel(ctx)) {}

  tenon::chan<message> queue = tenon::make_chan<message>(1024, "who is so far behind is cut off");
  tenon::cancel_scope scope;                    // canceled: it did not keep up
  std::set<std::string, std::less<>> channels;  // used by its own connection alone
};

class hub {
 public:
  /// `reply` comes before the first message.
  void subscribe(subscriber& s, std::string_view channel, message reply);
  void unsubscribe(subscriber& s, std::string_view channel);
  /// Returns how many will get it.
  std::size_t publish(std::string_view channel, std::string_view text);

 private:
  static bool give(subscriber& s, message m);

  tenon::mutex mu_;
  std::map<std::string, std::set<subscriber*>, std::less<>> channels_;  // guarded by mu_
};

}  // namespace kv
