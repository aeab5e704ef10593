#pragma once

// What the server answers: requests in, responses out, no sockets.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace httpd {

namespace http = boost::beast::http;
using request = http::request<http::string_body>;
using text_response = http::response<http::string_body>;

/// A descriptor that closes with it.
class open_file {
 public:
  explicit open_file(int fd) noexcept : fd_(fd) {}
  open_file(open_file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  open_file& operator=(open_file&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~open_file();
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// A file, whose head this is.
struct file_response {
  http::response<http::empty_body> head;
  open_file file;
  std::uint64_t size = 0;
};

/// A body whose length nobody knows: `next` gives one piece after the other, and nothing at its end.
struct stream_response {
  http::response<http::empty_body> head;
  std::function<std::optional<std::string>()> next;
};

using response = std::variant<text_response, file_response, stream_response>;

class site {
 public:
  /// Files below `root`, under /files/. Empty: none.
  explicit site(std::filesystem::path root);

  [[nodiscard]] response answer(const request& r) const;

  /// A short text with this status.
  static text_response text(http::status status, unsigned version, bool keep_alive, std::string_view body);

 private:
  [[nodiscard]] response file(const request& r, std::string_view path) const;
  static response json(const request& r);
  static response stream(const request& r, std::string_view query);

  std::filesystem::path root_;
  open_file folder_;
};

}  // namespace httpd
