#pragma once

/// Reads a file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tenon/error.hpp>
#include <tenon/os/file.hpp>

#include "walk.hpp"

namespace md5all {

/// A regular file, open for reading from its beginning to its end. Every system call is made inside `tn::blocking`; reads, as a `tn::os::file`'s, are bounded in number.
///
/// For tests: a process with `MD5ALL_TEST_STOP` in its environment stops itself, as by SIGSTOP, and goes on at SIGCONT. It does so at
/// "before PATH", when it is about to open PATH; at "within PATH", after the first piece; at "hang PATH" there, too, and then
/// that read never returns, as with a file server that does not answer.
class input {
 public:
  /// Opens it; if that is not possible there is a `failure`.
  explicit input(const found& file);

  /// The number of bytes read into `buffer`; 0 at the end, and on failure.
  std::size_t read(std::span<std::byte> buffer);

  /// Why it was not opened or not read to the end: among others because it shrank meanwhile.
  [[nodiscard]] const tn::error& failure() const noexcept { return failure_; }

 private:
  void stop_within() const;

  const std::string& path_;
  tn::os::file file_;
  std::uint64_t size_ = 0;  // when it was opened; some file systems do not know it
  std::uint64_t total_ = 0;
  bool at_end_ = false;
  tn::error failure_;
};

}  // namespace md5all
