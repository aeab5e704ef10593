#include "output.hpp"

#include <climits>
#include <utility>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <tenon/blocking.hpp>

#include "os.hpp"

namespace md5all {

std::string sum_line(std::string_view hex, std::string_view path, bool zero) {
  std::string line;
  line.reserve(hex.size() + path.size() + 4);
  if (zero) return line.append(hex).append("  ").append(path).append(1, '\0');

  const bool escape = path.find_first_of("\\\n\r") != std::string_view::npos;
  if (escape) line += '\\';
  line.append(hex).append("  ");
  for (const char c : path) {
    switch (c) {
      case '\\': line += "\\\\"; break;
      case '\n': line += "\\n"; break;
      case '\r': line += "\\r"; break;
      default: line += c;
    }
  }
  return line += '\n';
}

std::string printable(std::string_view path) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  bool control = false;
  bool special = path.empty();
  for (const char c : path) {
    control |= is_control(static_cast<unsigned char>(c));
    special |= std::string_view(" !\"#$&'()*;<=>?[\\]^`{|}").find(c) != std::string_view::npos;
  }
  if (!control && !special) return std::string(path);

  std::string text = control ? "$'" : "'";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (control && is_control(byte)) {
      text += '\\';
      for (const int shift : {6, 3, 0}) text += static_cast<char>('0' + (byte >> shift & 7));
    } else if (c == '\'') {
      text += control ? "\\'" : "'\\''";
    } else {
      if (control && c == '\\') text += '\\';
      text += c;
    }
  }
  return text += '\'';
}

void complain(std::string_view text) {
  const std::string line = "md5all: " + std::string(text) + '\n';
  tn::blocking([&] { return ::write(STDERR_FILENO, line.data(), line.size()); });
}

std::optional<outcome> sequencer::next() {
  std::optional<outcome>& slot = slots_[next_ % slots_.size()];
  if (slot) ++next_;
  return std::exchange(slot, std::nullopt);
}

line_writer::line_writer(int fd, char end_of_line) : fd_(fd), end_of_line_(end_of_line) {
  struct stat info{};
  is_file_ = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

// A write to a full pipe blocks for as long as its reader likes, which a cancellation could not end. But a pipe that
// polls as writable takes PIPE_BUF bytes at once.
bool line_writer::wait_writable(const tn::context& ctx) const {
  if (is_file_) return true;
  for (;;) {
    const bool canceled = ctx.is_canceled();
    pollfd writable{fd_, POLLOUT, 0};
    const int ready = tn::blocking([&] { return ::poll(&writable, 1, canceled ? 0 : 20); });
    if (ready > 0) return true;  // or an error, which the write will name
    if (canceled) return false;
  }
}

std::size_t line_writer::whole_lines() const noexcept {
  if (is_file_ || pending_.size() <= PIPE_BUF) return pending_.size();
  std::size_t end = pending_.rfind(end_of_line_, PIPE_BUF - 1);
  if (end == std::string::npos) end = pending_.find(end_of_line_);  // one line longer than that
  return end + 1;
}

// A disk that is full takes half a line before it says so.
void line_writer::take_back(std::size_t size) const noexcept {
  struct stat info{};
  const off_t end = ::lseek(fd_, 0, SEEK_CUR);
  const auto part = static_cast<off_t>(size);
  if (part == 0 || end < part || ::fstat(fd_, &info) != 0 || info.st_size != end) return;
  if (::ftruncate(fd_, end - part) == 0) ::lseek(fd_, -part, SEEK_CUR);
}

tn::error line_writer::flush(const tn::context& ctx) {
  while (!failure_ && !pending_.empty()) {
    const std::size_t size = whole_lines();
    std::size_t done = 0;
    while (done < size) {
      if (!wait_writable(ctx)) {
        pending_.clear();
        return ctx.err();
      }
      std::error_code code;
      const ssize_t n = tn::blocking([&] {
        const ssize_t wrote = ::write(fd_, pending_.data() + done, size - done);
        if (wrote < 0) code = last_error();
        return wrote;
      });
      if (n >= 0) {
        done += static_cast<std::size_t>(n);
      } else if (code != std::errc::interrupted && code != std::errc::resource_unavailable_try_again) {
        failure_ = failed(code);
        if (is_file_) take_back(done - (pending_.rfind(end_of_line_, done == 0 ? 0 : done - 1) + 1));
        break;
      }
    }
    pending_.erase(0, size);
  }
  if (failure_) pending_.clear();
  return failure_;
}

tn::error line_writer::finish() {
  if (failure_) return failure_;
  // NFS and disk quotas report some failures at the close; closing a duplicate asks for them and keeps the descriptor.
  std::error_code code;
  tn::blocking([&] {
    const int copy = ::dup(fd_);
    if (copy < 0 || ::close(copy) != 0) code = last_error();
  });
  if (code) failure_ = failed(code);
  return failure_;
}

}  // namespace md5all
