#include "input.hpp"

#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <tenon/blocking.hpp>

#include "os.hpp"
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
  unique_fd fd;
  tn::blocking([&] {
    fd = open_path(path_, flags);
    if (!fd || ::fstat(fd.get(), &info) != 0) code = last_error();
  });
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (code) {
    failure_ = {code, printable(path_)};
  } else if (!S_ISREG(info.st_mode)) {
    failure_ = tn::error(printable(path_) + ": is not a regular file");
  } else {
    file_ = tn::os::file::adopt(fd.release()).value();
  }
}

std::size_t input::read(std::span<std::byte> buffer) {
  if (at_end_ || failure_) return 0;
  const auto n = file_.read_some(buffer);
  if (n.err() == tn::net::eof()) {
    const auto now = file_.size();
    // There are files that never have what they say.
    if (total_ < size_ && now && *now < size_) failure_ = tn::error(printable(path_) + ": shrank while it was read");
    return 0;
  }
  if (!n) {
    failure_ = {n.err().code(), printable(path_)};
    return 0;
  }

  if (total_ == 0) stop_within();
  const std::size_t size = *n;
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
