#pragma once

// Publishing: a text for a channel goes to all who have subscribed to that. Thread-safe.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <tenon/context.hpp>
#include <tenon/mutex.hpp>

#include "outbox.hpp"

namespace kv {

/// A connection that has subscribed to channels. From then on all that it gets goes through its outbox, in order.
struct subscriber {
  explicit subscriber(const tenon::context& ctx) : scope(tenon::with_cancel(ctx)) {}

  outbox out;
  tenon::cancel_scope scope;                    // canceled: it did not keep up
  std::set<std::string, std::less<>> channels;  // used by its own connection alone
};

class hub {
 public:
  /// `reply` comes before the first message.
  void subscribe(subscriber& s, std::string_view channel, std::string_view reply);
  void unsubscribe(subscriber& s, std::string_view channel);
  /// Returns how many will get it.
  std::size_t publish(std::string_view channel, std::string_view text);

 private:
  static bool give(subscriber& s, std::string_view text);

  tenon::mutex mu_;
  std::map<std::string, std::set<subscriber*>, std::less<>> channels_;  // guarded by mu_
};

}  // namespace kv
