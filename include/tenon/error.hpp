#pragma once

/// `error`: one nullable pointer that says why something did not work.
///
/// Go counterpart: the `error` interface, with `errors.Is` and `errors.Unwrap`. A default-constructed error means success;
/// `if (error e = f())` reads as in Go. Copies share one immutable node, so copying is cheap and thread-safe. Nothing here
/// blocks. `[[nodiscard]]`: an error that is not looked at is a warning at the call.

#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <tenon/detail/requirements.hpp>

namespace tenon {

/// tenon's own error codes, usable wherever a `std::error_code` is.
enum class errc {
  canceled = 1,           ///< "context canceled"
  deadline_exceeded = 2,  ///< "context deadline exceeded"
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

class [[nodiscard]] error {
 public:
  /// No error.
  error() noexcept {}                // NOLINT: usable as a default argument of its own members
  error(std::nullptr_t) noexcept {}  // NOLINT: `return nullptr;` is success, as `return nil` is in Go

  /// From a code. A code of value 0 is no error.
  error(std::error_code code);  // NOLINT: implicit on purpose, `return std::make_error_code(...)`
  template <class E>
    requires std::is_error_code_enum_v<E>
  error(E code) : error(make_error_code(code)) {}  // NOLINT

  /// From an exception, which `rethrow` throws again and `message` describes. A null pointer is no error.
  error(std::exception_ptr failure);  // NOLINT

  /// From a message, with the error that led to it if there was one.
  explicit error(std::string message);
  error(std::string message, error cause);

  /// A code that happened while doing `what`: message "what: <the code's text>", `is(code)` holds.
  error(std::error_code code, std::string what);

  error(const error& other) noexcept : node_(other.node_ == nullptr ? nullptr : share(other.node_)) {}
  error(error&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  error& operator=(error other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~error() {
    if (node_ != nullptr) drop();
  }

  explicit operator bool() const noexcept { return node_ != nullptr; }

  /// The text; "<nil>" for no error, as Go prints it.
  [[nodiscard]] std::string message() const;

  /// The code, or a zero code when this error was not made from one.
  [[nodiscard]] std::error_code code() const noexcept;

  /// Whether this error or any of its causes has that code (Go: `errors.Is`).
  [[nodiscard]] bool is(std::error_code code) const noexcept;
  [[nodiscard]] bool is(std::error_condition condition) const noexcept;
  template <class E>
    requires(std::is_error_code_enum_v<E> || std::is_error_condition_enum_v<E>)
  [[nodiscard]] bool is(E e) const noexcept {
    if constexpr (std::is_error_code_enum_v<E>) {
      return is(std::error_code(make_error_code(e)));
    } else {
      return is(std::error_condition(make_error_condition(e)));
    }
  }

  /// What led to this error; no error if nothing did (Go: `errors.Unwrap`).
  error cause() const noexcept;

  /// Throws it: the exception it was made from, a `std::system_error` for a code, a `std::runtime_error` for a message.
  /// Calling it on no error is a `panic`.
  [[noreturn]] void rethrow() const;

  /// The exception inside, or null.
  [[nodiscard]] std::exception_ptr exception() const noexcept;

  /// The same error: one node, or one code without a message of its own.
  friend bool operator==(const error& a, const error& b) noexcept;

  /// `std::cerr << e`: its text.
  template <class Stream>
    requires requires(Stream& out, const std::string& text) { out << text; }
  friend Stream& operator<<(Stream& out, const error& e) {
    out << e.message();
    return out;
  }

  struct node;

 private:
  friend struct error_access;
  explicit error(node* adopted) noexcept : node_(adopted) {}
  static node* share(node* n) noexcept;
  void drop() noexcept;
  node* node_ = nullptr;
};

/// The two errors a context ends with. `err == canceled()` holds for every context that was canceled.
[[nodiscard]] error canceled() noexcept;
[[nodiscard]] error deadline_exceeded() noexcept;

}  // namespace tenon

template <>
struct std::is_error_code_enum<tenon::errc> : std::true_type {};
