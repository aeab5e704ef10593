#pragma once

// One line for each request, on stdout, in the order in which they were answered. Thread-safe; a reader that stalls holds the requests up, and no thread.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/error.hpp>

namespace httpd {

struct access {
  std::string peer;
  std::string request;  // the first line, as far as it was read
  unsigned status = 0;
  std::uint64_t bytes = 0;  // of the body
  std::chrono::microseconds took{0};
};

class access_log {
 public:
  explicit access_log(bool on) : on_(on) {}

  void add(const access& a);
  /// Writes the lines, until `close`; blocks meanwhile.
  tenon::error write();
  void close() { lines_.close(); }

 private:
  const bool on_;
  const tenon::chan<std::string> lines_ =
      tenon::make_chan<std::string>(1024, "then requests wait for the reader of the log");
};

}  // namespace httpd
