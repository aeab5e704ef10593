#pragma once

/// One line on a terminal that says how far the work has come.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace md5all {

/// "56.7 MB".
[[nodiscard]] std::string human_bytes(double bytes);

class progress_line {
 public:
  struct state {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> total_files = {};  // known once somebody has counted them: then there is a bar
  };

  /// Draws on standard error if `wanted` and if that is a terminal; otherwise no member does anything.
  explicit progress_line(bool wanted);
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { clear(); }

  [[nodiscard]] bool enabled() const noexcept { return enabled_; }
  void draw(const state& now);
  /// To be called before anything else is printed.
  void clear();

 private:
  using clock = std::chrono::steady_clock;
  const bool enabled_;
  bool visible_ = false;
  clock::time_point last_time_ = clock::now();
  std::uint64_t last_bytes_ = 0;
  double rate_ = 0;  // bytes a second, smoothed
};

}  // namespace md5all
