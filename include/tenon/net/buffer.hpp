#pragma once

/// `net::const_buffer`, `net::mutable_buffer`: bytes to be sent, bytes to be filled.
///
/// Go counterpart: `[]byte`.
///
/// Made from anything that lies in a row and consists of `char`, `std::byte` or `unsigned char`: arrays, strings, string views, vectors, spans. They refer to the
/// memory and do not own it: it has to stay until the call has returned. Of a string literal, or a `const char` array that ends with one, the terminating null does not count; of
/// any other array everything does.

#include <cstddef>
#include <cstring>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

#include <tenon/detail/requirements.hpp>

namespace tenon::net {

namespace detail {
template <class T>
concept byte_like = std::is_same_v<T, char> || std::is_same_v<T, std::byte> || std::is_same_v<T, unsigned char>;
template <class R>
concept bytes =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && byte_like<std::ranges::range_value_t<R>>;
template <class R>
concept mutable_bytes = bytes<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;
}  // namespace detail

class const_buffer {
 public:
  constexpr const_buffer() noexcept = default;
  constexpr const_buffer(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  /// Up to the terminating null. Not for arrays, which need not have one.
  template <class P>
    requires(std::is_same_v<P, const char*> || std::is_same_v<P, char*>)
  constexpr const_buffer(P text) noexcept
      : const_buffer(std::string_view(text).data(), std::string_view(text).size()) {}  // NOLINT
  /// A literal, whose terminating null does not count.
  template <std::size_t N>
  constexpr const_buffer(const char (&text)[N]) noexcept  // NOLINT
      : const_buffer(text, text[N - 1] == '\0' ? N - 1 : N) {}
  /// All of it.
  template <std::size_t N>
  constexpr const_buffer(char (&bytes)[N]) noexcept : const_buffer(bytes, N) {}  // NOLINT
  template <detail::bytes R>
    requires(!std::is_array_v<R> || !std::is_same_v<std::ranges::range_value_t<R>, char>)
  constexpr const_buffer(const R& range) noexcept  // NOLINT
      : data_(std::ranges::data(range)), size_(std::ranges::size(range)) {}

  [[nodiscard]] constexpr const void* data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  /// Without the first n bytes.
  [[nodiscard]] const_buffer after(std::size_t n) const noexcept {
    return {static_cast<const std::byte*>(data_) + n, size_ - n};
  }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

class mutable_buffer {
 public:
  constexpr mutable_buffer() noexcept = default;
  constexpr mutable_buffer(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <detail::mutable_bytes R>
  constexpr mutable_buffer(R&& range) noexcept  // NOLINT
      : data_(std::ranges::data(range)), size_(std::ranges::size(range)) {}

  [[nodiscard]] constexpr void* data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] mutable_buffer after(std::size_t n) const noexcept {
    return {static_cast<std::byte*>(data_) + n, size_ - n};
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tenon::net
