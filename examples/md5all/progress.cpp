#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>
#include <tenon/blocking.hpp>

namespace md5all {

namespace tn = tenon;
namespace {

void put(std::string_view text) {
  tn::blocking([&] { return ::write(STDERR_FILENO, text.data(), text.size()); });
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string human_bytes(double bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 999.95 && unit + 1 < std::size(units); ++unit) bytes /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

progress_line::progress_line(bool wanted) : enabled_(wanted && ::isatty(STDERR_FILENO) == 1) {}

void progress_line::draw(const state& now) {
  if (!enabled_) return;
  const clock::time_point time = clock::now();
  const double seconds = std::chrono::duration<double>(time - last_time_).count();
  if (seconds > 0) {
    const double rate = static_cast<double>(now.bytes - last_bytes_) / seconds;
    rate_ = rate_ == 0 ? rate : 0.8 * rate_ + 0.2 * rate;
  }
  last_time_ = time;
  last_bytes_ = now.bytes;

  std::string text = std::to_string(now.files);
  if (now.total_files) text += '/' + std::to_string(*now.total_files);
  text += " files  " + human_bytes(static_cast<double>(now.bytes)) + "  " + human_bytes(rate_) + "/s";
  const std::size_t width = terminal_width() - 1;  // the last column would wrap
  if (now.total_files && width >= text.size() + 20) {
    const std::uint64_t total = std::max<std::uint64_t>(*now.total_files, 1);
    const std::uint64_t files = std::min(now.files, total);
    const std::uint64_t cells = std::min<std::size_t>(width - text.size() - 10, 40);
    const std::uint64_t full = files * cells / total;
    text += "  [" + std::string(full, '=') + std::string(cells - full, ' ') + "] ";
    text += std::to_string(files * 100 / total) + '%';
  }
  text.resize(std::min(text.size(), width));
  put("\r" + text + "\x1b[K");
  visible_ = true;
}

void progress_line::clear() {
  if (!std::exchange(visible_, false)) return;
  put("\r\x1b[K");
}

}  // namespace md5all
