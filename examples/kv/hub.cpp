#include "hub.hpp"

#include <mutex>
#include <utility>

#include "protocol.hpp"

namespace kv {

bool hub::give(subscriber& s, message m) {
  if (s.queue.try_send(std::move(m))) return true;
  s.scope.cancel();
  return false;
}

void hub::subscribe(subscriber& s, std::string_view channel, message reply) {
  const std::lock_guard hold(mu_);
  (void)give(s, std::move(reply));
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
  const auto m = std::make_shared<const std::string>(std::move(all));
  std::size_t n = 0;
  for (subscriber* s : at->second) n += give(*s, m) ? 1U : 0U;
  return n;
}

}  // namespace kv
