#include "hub.hpp"

#include <mutex>

#include "protocol.hpp"

namespace kv {

bool hub::give(subscriber& s, std::string_view text) {
  if (s.out.try_put(text)) return true;
  s.scope.cancel();
  return false;
}

void hub::subscribe(subscriber& s, std::string_view channel, std::string_view reply) {
  const std::lock_guard hold(mu_);
  (void)give(s, reply);
  auto at = channels_.find(channel);
  if (at == channels_.end()) at = channels_.emplace(channel, std::set<subscriber*>()).first;
  at->second.insert(&s);
}

void hub::unsubscribe(subscriber& s, std::string_view channel) {
  const std::lock_guard hold(mu_);
  const auto at = channels_.find(channel);
  if (at == channels_.end()) return;
  at->second.erase(&s);
  if (at->second.empty()) channels_.erase(at);
}

std::size_t hub::publish(std::string_view channel, std::string_view text) {
  const std::lock_guard hold(mu_);
  const auto at = channels_.find(channel);
  if (at == channels_.end()) return 0;
  std::string all;
  add_array(all, 3);
  add_text(all, "message");
  add_text(all, channel);
  add_text(all, text);
  std::size_t n = 0;
  for (subscriber* s : at->second) n += give(*s, all) ? 1U : 0U;
  return n;
}

}  // namespace kv
