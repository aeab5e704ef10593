#pragma once

/// `checked_map<K, V>`: a plain hash map that notices when it is used by two at once.
///
/// Go counterpart: the built-in map, whose run-time check this is. It takes no lock: it is for maps that one goroutine uses at a time, and
/// for finding out when that is not so. For sharing, `guarded` or `concurrent_map`.
///
/// Fatal, with Go's texts: `concurrent map writes`, `concurrent map read and map write`, `concurrent map iteration and map write`. The check is
/// made for each call, and it catches calls that overlap, not those that could have; ThreadSanitizer finds the rest. Nothing
/// blocks. `f` of `range` may read the map but not change it; `f` of `update` may do neither: it has the one value.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/requirements.hpp>

namespace tenon {

namespace detail {

/// Who is at it. Plain loads and stores, no exchange: cheap, and misuse that overlaps is seen all the same.
class use_check {
 public:
  class write {
   public:
    explicit write(use_check& c) noexcept : c_(c) {
      if (c.writing_.load(std::memory_order_relaxed)) two_writers();
      c.writing_.store(true, std::memory_order_relaxed);
      c.version_.store(c.version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    write(const write&) = delete;
    write& operator=(const write&) = delete;
    ~write() {
      if (!c_.writing_.load(std::memory_order_relaxed)) two_writers();
      c_.writing_.store(false, std::memory_order_relaxed);
    }

   private:
    use_check& c_;
  };
  void read() const noexcept {
    if (writing_.load(std::memory_order_relaxed)) read_and_write();
  }
  /// Begins an iteration; `still` says that it was not written since.
  [[nodiscard]] std::uint32_t iterate() const noexcept {
    if (writing_.load(std::memory_order_relaxed)) iterate_and_write();
    return version_.load(std::memory_order_relaxed);
  }
  void still(std::uint32_t begun) const noexcept {
    if (iterate() != begun) iterate_and_write();
  }

 private:
  [[noreturn]] static void two_writers() noexcept;
  [[noreturn]] static void read_and_write() noexcept;
  [[noreturn]] static void iterate_and_write() noexcept;
  detail::atomic<bool> writing_{false};
  detail::atomic<std::uint32_t> version_{0};
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class checked_map {
 public:
  checked_map() = default;
  checked_map(std::initializer_list<std::pair<const K, V>> all) : map_(all) {}
  checked_map(const checked_map& other) : map_(other.snapshot()) {}
  checked_map& operator=(const checked_map& other) {
    if (this != &other) {
      auto copy = other.snapshot();
      const detail::use_check::write w(check_);
      map_ = std::move(copy);
    }
    return *this;
  }
  ~checked_map() = default;

  [[nodiscard]] std::optional<V> load(const K& key) const {
    check_.read();
    const auto at = map_.find(key);
    std::optional<V> out;
    if (at != map_.end()) out = at->second;
    check_.read();
    return out;
  }
  void store(const K& key, V value) {
    const detail::use_check::write w(check_);
    map_.insert_or_assign(key, std::move(value));
  }
  /// Calls `f(V&)` on the key's value, which is made if it is not there.
  template <class F>
  void update(const K& key, F&& f) {
    const detail::use_check::write w(check_);
    std::invoke(std::forward<F>(f), map_[key]);
  }
  bool erase(const K& key) {
    const detail::use_check::write w(check_);
    return map_.erase(key) != 0;
  }
  [[nodiscard]] std::size_t size() const {
    check_.read();
    return map_.size();
  }
  /// Calls `f(key, value)` for each.
  template <class F>
  void range(F&& f) const {
    const std::uint32_t begun = check_.iterate();
    for (const auto& [key, value] : map_) {
      f(key, value);
      check_.still(begun);  // before the iterator moves
    }
  }
  [[nodiscard]] std::unordered_map<K, V, Hash, Equal> snapshot() const {
    const std::uint32_t begun = check_.iterate();
    auto copy = map_;
    check_.still(begun);
    return copy;
  }

 private:
  detail::use_check check_;
  std::unordered_map<K, V, Hash, Equal> map_;
};

}  // namespace tenon
