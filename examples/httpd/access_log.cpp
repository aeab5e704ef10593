#include "access_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <system_error>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/fd.hpp>
#include <tenon/last_error.hpp>

namespace httpd {

void access_log::add(const tenon::context& ctx, const access& a) {
  if (!on_) return;
  std::string line = a.peer + " \"";
  for (const char c : a.request) line += static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\' ? '?' : c;
  line +=
      "\" " + std::to_string(a.status) + " " + std::to_string(a.bytes) + " " + std::to_string(a.took.count()) + "us\n";
  (void)lines_.send(ctx, std::move(line));
}

void access_log::close(const tenon::context& ctx, std::string last) {
  (void)lines_.send(ctx, std::move(last));
  lines_.close();
}

tenon::error access_log::write(const tenon::context& ctx) {
  while (auto all = lines_.recv(ctx)) {
    while (auto more = lines_.try_recv()) *all += *more;
    if (tenon::error e = put(ctx, *all)) {
      // Nobody reads it any more: it is dropped, and the server goes on.
      while (lines_.recv(ctx)) {
      }
      return e;
    }
  }
  return nullptr;
}

// A write to a full pipe lasts as long as its reader likes, and no context ends it. But a pipe that has room takes PIPE_BUF bytes at once.
tenon::error access_log::put(const tenon::context& ctx, std::string_view text) {
  while (!text.empty()) {
    if (tenon::error e = tenon::wait_writable(ctx, STDOUT_FILENO)) return e;
    int number = 0;
    const ssize_t n = tenon::blocking([&] {
      const ssize_t written = ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0) number = tenon::last_error();
      return written;
    });
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (std::errc(number) != std::errc::interrupted) {
      return {std::error_code(number, std::generic_category()), "the access log"};
    }
  }
  return nullptr;
}

}  // namespace httpd
