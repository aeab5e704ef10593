#pragma once

// The protocol of Redis, version 2: how requests are read, and how replies are written.
//
// A request is an array of strings ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") or a line of words. Many may come in one piece, and one in many pieces.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kv {

using arguments = std::vector<std::string_view>;

class request_reader {
 public:
  enum class outcome { request, incomplete, broken };

  /// To whose end the next bytes go. What `next` has given out is no longer valid.
  std::string& input();

  /// The next request, whose arguments stay where they were read until `input` is called. `broken`: what comes after cannot be understood.
  outcome next(arguments& into);
  /// What is broken.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  /// An argument that is complete; `at` counts from `begin_`.
  struct piece {
    std::size_t at;
    std::size_t size;
  };
  struct number_errors {
    std::string_view too_long;
    std::string_view invalid;
  };

  outcome array(arguments& into);
  /// Keeps what has been read of an array, which is all up to `at`; so many arguments are to come.
  outcome keep(arguments& into, std::size_t at, std::size_t left);
  outcome words(arguments& into);
  outcome fail(std::string_view why);
  /// Up to the next CRLF from `at` on, which is moved behind that; nothing if it is not within the next `most` bytes.
  std::optional<std::string_view> line(std::size_t& at, std::size_t most);
  /// The number that is all of the line from `at` on, which is moved behind that.
  outcome number(std::size_t& at, std::int64_t& into, const number_errors& errors);
  [[gnu::noinline]] outcome any_number(std::size_t& at, std::int64_t& into, const number_errors& errors);
  /// What it means that there is no line.
  outcome no_line(std::size_t at, std::size_t most, std::string_view why);

  std::string buffer_;
  std::size_t begin_ = 0;   // of what has not been given out
  std::size_t wanted_ = 0;  // a request that is incomplete is not looked at again with fewer bytes
  // Of an array that came in parts: none of its arguments is read again.
  std::vector<piece> pieces_;
  std::size_t read_ = 0;             // how many bytes they take, with the line before them
  std::optional<std::size_t> left_;  // how many are to come, once that is known
  std::string_view why_;
};

/// As the protocol has it; nothing if it is none.
std::optional<std::int64_t> to_number(std::string_view text);

/// Replies, added to the end of a string.
void add_simple(std::string& out, std::string_view text);
void add_error(std::string& out, std::string_view text);
void add_number(std::string& out, std::int64_t n);
void add_text(std::string& out, std::string_view text);
void add_nothing(std::string& out);
/// So many replies follow.
void add_array(std::string& out, std::size_t n);

}  // namespace kv
