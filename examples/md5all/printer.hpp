#pragma once

/// What the user sees: lines, complaints and progress, so that none runs into another.

#include <atomic>
#include <cstdint>

#include <tenon/context.hpp>
#include <tenon/error.hpp>

#include "options.hpp"
#include "output.hpp"
#include "progress.hpp"

namespace md5all {

/// One goroutine's own. The members that return an error have written to standard output; once `ctx` is canceled they write
/// only what goes without waiting.
class printer {
 public:
  /// `bytes` is what has been read so far; it must outlive the printer.
  printer(const options& chosen, const std::atomic<std::uint64_t>& bytes);

  /// A line, to be written soon; or a complaint, at once.
  tn::error print(const tn::context& ctx, const outcome& o);
  /// Writes the lines there are, and draws the progress anew.
  tn::error refresh(const tn::context& ctx);
  /// After the last line.
  tn::error finish(const tn::context& ctx);

  [[nodiscard]] bool shows_progress() const noexcept { return progress_.enabled(); }
  /// How many files there will be: from now on there is a bar.
  void expect(std::uint64_t files) { so_far_.total_files = files; }

  [[nodiscard]] std::uint64_t files() const noexcept { return so_far_.files; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

 private:
  tn::error flush(const tn::context& ctx);

  const std::atomic<std::uint64_t>& bytes_;
  const bool on_one_screen_;
  progress_line progress_;
  progress_line::state so_far_;
  std::uint64_t failures_ = 0;
  line_writer lines_;
};

}  // namespace md5all
