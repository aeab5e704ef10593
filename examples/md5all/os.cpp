#include "os.hpp"

#include <climits>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>
#include <tenon/blocking.hpp>
#include <tenon/errno.hpp>
#include <tenon/last_error.hpp>

namespace md5all {

namespace tn = tenon;

unique_fd::~unique_fd() {
  if (fd_ >= 0) tn::blocking([this] { ::close(fd_); });  // the last close of a deleted file frees its blocks
}

// To ThreadSanitizer each goroutine is a thread of its own. What two of them do, one after the other, to the errno of
// the thread that both run on looks like a race to it.
__attribute__((no_sanitize("thread"))) std::error_code last_error() noexcept {
  return {tn::last_error(), std::system_category()};
}
__attribute__((no_sanitize("thread"))) void clear_error() noexcept { errno = 0; }

unique_fd open_path(const std::string& path, int flags) noexcept {
  unique_fd fd(::open(path.c_str(), flags));
  if (fd || path.size() < PATH_MAX || last_error() != std::errc::filename_too_long) return fd;

  // Piece by piece, each as long as the kernel takes, from one directory to the next.
  unique_fd directory;
  std::string_view rest = path;
  char piece[PATH_MAX];
  for (;;) {
    const bool last = rest.size() < PATH_MAX;
    const std::size_t slash = last ? rest.size() : rest.rfind('/', PATH_MAX - 2);
    if (slash == std::string_view::npos) return fd;  // one name as long as that: still "File name too long"
    const std::size_t length = last ? slash : slash + 1;
    rest.copy(piece, length);
    piece[length] = '\0';
    rest.remove_prefix(length);
    const int from = directory ? directory.get() : AT_FDCWD;
    unique_fd next(::openat(from, piece, last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (last || !next) return next;
    directory = std::move(next);
  }
}

}  // namespace md5all
