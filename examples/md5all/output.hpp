#pragma once

/// What goes to standard output, in md5sum's own form and in the right order, and what is said on standard error.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/result.hpp>

namespace md5all {

namespace tn = tenon;

/// What became of one file: a line for standard output, or why there is none.
struct outcome {
  std::uint64_t number = 0;
  tn::result<std::string> line;
};

/// A line as md5sum 9.0 and newer print it. A name with a backslash, newline or carriage return is escaped, and the
/// line then begins with a backslash; with `zero` the line ends in NUL instead and nothing is escaped.
[[nodiscard]] std::string sum_line(std::string_view hex, std::string_view path, bool zero);

/// A path for a message: as a shell would read it back, so that no name can send control characters to a terminal.
[[nodiscard]] std::string printable(std::string_view path);

/// "md5all: <text>" on standard error. Blocks as a write does.
void complain(std::string_view text);

/// Puts outcomes back into the order of their numbers, which count from 0. At most `window` of them are under way at a
/// time.
class sequencer {
 public:
  explicit sequencer(std::size_t window) : slots_(window) {}
  void put(outcome o) { slots_[o.number % slots_.size()] = std::move(o); }
  /// The next in order, if it is there.
  std::optional<outcome> next();

 private:
  std::vector<std::optional<outcome>> slots_;
  std::uint64_t next_ = 0;
};

/// Writes lines, in blocks, to a file descriptor that it does not own; whole lines only. Not thread-safe.
class line_writer {
 public:
  line_writer(int fd, char end_of_line);

  /// Keeps the line for later.
  void add(std::string_view line) { pending_ += line; }
  [[nodiscard]] bool wants_flush() const noexcept { return pending_.size() >= block_size; }
  [[nodiscard]] bool empty() const noexcept { return pending_.empty(); }

  /// Writes what is pending. Blocks while whoever reads does not; once `ctx` is canceled it writes only what goes
  /// without waiting, and drops the rest. After a failure it drops everything and returns that failure again.
  tn::error flush(const tn::context& ctx);

  /// To be called once, after the last flush: asks for failures that a file system reports late.
  tn::error finish();

  /// What `flush` and `finish` return when a write fails with `code`.
  static tn::error failed(std::error_code code) { return {code, "cannot write to standard output"}; }

 private:
  static constexpr std::size_t block_size = 64 * 1024;
  bool wait_writable(const tn::context& ctx) const;
  std::size_t whole_lines() const noexcept;
  void take_back(std::size_t size) const noexcept;

  const int fd_;
  const char end_of_line_;
  bool is_file_ = false;
  std::string pending_;
  tn::error failure_;
};

}  // namespace md5all
