#pragma once

/// `concurrent_map<K, V>`: a hash map for many goroutines at once.
///
/// Go counterpart: `sync.Map`, call by call. Values are copied in and out: nothing inside is reachable by reference. For a map together
/// with other data under one lock use `guarded`.
///
/// Every member is thread-safe and takes the lock of one of `shards` parts for a short time. The hash and the comparison of keys, the comparison of
/// values, and the copying and moving of both happen under it, and must not use the map; what is replaced or erased is destroyed after it, and its destructor may. A
/// store happens before a load that returns its value. `range` visits every key that is there from its beginning to its end once; what is
/// stored or erased meanwhile it may see or not, as in Go; its function may use the map. Cannot be copied or moved.

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tenon/shared_mutex.hpp>

namespace tenon {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class concurrent_map {
 public:
  concurrent_map() = default;
  concurrent_map(const concurrent_map&) = delete;
  concurrent_map& operator=(const concurrent_map&) = delete;
  ~concurrent_map() = default;

  [[nodiscard]] std::optional<V> load(const K& key) const {
    const part& p = of(key);
    const std::shared_lock hold(p.mu);
    const auto at = p.map.find(key);
    return at == p.map.end() ? std::nullopt : std::optional<V>(at->second);
  }
  void store(const K& key, V value) {
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto [at, stored] = p.map.try_emplace(key, std::move(value));
    if (!stored) std::ranges::swap(at->second, value);
  }
  /// The value that is there, and true; or stores this one and returns it, and false.
  std::pair<V, bool> load_or_store(const K& key, V value) {
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto [at, stored] = p.map.try_emplace(key, std::move(value));
    return {at->second, !stored};
  }
  /// Erases the key and returns what it had.
  std::optional<V> load_and_erase(const K& key) {
    node erased;
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto at = p.map.find(key);
    if (at == p.map.end()) return std::nullopt;
    std::optional<V> had(std::move(at->second));  // first: if that throws, the key stays
    erased = p.map.extract(at);
    return had;
  }
  bool erase(const K& key) {
    node erased;
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    erased = p.map.extract(key);
    return !erased.empty();
  }
  /// Stores and returns what was there.
  std::optional<V> swap(const K& key, V value) {
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto [at, stored] = p.map.try_emplace(key, std::move(value));
    if (stored) return std::nullopt;
    return std::exchange(at->second, std::move(value));
  }
  /// Stores `desired` if the key has `expected`; true if it did.
  bool compare_and_swap(const K& key, const V& expected, V desired) {
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto at = p.map.find(key);
    if (at == p.map.end() || !(at->second == expected)) return false;
    std::ranges::swap(at->second, desired);
    return true;
  }
  /// Erases the key if it has `expected`; true if it did.
  bool compare_and_erase(const K& key, const V& expected) {
    node erased;
    part& p = of(key);
    const std::unique_lock hold(p.mu);
    const auto at = p.map.find(key);
    if (at == p.map.end() || !(at->second == expected)) return false;
    erased = p.map.extract(at);
    return true;
  }

  /// Calls `f(key, value)` for each, without a lock; if f returns a bool, false ends it.
  template <class F>
  void range(F&& f) const {
    for (const part& p : parts()) {
      std::vector<std::pair<K, V>> now;
      {
        const std::shared_lock hold(p.mu);
        now.assign(p.map.begin(), p.map.end());
      }
      for (const auto& [key, value] : now) {
        if constexpr (std::is_same_v<std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V&>>, bool>) {
          if (!f(key, value)) return;
        } else {
          f(key, value);
        }
      }
    }
  }

  void clear() {
    for (part& p : parts()) {
      table doomed;
      const std::unique_lock hold(p.mu);
      doomed.swap(p.map);
    }
  }
  /// Exact while the map does not change.
  [[nodiscard]] std::size_t size() const {
    std::size_t n = 0;
    for (const part& p : parts()) {
      const std::shared_lock hold(p.mu);
      n += p.map.size();
    }
    return n;
  }

  static constexpr std::size_t shards = 64;

 private:
  using table = std::unordered_map<K, V, Hash, Equal>;
  using node = typename table::node_type;
  struct alignas(64) part {
    mutable shared_mutex mu;
    table map;
  };
  // The upper bits: the maps use the lower ones.
  static std::size_t index(const K& key) { return (Hash{}(key) * 0x9e3779b97f4a7c15U) >> 58U; }
  std::span<part> parts() { return {parts_.get(), shards}; }
  std::span<const part> parts() const { return {parts_.get(), shards}; }
  part& of(const K& key) { return parts_[index(key)]; }
  const part& of(const K& key) const { return parts_[index(key)]; }

  std::unique_ptr<part[]> parts_ =
      std::make_unique<part[]>(shards);  // some kilobytes: too much for a goroutine's stack
};

}  // namespace tenon
