#pragma once

/// `result<T>`: a value, or the error that there is none.
///
/// Go counterpart: the pair `(T, error)`, of which the second cannot be forgotten.
///
///     tn::result<int> parse(std::string_view text) {
///       if (text.empty()) return tn::error("parse: nothing there");
///       …
///     }
///     auto n = parse(text);
///     if (!n) return n.err();
///     use(*n);
///
/// `[[nodiscard]]`. True means that there is a value, as for `std::optional`. Nothing here blocks. As thread-safe as T.

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <tenon/error.hpp>
#include <tenon/panic.hpp>

namespace tenon {

template <class T>
class [[nodiscard]] result {
  static_assert(std::is_object_v<T> && !std::is_same_v<std::remove_cv_t<T>, error>,
                "result<T> holds a value; a function that only fails or not returns an error");

 public:
  using value_type = T;

  result(T value) : value_(std::move(value)) {}  // NOLINT: `return value;`
  /// Anything an error is made from, too. No error is a `panic`: then there would be neither.
  template <class E>
    requires(std::convertible_to<E, error> && !std::convertible_to<E, T>)
  result(E&& why) : err_(std::forward<E>(why)) {  // NOLINT: `return error;`
    if (!err_) throw panic("tenon: a result made from no error and without a value");
  }

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// Why there is no value; no error if there is one.
  [[nodiscard]] error err() const noexcept { return err_; }

  /// The value. Where there is none: throws the error (`error::rethrow`).
  [[nodiscard]] T& value() & { return check(), *value_; }
  [[nodiscard]] const T& value() const& { return check(), *value_; }
  [[nodiscard]] T&& value() && { return check(), std::move(*value_); }

  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return std::addressof(value()); }
  [[nodiscard]] const T* operator->() const { return std::addressof(value()); }

  [[nodiscard]] T value_or(T instead) && { return value_ ? std::move(*value_) : std::move(instead); }
  [[nodiscard]] T value_or(T instead) const& { return value_ ? *value_ : std::move(instead); }

 private:
  void check() const {
    if (!value_) err_.rethrow();
  }
  std::optional<T> value_;
  error err_;
};

}  // namespace tenon
