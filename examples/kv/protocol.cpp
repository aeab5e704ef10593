#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kv {

namespace {

constexpr std::size_t kept = 512;  // so much of its buffer a client keeps while it waits
constexpr std::size_t largest_line = 64 * 1024;
constexpr std::size_t largest_number = 32;  // with its CRLF
constexpr int few_digits = 9;
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
    buffer_.clear();
    if (buffer_.capacity() > kept) buffer_.shrink_to_fit();
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

request_reader::outcome request_reader::number(std::size_t& at, std::int64_t& into, const number_errors& errors) {
  // Nearly all are a few digits and the end of the line; behind the buffer's last byte is a 0.
  const char* const from = buffer_.data() + at;
  const char* end = from;
  std::int64_t n = 0;
  for (; *end >= '0' && *end <= '9' && end != from + few_digits; ++end) n = 10 * n + (*end - '0');
  if (end == from || end[0] != '\r' || end[1] != '\n') return any_number(at, into, errors);
  at += static_cast<std::size_t>(end - from) + 2;
  into = n;
  return outcome::request;
}

request_reader::outcome request_reader::any_number(std::size_t& at, std::int64_t& into, const number_errors& errors) {
  const auto text = line(at, largest_number);
  if (!text) return no_line(at, largest_number, errors.too_long);
  const auto n = to_number(*text);
  if (!n) return fail(errors.invalid);
  into = *n;
  return outcome::request;
}

request_reader::outcome request_reader::keep(arguments& into, std::size_t at, std::size_t left) {
  for (const std::string_view a : into) {
    pieces_.push_back({static_cast<std::size_t>(a.data() - buffer_.data()) - begin_, a.size()});
  }
  into.clear();
  read_ = at - begin_;
  left_ = left;
  return outcome::incomplete;
}

request_reader::outcome request_reader::array(arguments& into) {
  static constexpr number_errors count_errors{"too big mbulk count string", "invalid multibulk length"};
  static constexpr number_errors size_errors{"too big bulk count string", "invalid bulk length"};
  std::int64_t n = 0;
  std::size_t at = begin_ + 1;
  if (!left_) {
    const outcome o = number(at, n, count_errors);
    if (o != outcome::request) return o;
    if (n > most_arguments) return fail(count_errors.invalid);
    left_ = static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
  } else {
    at = begin_ + read_;
  }
  for (std::size_t left = *left_; left > 0; --left) {
    const std::size_t here = at;
    const auto later = [&] { return keep(into, here, left); };
    if (at == buffer_.size()) return later();
    if (buffer_[at++] != '$') return fail("expected '$'");
    const outcome o = number(at, n, size_errors);
    if (o != outcome::request) return o == outcome::incomplete ? later() : o;
    if (n < 0 || n > largest_text) return fail(size_errors.invalid);
    const auto size = static_cast<std::size_t>(n);
    if (buffer_.size() - at < size + 2) {
      wanted_ = at + size + 2 - begin_;
      return later();
    }
    const char* const text = buffer_.data() + at;
    if (text[size] != '\r' || text[size + 1] != '\n') return fail("expected the end of a line");
    into.emplace_back(text, size);
    at += size + 2;
  }
  if (!pieces_.empty()) {
    (void)keep(into, at, 0);
    for (const piece& p : pieces_) into.emplace_back(buffer_.data() + begin_ + p.at, p.size);
    pieces_.clear();
  }
  begin_ = at;
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
