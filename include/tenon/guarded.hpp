#pragma once

/// `guarded<T>`: data that cannot be reached without its lock, nor leave it by reference.
///
/// Go counterpart: a struct with a mutex and the data it protects, kept together by convention. Here the type keeps them.
///
///     tenon::guarded<std::map<std::string, int>> balances;
///     balances.with([&](auto& m) { m[name] += amount; });
///     double mean = average(balances.snapshot());       // a copy, made under the lock
///
/// `with(f)` calls `f(T&)` with the lock held, `f(const T&)` on a const object, and returns f's result by value: what f returns
/// may not be a reference or a pointer (checked), and what it captures should not keep one. With `guarded<T, shared_mutex>`, const access and `snapshot` take
/// the shared lock, so that readers run side by side. Both block as the mutex does; their `ctx` forms return `nullopt` (for an f without a
/// result: false) if `ctx` is canceled first. f must not use the same object again: that is a deadlock. Thread-safe; cannot be copied or moved.

#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <utility>

#include <tenon/mutex.hpp>

namespace tenon {

template <class T, class Mutex = mutex>
class guarded {
 public:
  guarded() = default;
  template <class... A>
    requires(sizeof...(A) != 0 && std::is_constructible_v<T, A...>)
  explicit guarded(A&&... a) : value_(std::forward<A>(a)...) {}
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;
  ~guarded() = default;

  template <class F>
  auto with(F&& f) {
    const std::lock_guard<Mutex> hold(mu_);
    return apply(std::forward<F>(f), value_);
  }
  template <class F>
  auto with(F&& f) const {
    const reading hold(mu_);
    return apply(std::forward<F>(f), value_);
  }

  template <class F>
  [[nodiscard]] auto with(const context& ctx, F&& f) TENON_TSA_UNCHECKED {
    if (!mu_.lock(ctx)) return refused<F, T&>();
    const std::lock_guard<Mutex> hold(mu_, std::adopt_lock);
    return answered(std::forward<F>(f), value_);
  }
  template <class F>
  [[nodiscard]] auto with(const context& ctx, F&& f) const TENON_TSA_UNCHECKED {
    if constexpr (shared) {
      if (!mu_.lock_shared(ctx)) return refused<F, const T&>();
    } else {
      if (!mu_.lock(ctx)) return refused<F, const T&>();
    }
    const reading hold(mu_, std::adopt_lock);
    return answered(std::forward<F>(f), value_);
  }

  /// A copy, made under the lock.
  [[nodiscard]] T snapshot() const
    requires std::is_copy_constructible_v<T>
  {
    const reading hold(mu_);
    return value_;
  }
  [[nodiscard]] std::optional<T> snapshot(const context& ctx) const
    requires std::is_copy_constructible_v<T>
  {
    return with(ctx, [](const T& v) { return v; });
  }

 private:
  static constexpr bool shared = requires(Mutex& m) { m.lock_shared(); };
  using reading = std::conditional_t<shared, std::shared_lock<Mutex>, std::unique_lock<Mutex>>;

  template <class F, class V>
  static auto apply(F&& f, V& value) {
    using R = std::invoke_result_t<F, V&>;
    static_assert(!std::is_reference_v<R> && !std::is_pointer_v<R>,
                  "guarded: a reference or pointer to the data must not leave the lock; return a copy");
    return std::invoke(std::forward<F>(f), value);
  }
  template <class F, class V>
  static auto refused() {
    if constexpr (std::is_void_v<std::invoke_result_t<F, V>>) {
      return false;
    } else {
      return std::optional<std::decay_t<std::invoke_result_t<F, V>>>();
    }
  }
  template <class F, class V>
  static auto answered(F&& f, V& value) {
    if constexpr (std::is_void_v<std::invoke_result_t<F, V&>>) {
      apply(std::forward<F>(f), value);
      return true;
    } else {
      using R = std::decay_t<std::invoke_result_t<F, V&>>;  // which may be an optional, too
      return std::optional<R>(std::in_place, apply(std::forward<F>(f), value));
    }
  }

  mutable Mutex mu_;
  T value_{};
};

}  // namespace tenon
