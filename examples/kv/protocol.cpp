#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kv {

namespace {

constexpr std::size_t largest_line = 64 * 1024;
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

std::optional<std::string_view> request_reader::line(std::size_t& at) {
  const char* const from = buffer_.data() + at;
  const auto* const found = static_cast<const char*>(std::memchr(from, '\n', buffer_.size() - at));
  if (found == nullptr) return {};
  at += static_cast<std::size_t>(found - from) + 1;
  const bool has_return = found != from && found[-1] == '\r';
  return std::string_view(from, static_cast<std::size_t>(found - from) - (has_return ? 1 : 0));
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
  const auto all = line(at);
  if (!all) return buffer_.size() - begin_ > largest_line ? fail("too big inline request") : outcome::incomplete;
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
  std::size_t at = begin_ + 1;
  const auto count_text = line(at);
  if (!count_text)
    return buffer_.size() - begin_ > largest_line ? fail("too big mbulk count string") : outcome::incomplete;
  const auto count = to_number(*count_text);
  if (!count || *count > most_arguments) return fail("invalid multibulk length");
  for (std::int64_t i = 0; i < *count; ++i) {
    if (at == buffer_.size()) return outcome::incomplete;
    if (buffer_[at] != '$') return fail("expected '$'");
    std::size_t text = at + 1;
    const auto size_text = line(text);
    if (!size_text) return buffer_.size() - at > largest_line ? fail("too big bulk count string") : outcome::incomplete;
    const auto size = to_number(*size_text);
    if (!size || *size < 0 || *size > largest_text) return fail("invalid bulk length");
    const auto n = static_cast<std::size_t>(*size);
    if (buffer_.size() - text < n + 2) {
      wanted_ = text + n + 2 - begin_;
      return outcome::incomplete;
    }
    if (std::memcmp(buffer_.data() + text + n, "\r\n", 2) != 0) return fail("expected the end of a line");
    into.emplace_back(buffer_.data() + text, n);
    at = text + n + 2;
  }
  begin_ = at;
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
