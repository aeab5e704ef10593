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
#include <system_error>
#include <type_traits>
#include <utility>

#include <tenon/error.hpp>
#include <tenon/panic.hpp>

namespace tenon {

namespace detail {
/// What is an error and nothing else, whatever it converts to beside: Asio's codes are plain enumerations, which are ints, too, and a std::any
/// takes everything.
template <class E>
inline constexpr bool is_only_an_error = std::is_base_of_v<error, E> || std::is_error_code_enum_v<E>;
template <class E, class T>
concept why_no = std::convertible_to<E, error> && !std::same_as<std::remove_cvref_t<E>, T> &&
                 (is_only_an_error<std::remove_cvref_t<E>> || !std::convertible_to<E, T>);
}  // namespace detail

template <class T>
class [[nodiscard]] result {
  static_assert(std::is_object_v<T> && !std::is_same_v<std::remove_cv_t<T>, error>,
                "result<T> holds a value; a function that only fails or not returns an error");

 public:
  using value_type = T;

  result(T value) : value_(std::move(value)) {}  // NOLINT: `return value;`
  /// What a value is made from without an explicit word: `return "text";` of a `result<std::string>`.
  template <class U>
    requires(!std::same_as<std::remove_cvref_t<U>, result>) && (!std::same_as<std::remove_cvref_t<U>, T>) &&
            (!detail::is_only_an_error<std::remove_cvref_t<U>>) && std::convertible_to<U, T>
  result(U&& value) : value_(std::in_place, std::forward<U>(value)) {}  // NOLINT: as above
  /// Anything an error is made from, too. No error is a `panic`: then there would be neither.
  template <detail::why_no<T> E>
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
