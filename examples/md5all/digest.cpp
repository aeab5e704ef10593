#include "digest.hpp"

#include <array>
#include <cctype>
#include <cstring>
#include <new>
#include <set>
#include <stdexcept>
#include <string_view>

#include <openssl/err.h>
#include <tenon/yield.hpp>

#include "input.hpp"
#include "output.hpp"

namespace md5all {
namespace {

// Large enough that the system calls do not count, small enough to stay in the second-level cache between the read and
// the digest, and for a cancellation to be noticed within a millisecond.
constexpr std::size_t buffer_size = 65536;

std::string known_algorithms() {
  std::set<std::string> names;
  EVP_MD_do_all_provided(
      nullptr,
      [](EVP_MD* md, void* all) {
        if (EVP_MD_get_size(md) <= 0 || (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0) return;
        std::string shortest;  // of SHA2-256, SHA-256, SHA256 and 2.16.840.1.101.3.4.2.1
        const auto take_shorter = [](const char* name, void* best) {
          auto& so_far = *static_cast<std::string*>(best);
          if (so_far.empty() || std::strlen(name) < so_far.size()) so_far = name;
        };
        EVP_MD_names_do_all(md, take_shorter, &shortest);
        for (char& c : shortest) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        static_cast<std::set<std::string>*>(all)->insert(std::move(shortest));
      },
      &names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

tn::error openssl_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  return tn::error(std::string("OpenSSL: ") + (reason != nullptr ? reason : "unknown error"));
}

}  // namespace

algorithm::algorithm(const std::string& name) : md_(EVP_MD_fetch(nullptr, name.c_str(), nullptr)) {
  if (!md_ || EVP_MD_get_size(md_.get()) <= 0) {
    throw std::invalid_argument(printable(name) + " is not a digest algorithm of this OpenSSL, which has " +
                                known_algorithms());
  }
}

digester::digester(const algorithm& how, std::atomic<std::uint64_t>& bytes)
    : how_(how),
      bytes_(bytes),
      state_(EVP_MD_CTX_new()),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)) {
  if (!state_) throw std::bad_alloc();
}

tn::result<std::string> digester::operator()(const tn::context& ctx, const found& file) {
  if (EVP_DigestInit_ex2(state_.get(), how_.get(), nullptr) != 1) return openssl_error();

  input in(file);
  while (const std::size_t size = in.read({buffer_.get(), buffer_size})) {
    if (EVP_DigestUpdate(state_.get(), buffer_.get(), size) != 1) return openssl_error();
    bytes_.fetch_add(size, std::memory_order_relaxed);  // a figure to show, nothing depends on it
    if (ctx.is_canceled()) return ctx.err();
    tn::yield();
  }
  if (in.failure()) return in.failure();

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(state_.get(), digest.data(), &length) != 1) return openssl_error();
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

}  // namespace md5all
