#pragma once

/// `pool<T>`: objects that are dear to make, kept for reuse.
///
/// Go counterpart: `sync.Pool`. Where Go's collector empties a pool now and then, this one is bounded: it keeps at most `max_idle` objects and
/// destroys what is put back beyond.
///
///     tenon::pool<std::string> buffers;
///     auto buffer = buffers.borrow();      // goes back at the end of the scope
///     buffer->clear();
///
/// `get` returns an idle object, or makes one: which one is not defined, nor what the last user left in it. `put` gives one back. Neither
/// blocks; both may be called from anywhere. What happens before a `put` happens before the `get` that returns that object.
/// The pool destroys what is idle when it ends; what is out belongs to its borrower, but a `borrow`ed object must be back by then.
/// Cannot be copied or moved.

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/requirements.hpp>

namespace tenon {

namespace detail {
/// Idle objects of any type, in shards that the workers do not share as a rule.
class pool_core {
 public:
  pool_core(std::size_t max_idle, void (*destroy)(void*) noexcept);
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;
  ~pool_core();
  /// Null if none is idle.
  void* take() noexcept;
  /// False if it has enough: `object` is still the caller's.
  bool give(void* object) noexcept;
  void clear() noexcept;
  [[nodiscard]] std::size_t idle() const noexcept;

 private:
  struct shard;
  std::unique_ptr<shard[]> shards_;
  void (*destroy_)(void*) noexcept;
  std::size_t max_idle_;
  alignas(64) detail::atomic<std::size_t> idle_{0};  // in all shards, and on the way into one
};
}  // namespace detail

template <class T>
class pool {
 public:
  static constexpr std::size_t default_max_idle = 1024;

  /// Makes objects by `new T()`.
  explicit pool(std::size_t max_idle = default_max_idle)
    requires std::is_default_constructible_v<T>
      : pool([] { return std::make_unique<T>(); }, max_idle) {}
  /// Makes objects by `make()`, which must be thread-safe. If it returns null, so does `get` on an empty pool.
  explicit pool(std::function<std::unique_ptr<T>()> make, std::size_t max_idle = default_max_idle)
      : make_(std::move(make)), core_(max_idle, [](void* object) noexcept { delete static_cast<T*>(object); }) {}
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  ~pool() = default;

  [[nodiscard]] std::unique_ptr<T> get() {
    if (void* object = core_.take()) return std::unique_ptr<T>(static_cast<T*>(object));
    return make_();
  }
  void put(std::unique_ptr<T> object) noexcept {
    if (object != nullptr && core_.give(object.get())) (void)object.release();
  }

  struct returner {
    pool* to = nullptr;
    void operator()(T* object) const noexcept { to->put(std::unique_ptr<T>(object)); }
  };
  /// Goes back to the pool by itself.
  using borrowed = std::unique_ptr<T, returner>;
  [[nodiscard]] borrowed borrow() { return borrowed(get().release(), returner{this}); }

  /// Destroys what is idle.
  void clear() noexcept { core_.clear(); }
  /// How many are idle, about: for metrics.
  [[nodiscard]] std::size_t idle() const noexcept { return core_.idle(); }

 private:
  std::function<std::unique_ptr<T>()> make_;
  detail::pool_core core_;
};

}  // namespace tenon
