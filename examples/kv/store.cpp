#include "store.hpp"

namespace kv {

void store::erase(map::iterator at) {
  if (at->second.expires != never) expiring_.erase({at->second.expires, at->first});
  all_.erase(at);
}

store::map::iterator store::look_up(std::string_view key) {
  const auto at = all_.find(key);
  if (at == all_.end() || at->second.expires == never || at->second.expires > clock::now()) return at;
  erase(at);
  return all_.end();
}

void store::set_expiry(map::iterator at, time_point when) {
  if (at->second.expires == when) return;
  if (at->second.expires != never) expiring_.erase({at->second.expires, at->first});
  at->second.expires = when;
  if (when != never) expiring_.emplace(when, at->first);
}

const std::string* store::get(std::string_view key) {
  const auto at = look_up(key);
  return at == all_.end() ? nullptr : &at->second.value;
}

std::string& store::change(std::string_view key) {
  const auto at = look_up(key);
  return at != all_.end() ? at->second.value : all_.emplace(key, entry()).first->second.value;
}

void store::set(std::string_view key, std::string_view value, std::optional<time_point> expires) {
  auto at = look_up(key);
  if (at == all_.end()) at = all_.emplace(key, entry()).first;
  at->second.value.assign(value);
  if (expires) set_expiry(at, *expires);
}

bool store::remove(std::string_view key) {
  const auto at = look_up(key);
  if (at == all_.end()) return false;
  erase(at);
  return true;
}

void store::clear() {
  all_.clear();
  expiring_.clear();
}

std::optional<store::time_point> store::expiry(std::string_view key) {
  const auto at = look_up(key);
  if (at == all_.end()) return {};
  return at->second.expires;
}

bool store::expire(std::string_view key, time_point when) {
  const auto at = look_up(key);
  if (at == all_.end()) return false;
  set_expiry(at, when);
  return true;
}

std::size_t store::sweep(time_point now, std::size_t most) {
  std::size_t n = 0;
  while (n < most && !expiring_.empty() && expiring_.begin()->first <= now) {
    erase(all_.find(expiring_.begin()->second));
    ++n;
  }
  return n;
}

}  // namespace kv
