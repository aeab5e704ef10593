#include "input.hpp"

#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <tenon/blocking.hpp>

#include "output.hpp"

namespace md5all {
namespace {

bool told_to(std::string_view what, std::string_view path) {
  static const char* const told = std::getenv("MD5ALL_TEST_STOP");
  if (told == nullptr) return false;
  const std::string_view text(told);
  return text.starts_with(what) && text.substr(what.size()) == path;
}

void stop() {
  tn::blocking([] { std::raise(SIGSTOP); });
}

}  // namespace

input::input(const found& file) : path_(file.path) {
  if (told_to("before ", path_)) stop();
  // O_NONBLOCK: should a FIFO have taken the file's place, opening it does not wait for a writer.
  const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (file.is_root ? 0 : O_NOFOLLOW);
  struct stat info{};
  std::error_code code;
  tn::blocking([&] {
    fd_ = open_path(path_, flags);
    if (!fd_ || ::fstat(fd_.get(), &info) != 0) code = last_error();
  });
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (code) {
    failure_ = {code, printable(path_)};
  } else if (!S_ISREG(info.st_mode)) {
    failure_ = tn::error(printable(path_) + ": is not a regular file");
  }
}

std::size_t input::read(std::span<std::byte> buffer) {
  if (at_end_ || failure_) return 0;
  std::error_code code;
  bool shrank = false;
  const ssize_t n = tn::blocking([&] {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0) code = last_error();
    struct stat now{};
    if (got == 0 && total_ < size_ && ::fstat(fd_.get(), &now) == 0) {
      shrank = static_cast<std::uint64_t>(now.st_size) < size_;  // there are files that never have what they say
    }
    return got;
  });
  if (code) failure_ = {code, printable(path_)};
  if (shrank) failure_ = tn::error(printable(path_) + ": shrank while it was read");
  if (n <= 0) return 0;

  if (total_ == 0) stop_within();
  const auto size = static_cast<std::size_t>(n);
  total_ += size;
  // All of a file of the usual kind, whose size is known: the read that would say "end" can be saved.
  at_end_ = size < buffer.size() && total_ == size_;
  return size;
}

void input::stop_within() const {
  const bool hang = told_to("hang ", path_);
  if (hang || told_to("within ", path_)) stop();
  if (!hang) return;
  tn::blocking([] {
    for (;;) ::pause();
  });
}

}  // namespace md5all
