#include "walk.hpp"

// Whole paths come out in byte order although only one directory is sorted at a time: a directory's name is kept with
// its '/' and sorted with it. So "lib-a" comes before what is in "lib", as "lib-a" < "lib/x" has it.
//
// The walk keeps a level for each directory between the root and where it stands, not a file descriptor, and does not
// recurse: neither the stack nor the limit on open files bounds the depth of a tree.

#include <algorithm>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <tenon/blocking.hpp>
#include <tenon/yield.hpp>

#include "os.hpp"
#include "output.hpp"

namespace md5all {
namespace {

struct walk_canceled {};

/// The names in one directory; those of directories end in '/'.
class name_list {
 public:
  void add(const char* name, bool is_directory) {
    starts_.push_back(bytes_.size());
    bytes_.append(name);
    if (is_directory) bytes_ += '/';
    bytes_ += '\0';
  }
  void sort(const tn::context& ctx) {
    std::size_t compared = 0;
    std::sort(starts_.begin(), starts_.end(), [&](std::size_t a, std::size_t b) {
      if (++compared % 4096 == 0) {  // a million names take most of a second
        tn::yield();
        if (ctx.is_canceled()) throw walk_canceled();
      }
      return std::strcmp(bytes_.data() + a, bytes_.data() + b) < 0;
    });
  }
  void clear() noexcept {
    starts_.clear();
    bytes_.clear();
  }
  [[nodiscard]] std::size_t size() const noexcept { return starts_.size(); }
  [[nodiscard]] const char* operator[](std::size_t i) const noexcept { return bytes_.data() + starts_[i]; }

 private:
  std::string bytes_;  // each name ends in NUL
  std::vector<std::size_t> starts_;
};

/// An open directory.
class directory {
 public:
  directory(const std::string& path, bool follow) {
    tn::blocking([&] {
      unique_fd fd = open_path(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
      if (fd) stream_.reset(::fdopendir(fd.get()));
      if (stream_) {
        (void)fd.release();
      } else {
        code_ = last_error();
      }
    });
  }

  /// Adds the next few hundred names of regular files and directories. False at the end, and on failure.
  bool read(name_list& files, name_list& directories) {
    if (code_) return false;
    return tn::blocking([&] {
      for (int i = 0; i < 512; ++i) {
        clear_error();
        const dirent* entry = ::readdir(stream_.get());
        if (entry == nullptr) {
          code_ = last_error();
          return false;
        }
        const char* name = entry->d_name;
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
        const unsigned char type = entry->d_type != DT_UNKNOWN ? entry->d_type : type_of(name);
        if (type == DT_REG) files.add(name, false);
        if (type == DT_DIR) directories.add(name, true);
      }
      return true;
    });
  }

  [[nodiscard]] std::error_code code() const noexcept { return code_; }

 private:
  // Some file systems do not say in the listing. A file that is gone by now is left for its reader to report.
  unsigned char type_of(const char* name) const noexcept {
    struct stat info{};
    if (::fstatat(::dirfd(stream_.get()), name, &info, AT_SYMLINK_NOFOLLOW) != 0) return DT_REG;
    return S_ISREG(info.st_mode) ? DT_REG : S_ISDIR(info.st_mode) ? DT_DIR : DT_UNKNOWN;
  }

  struct closer {
    void operator()(DIR* stream) const noexcept {
      tn::blocking([stream] { ::closedir(stream); });
    }
  };
  std::unique_ptr<DIR, closer> stream_;
  std::error_code code_;
};

struct root {
  std::string path;
  bool is_directory = false;
  tn::error failure = {};

  /// What it is sorted by.
  [[nodiscard]] std::string key() const { return is_directory && !path.ends_with('/') ? path + '/' : path; }
};

root look_at(const std::string& path) {
  return tn::blocking([&]() -> root {
    struct stat info{};
    const unique_fd fd = open_path(path, O_PATH | O_CLOEXEC);  // O_PATH touches neither FIFO nor device
    if (!fd || ::fstat(fd.get(), &info) != 0) return {path, false, {last_error(), printable(path)}};
    if (S_ISDIR(info.st_mode)) return {path, true};
    if (S_ISREG(info.st_mode)) return {path, false};
    return {path, false, tn::error(printable(path) + ": is not a regular file or a directory")};
  });
}

class walker {
 public:
  walker(const tn::context& ctx, order how, const std::function<bool(found)>& visit)
      : ctx_(ctx), how_(how), visit_(visit) {}

  /// False: the walk is over. `path` ends in '/' unless it is a root.
  bool tree(std::string path) {
    std::vector<level> levels;
    if (!enter(levels, path, true)) return false;
    while (!levels.empty()) {
      level& here = levels.back();
      path.resize(here.path_size);
      if (here.next == here.names.size()) {
        levels.pop_back();
        continue;
      }
      path += here.names[here.next++];
      const bool go_on = path.ends_with('/') ? enter(levels, path, false) : visit_({path});
      if (!go_on) return false;
    }
    return true;
  }

 private:
  struct level {
    name_list names;
    std::size_t next = 0;
    std::size_t path_size = 0;
  };

  /// Lists the directory at `path` and makes it the innermost level; one that cannot be read is handed on as a failure.
  bool enter(std::vector<level>& levels, std::string& path, bool is_root) {
    // Without the '/', which would make the kernel follow a symbolic link that took the directory's place.
    if (!is_root) path.pop_back();
    directory listing(path, is_root);
    const std::string name = path;
    if (!path.ends_with('/')) path += '/';

    level inner;
    inner.path_size = path.size();
    name_list now;  // files that need not wait until they are sorted
    name_list& files = how_ == order::by_path ? inner.names : now;
    for (bool more = true; more;) {
      more = listing.read(files, inner.names);
      if (ctx_.is_canceled()) return false;
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (!visit_({path + now[i]})) return false;
      }
      now.clear();
    }
    if (listing.code() && !visit_({name, is_root, {listing.code(), printable(name)}})) return false;
    if (how_ == order::by_path) inner.names.sort(ctx_);
    levels.push_back(std::move(inner));
    return true;
  }

  const tn::context& ctx_;
  const order how_;
  const std::function<bool(found)>& visit_;
};

}  // namespace

void walk(const tn::context& ctx, const std::vector<std::string>& paths, order how,
          const std::function<bool(found)>& visit) try {
  std::vector<root> roots;
  for (const std::string& path : paths) {
    roots.push_back(look_at(path));
    if (ctx.is_canceled()) return;
  }
  if (how == order::by_path) {
    std::sort(roots.begin(), roots.end(), [](const root& a, const root& b) { return a.key() < b.key(); });
  }
  walker each(ctx, how, visit);
  for (const root& r : roots) {
    const bool go_on = r.is_directory ? each.tree(r.path) : visit({r.path, true, r.failure});
    if (!go_on) return;
  }
} catch (const walk_canceled&) {
  // The context says so to whoever asks.
}

}  // namespace md5all
