#include "access_log.hpp"

#include <unistd.h>

#include <system_error>

#include <tenon/blocking.hpp>
#include <tenon/last_error.hpp>

namespace httpd {

void access_log::add(const access& a) {
  if (!on_) return;
  std::string line = a.peer + " \"";
  for (const char c : a.request) line += static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\' ? '?' : c;
  line +=
      "\" " + std::to_string(a.status) + " " + std::to_string(a.bytes) + " " + std::to_string(a.took.count()) + "us\n";
  lines_.send(std::move(line));
}

tenon::error access_log::write() {
  while (auto all = lines_.recv()) {
    while (auto more = lines_.try_recv()) *all += *more;
    for (std::string_view rest = *all; !rest.empty();) {
      int number = 0;
      const ssize_t n = tenon::blocking([&] {
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (written < 0) number = tenon::last_error();
        return written;
      });
      if (n >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (std::errc(number) != std::errc::interrupted) {
        // Nobody reads it any more: it is dropped, and the server goes on.
        while (lines_.recv()) {
        }
        return {std::error_code(number, std::generic_category()), "the access log"};
      }
    }
  }
  return nullptr;
}

}  // namespace httpd
