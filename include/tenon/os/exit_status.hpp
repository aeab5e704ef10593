#pragma once

/// `os::exit_status`: how a program has ended.
///
/// Go counterpart: `os.ProcessState`, and `exec.ExitError` by `errors.As`.
///
///     if (tn::error e = tn::os::command(ctx, {"diff", a, b}).run()) {
///       const auto how = tn::os::exit_status::of(e);
///       if (how && how->code() == 1) return different;
///       return e;                                        // diff: exit status 2
///     }
///
/// A value; nothing here blocks.

#include <optional>
#include <string>
#include <system_error>

#include <tenon/error.hpp>

namespace tenon::os {

class exit_status {
 public:
  /// As wait(2) has it.
  constexpr explicit exit_status(int wait_status) noexcept : value_(wait_status) {}

  [[nodiscard]] constexpr bool success() const noexcept { return value_ == 0; }
  /// What it returned; -1 if a signal ended it.
  [[nodiscard]] constexpr int code() const noexcept { return signal() == 0 ? (value_ >> 8) & 0xff : -1; }
  /// The signal that ended it, or 0.
  [[nodiscard]] constexpr int signal() const noexcept { return value_ & 0x7f; }
  [[nodiscard]] constexpr bool core_dumped() const noexcept { return (value_ & 0x80) != 0; }

  /// "exit status 2", "signal: killed", "signal: aborted (core dumped)".
  [[nodiscard]] std::string to_string() const;

  /// None if it succeeded; else one that `of` knows. `what` was done: "what: exit status 2".
  [[nodiscard]] error err(std::string what = {}) const;
  /// What such an error, or the first of its causes that is one, was about.
  [[nodiscard]] static std::optional<exit_status> of(const error& e);

  friend constexpr bool operator==(exit_status, exit_status) noexcept = default;

 private:
  int value_;
};

/// Of the codes of such errors.
const std::error_category& exit_category() noexcept;

}  // namespace tenon::os
