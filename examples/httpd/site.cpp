#include "site.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include <boost/json.hpp>

#include <tenon/last_error.hpp>

namespace httpd {

namespace {

constexpr std::string_view server = "tenon";

template <class Response>
Response head(http::status status, const request& r) {
  Response h(status, r.version());
  h.set(http::field::server, server);
  h.keep_alive(r.keep_alive());
  return h;
}

/// What %XX stands for; nothing if that is none, or a null.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '%') {
      const char* const digits = text.data() + i + 1;
      if (text.size() - i < 3 || std::from_chars(digits, digits + 2, c, 16).ptr != digits + 2) return {};
      i += 2;
    }
    if (c == 0) return {};
    out += static_cast<char>(c);
  }
  return out;
}

/// No empty part, and none that leads up.
bool stays_below(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

std::string_view type_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> types{{
      {".html", "text/html; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".pdf", "application/pdf"},
  }};
  for (const auto& [end, type] : types)
    if (path.ends_with(end)) return type;
  return "application/octet-stream";
}

bool is_get(const request& r) { return r.method() == http::verb::get || r.method() == http::verb::head; }

text_response refusal(const request& r, http::status status, std::string_view why) {
  return site::text(status, r.version(), r.keep_alive(), why);
}
text_response wrong_method(const request& r, std::string_view allowed) {
  text_response answer = refusal(r, http::status::method_not_allowed, "this method is not for this\n");
  answer.set(http::field::allow, allowed);
  return answer;
}

}  // namespace

open_file::~open_file() {
  if (fd_ >= 0) ::close(fd_);
}

site::site(std::filesystem::path root)
    : root_(std::move(root)), folder_(root_.empty() ? -1 : ::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!root_.empty() && folder_.get() < 0) throw std::system_error(tenon::last_error(), std::generic_category(), root_);
}

text_response site::text(http::status status, unsigned version, bool keep_alive, std::string_view body) {
  text_response answer(status, version);
  answer.set(http::field::server, server);
  answer.set(http::field::content_type, "text/plain; charset=utf-8");
  answer.keep_alive(keep_alive);
  answer.body() = body;
  answer.prepare_payload();
  return answer;
}

response site::answer(const request& r) const {
  const std::string_view target(r.target().data(), r.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = path.size() < target.size() ? target.substr(path.size() + 1) : "";
  if (path == "/json") return r.method() == http::verb::post ? json(r) : wrong_method(r, "POST");
  if (!is_get(r)) return wrong_method(r, "GET, HEAD");
  if (path == "/") return text(http::status::ok, r.version(), r.keep_alive(), "hello\n");
  if (path == "/stream") return stream(r, query);
  if (path.starts_with("/files/")) return file(r, path.substr(std::string_view("/files/").size()));
  return refusal(r, http::status::not_found, "there is no such page\n");
}

response site::file(const request& r, std::string_view encoded) const {
  const auto path = decoded(encoded);
  if (!path) return refusal(r, http::status::bad_request, "not a path\n");
  if (folder_.get() < 0 || !stays_below(*path)) return refusal(r, http::status::not_found, "there is no such file\n");
  // Links are not followed at the end; who may write to the folder can still lead elsewhere by one before.
  open_file opened(::openat(folder_.get(), path->c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat what{};
  if (opened.get() < 0) {
    const int number = tenon::last_error();
    if (number == EMFILE || number == ENFILE)
      return refusal(r, http::status::service_unavailable, "out of descriptors\n");
    return refusal(r, number == EACCES ? http::status::forbidden : http::status::not_found, "there is no such file\n");
  }
  if (::fstat(opened.get(), &what) != 0 || !S_ISREG(what.st_mode))
    return refusal(r, http::status::not_found, "there is no such file\n");
  file_response answer{head<http::response<http::empty_body>>(http::status::ok, r), std::move(opened),
                       static_cast<std::uint64_t>(what.st_size)};
  answer.head.set(http::field::content_type, type_of(*path));
  answer.head.content_length(answer.size);
  return answer;
}

// The value that was sent, as this server understood it.
response site::json(const request& r) {
  boost::system::error_code ec;
  const boost::json::value value = boost::json::parse(r.body(), ec);
  if (ec) return refusal(r, http::status::bad_request, "not JSON: " + ec.message() + "\n");
  auto answer = head<text_response>(http::status::ok, r);
  answer.set(http::field::content_type, "application/json");
  answer.body() = boost::json::serialize(value) + "\n";
  answer.prepare_payload();
  return answer;
}

// /stream?n=3: so many lines, in pieces.
response site::stream(const request& r, std::string_view query) {
  unsigned n = 10;
  if (query.starts_with("n=")) {
    const char* const end = query.data() + query.size();
    const auto [ptr, ec] = std::from_chars(query.data() + 2, end, n);
    if (ec != std::errc() || ptr != end || n > 1'000'000)
      return refusal(r, http::status::bad_request, "n is a number up to a million\n");
  }
  stream_response answer{head<http::response<http::empty_body>>(http::status::ok, r),
                         [n, i = 0U]() mutable -> std::optional<std::string> {
                           if (i == n) return {};
                           return "line " + std::to_string(++i) + "\n";
                         }};
  answer.head.set(http::field::content_type, "text/plain; charset=utf-8");
  const bool chunked = r.version() >= 11;  // HTTP/1.0 has no chunks: there the body ends with the connection
  answer.head.chunked(chunked);
  answer.head.keep_alive(chunked && r.keep_alive());
  return answer;
}

}  // namespace httpd

#include <boost/json/src.hpp>  // the library, compiled here
