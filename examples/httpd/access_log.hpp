#pragma once

// One line for each request, on stdout, in the order in which they were answered. Thread-safe; a reader that stalls holds the requests up, but no thread, and not
// the server's end.

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

  /// Waits for room, if there is none, until `ctx` ends; the line is dropped then.
  void add(const tenon::context& ctx, const access& a);
  /// Writes the lines, until `close` and the last one, or `ctx` ends; blocks meanwhile.
  tenon::error write(const tenon::context& ctx);
  /// This line is the last; as `add`.
  void close(const tenon::context& ctx, std::string last);

 private:
  static tenon::error put(const tenon::context& ctx, std::string_view text);

  const bool on_;
  const tenon::chan<std::string> lines_ =
      tenon::make_chan<std::string>(1024, "then requests wait for the reader of the log");
};

}  // namespace httpd
