#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kv {

namespace {

constexpr std::size_t largest_line = 64 * 1024;
constexpr std::size_t largest_number = 32;  // with its CRLF
constexpr std::int64_t largest_text = 512 << 20;
constexpr std::int64_t most_arguments = 1 << 20;

void add_line(std::string& out, char kind, std::int64_t n) {
  char text[32];
  text[0] = kind;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, n).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, end);
}

}  // namespace

std::string& request_reader::input() {
  if (begin_ == buffer_.size()) {
    std::string().swap(buffer_);  // a client that waits costs no buffer
    std::vector<piece>().swap(pieces_);
  } else {
    buffer_.erase(0, begin_);
    if (wanted_ > buffer_.size()) buffer_.reserve(wanted_);
  }
  begin_ = 0;
  return buffer_;
}

request_reader::outcome request_reader::fail(std::string_view why) {
  why_ = why;
  return outcome::broken;
}

std::optional<std::string_view> request_reader::line(std::size_t& at, std::size_t most) {
  const char* const from = buffer_.data() + at;
  const auto* const found = static_cast<const char*>(std::memchr(from, '\n', std::min(buffer_.size() - at, most)));
  if (found == nullptr) return {};
  at += static_cast<std::size_t>(found - from) + 1;
  const bool has_return = found != from && found[-1] == '\r';
  return std::string_view(from, static_cast<std::size_t>(found - from) - (has_return ? 1 : 0));
}

request_reader::outcome request_reader::no_line(std::size_t at, std::size_t most, std::string_view why) {
  return buffer_.size() - at <= most ? outcome::incomplete : fail(why);
}

request_reader::outcome request_reader::next(arguments& into) {
  into.clear();
  for (;;) {
    if (begin_ == buffer_.size() || buffer_.size() - begin_ < wanted_) return outcome::incomplete;
    wanted_ = 0;
    const outcome o = buffer_[begin_] == '*' ? array(into) : words(into);
    if (o != outcome::request || !into.empty()) return o;  // an empty one has no answer
  }
}

request_reader::outcome request_reader::words(arguments& into) {
  std::size_t at = begin_;
  const auto all = line(at, largest_line);
  if (!all) return no_line(at, largest_line, "too big inline request");
  for (std::string_view rest = *all;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.empty()) break;
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    into.push_back(word);
    rest.remove_prefix(word.size());
  }
  begin_ = at;
  return outcome::request;
}

request_reader::outcome request_reader::array(arguments& into) {
  if (!left_) {
    std::size_t at = begin_ + 1;
    const auto count_text = line(at, largest_number);
    if (!count_text) return no_line(at, largest_number, "too big mbulk count string");
    const auto count = to_number(*count_text);
    if (!count || *count > most_arguments) return fail("invalid multibulk length");
    left_ = static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
    read_ = at - begin_;
  }
  for (; *left_ > 0; --*left_) {
    std::size_t at = begin_ + read_;
    if (at == buffer_.size()) return outcome::incomplete;
    if (buffer_[at] != '$') return fail("expected '$'");
    ++at;
    const auto size_text = line(at, largest_number);
    if (!size_text) return no_line(at, largest_number, "too big bulk count string");
    const auto size = to_number(*size_text);
    if (!size || *size < 0 || *size > largest_text) return fail("invalid bulk length");
    const auto n = static_cast<std::size_t>(*size);
    if (buffer_.size() - at < n + 2) {
      wanted_ = at + n + 2 - begin_;
      return outcome::incomplete;
    }
    if (std::memcmp(buffer_.data() + at + n, "\r\n", 2) != 0) return fail("expected the end of a line");
    pieces_.push_back({at - begin_, n});
    read_ = at + n + 2 - begin_;
  }
  into.reserve(pieces_.size());
  for (const piece& p : pieces_) into.emplace_back(buffer_.data() + begin_ + p.at, p.size);
  begin_ += read_;
  pieces_.clear();
  left_.reset();
  return outcome::request;
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (why != std::errc() || end != text.data() + text.size()) return {};
  return n;
}

void add_simple(std::string& out, std::string_view text) { out.append("+").append(text).append("\r\n"); }
void add_error(std::string& out, std::string_view text) { out.append("-").append(text).append("\r\n"); }
void add_number(std::string& out, std::int64_t n) { add_line(out, ':', n); }
void add_text(std::string& out, std::string_view text) {
  add_line(out, '$', static_cast<std::int64_t>(text.size()));
  out.append(text).append("\r\n");
}
void add_nothing(std::string& out) { out.append("$-1\r\n"); }
void add_array(std::string& out, std::size_t n) { add_line(out, '*', static_cast<std::int64_t>(n)); }

}  // namespace kv
