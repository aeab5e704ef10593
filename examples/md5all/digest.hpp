#pragma once

/// Digests of files, by OpenSSL.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/evp.h>
#include <tenon/context.hpp>
#include <tenon/result.hpp>

#include "walk.hpp"

namespace md5all {

/// A digest algorithm. Immutable, so every worker may use the same one.
class algorithm {
 public:
  /// By any name that OpenSSL knows it by. Throws `std::invalid_argument` if there is none, with those there are.
  explicit algorithm(const std::string& name);

  [[nodiscard]] const EVP_MD* get() const noexcept { return md_.get(); }

 private:
  struct freer {
    void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
  };
  std::unique_ptr<EVP_MD, freer> md_;
};

/// Digests one file after the other. One worker's own: not thread-safe.
class digester {
 public:
  /// Adds the number of bytes read to `bytes`, as they are read. Both must outlive it. Throws `std::bad_alloc`.
  digester(const algorithm& how, std::atomic<std::uint64_t>& bytes);

  /// The digest of the file, in hexadecimal. A file that is gone, or shrinks while it is read, is an error; one that
  /// grows is read to its end. Ends with `ctx.err()` within one buffer's worth of work once `ctx` is canceled. Gives way
  /// to other goroutines after each buffer.
  tn::result<std::string> operator()(const tn::context& ctx, const found& file);

 private:
  struct freer {
    void operator()(EVP_MD_CTX* state) const noexcept { EVP_MD_CTX_free(state); }
  };
  const algorithm& how_;
  std::atomic<std::uint64_t>& bytes_;
  std::unique_ptr<EVP_MD_CTX, freer> state_;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace md5all
