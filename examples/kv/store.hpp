#pragma once

// Keys and their values, some of which expire. Not thread-safe: whoever uses it holds a lock, so that a command is one step for all others.

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace kv {

class store {
 public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// Null if there is none, or it has expired. Valid until the next change.
  const std::string* get(std::string_view key);
  /// Keeps its expiry if `expires` is not given.
  void set(std::string_view key, std::string_view value, std::optional<time_point> expires);
  /// The value, to be changed in place; a new one is empty.
  std::string& change(std::string_view key);
  bool remove(std::string_view key);
  void clear();
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  /// When it expires: nothing if there is no such key, `never` if it does not.
  std::optional<time_point> expiry(std::string_view key);
  /// False if there is no such key.
  bool expire(std::string_view key, time_point when);
  /// Removes at most `most` of those that have expired; returns how many.
  std::size_t sweep(time_point now, std::size_t most);

  static constexpr time_point never = time_point::max();

 private:
  struct entry {
    std::string value;
    time_point expires = never;
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
  };
  using map = std::unordered_map<std::string, entry, hash, std::equal_to<>>;

  map::iterator look_up(std::string_view key);
  void erase(map::iterator at);
  void set_expiry(map::iterator at, time_point when);

  map all_;
  std::set<std::pair<time_point, std::string>> expiring_;  // those that do, the next one first
};

}  // namespace kv
