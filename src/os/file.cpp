#include <tenon/os/file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>

#include <tenon/blocking.hpp>
#include <tenon/last_error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/semaphore.hpp>

#include "net/sigpipe.hpp"
#include "net/socket.hpp"
#include "os/descriptor.hpp"
#include "platform/fork.hpp"

// A file is used and closed as a socket is (net/socket.hpp, invariants 1 and 2). `moving` is held by who moves its position, over a whole call.

namespace tenon::os {

namespace detail {

struct open_file {
  open_file(descriptor d, std::string name, bool slow, bool at_end)
      : path(std::move(name)), is_slow(slow), appends(at_end), use(net::detail::own(d.give())) {}
  const std::string path;
  const bool is_slow;  // waits for others, not for the disk: takes no turn
  const bool appends;  // wherever a write says that it goes
  mutex moving;
  net::detail::socket_ptr use;
};

void file_deleter::operator()(open_file* f) const noexcept { delete f; }

}  // namespace detail

namespace {

using detail::open_file;
using net::detail::held_lock;
using net::detail::operation;

error ended(const context* ctx) { return ctx != nullptr && ctx->is_canceled() ? ctx->err() : error(); }

error failure(const char* call, const std::string& path, int number) {
  return {std::error_code(number, std::generic_category()), call + (' ' + path)};
}

/// Never destroyed: files may be used while the program ends.
semaphore& turns() {
  static semaphore& all = *new semaphore(file::most_calls);
  return all;
}

const std::string& no_path() {
  static const std::string& none = *new std::string;
  return none;
}

const at_load files_made([] {
  (void)turns();
  (void)no_path();
});

/// One of the calls that may be with the system.
class turn {
 public:
  turn(bool none, const context* ctx) : needs_none_(none) {
    if (none) return;
    if (ctx == nullptr) {
      turns().acquire();
      mine_ = true;
    } else {
      mine_ = turns().acquire(*ctx);
    }
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (mine_) turns().release();
  }
  explicit operator bool() const noexcept { return mine_ || needs_none_; }

 private:
  const bool needs_none_;
  bool mine_ = false;
};

/// The result of `call`, which the system may take its time for.
template <class Call>
result<std::size_t> system_call(const open_file& f, const context* ctx, const char* name, Call call) {
  if (error e = ended(ctx)) return e;
  for (;;) {
    const turn mine(f.is_slow, ctx);
    if (!mine) return ended(ctx);
    int number = 0;
    const auto n = blocking([&] {
      const auto done = call();
      if (done < 0) number = last_error();
      return done;
    });
    if (n >= 0) {
      net::detail::let_others_run(*f.use);  // most files are in memory: none of their calls would
      return static_cast<std::size_t>(n);
    }
    if (number != EINTR) return failure(name, f.path, number);
  }
}

net::detail::socket* use_of(open_file* f) noexcept { return f != nullptr ? f->use.get() : nullptr; }

constexpr std::size_t most_at_once = 1U << 30U;  // a call of the system takes no more than 2 GiB

result<std::size_t> read_once(open_file& f, const context* ctx, net::mutable_buffer into) {
  const std::size_t n = std::min(into.size(), most_at_once);
  return system_call(f, ctx, "read", [&] { return ::read(f.use->fd, into.data(), n); });
}

result<std::size_t> read_once_at(open_file& f, const context* ctx, std::uint64_t offset, net::mutable_buffer into) {
  const std::size_t n = std::min(into.size(), most_at_once);
  return system_call(f, ctx, "read", [&] { return ::pread(f.use->fd, into.data(), n, static_cast<off_t>(offset)); });
}

result<file> open_at(const context* ctx, const std::string& path, const open_options& o);

result<std::size_t> read_some(open_file* f, const context* ctx, net::mutable_buffer into) {
  const operation in(use_of(f));
  if (!in) return error(net::errc::closed);
  const held_lock here(f->moving, ctx);
  if (!here) return ended(ctx);
  auto n = read_once(*f, ctx, into);
  if (n && *n == 0 && !into.empty()) return net::eof();
  return n;
}

error read_exactly(open_file* f, const context* ctx, net::mutable_buffer into) {
  const operation in(use_of(f));
  if (!in) return net::errc::closed;
  const held_lock here(f->moving, ctx);
  if (!here) return ended(ctx);
  while (!into.empty()) {
    const auto n = read_once(*f, ctx, into);
    if (!n) return n.err();
    if (*n == 0) return net::eof();
    into = into.after(*n);
  }
  return nullptr;
}

result<std::string> read_all(open_file* f, const context* ctx, std::size_t most) {
  const operation in(use_of(f));
  if (!in) return error(net::errc::closed);
  const held_lock here(f->moving, ctx);
  if (!here) return ended(ctx);
  // What is left of the size that it says it has, and one byte to see its end; but some say nothing, and some grow.
  constexpr std::size_t at_least = 4096;
  struct stat info{};
  const std::uint64_t said =
      ::fstat(f->use->fd, &info) == 0 && info.st_size > 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  const off_t at = ::lseek(f->use->fd, 0, SEEK_CUR);
  const std::uint64_t left = said - std::min(said, static_cast<std::uint64_t>(std::max<off_t>(at, 0)));
  if (S_ISREG(info.st_mode) && left > most) return failure("read", f->path, EFBIG);
  std::string all;
  std::size_t there = 0;
  for (;;) {
    if (there == all.size()) {
      const std::size_t next =
          there == 0 ? std::max<std::size_t>(at_least, static_cast<std::size_t>(left) + 1) : there + there / 2;
      all.resize(next);
    }
    const auto n = read_once(*f, ctx, {all.data() + there, all.size() - there});
    if (!n) return n.err();
    if (*n == 0) break;
    there += *n;
    if (there > most) return failure("read", f->path, EFBIG);
  }
  all.resize(there);
  return all;
}

result<std::size_t> read_at(open_file* f, const context* ctx, std::uint64_t offset, net::mutable_buffer into) {
  const operation in(use_of(f));
  if (!in) return error(net::errc::closed);
  std::size_t there = 0;
  do {
    const auto n = read_once_at(*f, ctx, offset + there, into.after(there));
    if (!n) return n.err();
    if (*n == 0) break;
    there += *n;
  } while (there < into.size());
  if (there == 0 && !into.empty()) return net::eof();
  return there;
}

result<std::size_t> write_once(open_file& f, const context* ctx, net::const_buffer from) {
  const std::size_t n = std::min(from.size(), most_at_once);
  return system_call(f, ctx, "write", [&] {
    const auto call = [&] { return ::write(f.use->fd, from.data(), n); };
    return f.is_slow ? net::detail::without_sigpipe(call) : call();
  });
}

result<std::size_t> write_some(open_file* f, const context* ctx, net::const_buffer from) {
  const operation out(use_of(f));
  if (!out) return error(net::errc::closed);
  const held_lock here(f->moving, ctx);
  if (!here) return ended(ctx);
  return write_once(*f, ctx, from);
}

error write_all(open_file* f, const context* ctx, net::const_buffer from, std::size_t* written) {
  std::size_t here = 0;
  std::size_t& done = written != nullptr ? *written : here;
  done = 0;
  const operation out(use_of(f));
  if (!out) return net::errc::closed;
  const held_lock mine(f->moving, ctx);
  if (!mine) return ended(ctx);
  while (done < from.size()) {
    const auto n = write_once(*f, ctx, from.after(done));
    if (!n) return n.err();
    done += *n;
  }
  return nullptr;
}

error write_at(open_file* f, const context* ctx, std::uint64_t offset, net::const_buffer from, std::size_t* written) {
  std::size_t here = 0;
  std::size_t& done = written != nullptr ? *written : here;
  done = 0;
  const operation out(use_of(f));
  if (!out) return net::errc::closed;
  if (f->appends) return failure("write", f->path, EINVAL);  // the system would append it all the same
  while (done < from.size()) {
    const net::const_buffer rest = from.after(done);
    const auto n = system_call(*f, ctx, "write", [&] {
      return ::pwrite(f->use->fd, rest.data(), std::min(rest.size(), most_at_once), static_cast<off_t>(offset + done));
    });
    if (!n) return n.err();
    done += *n;
  }
  return nullptr;
}

/// A call that returns nothing but whether it worked.
template <class Call>
error simple_call(open_file* f, const context* ctx, const char* name, Call call) {
  const operation in(use_of(f));
  if (!in) return net::errc::closed;
  return system_call(*f, ctx, name, [&] { return call(f->use->fd); }).err();
}

error write_file(const context* ctx, const std::string& path, net::const_buffer content, unsigned permissions) {
  auto f = open_at(ctx, path, {.write = true, .create = true, .truncate = true, .permissions = permissions});
  if (!f) return f.err();
  if (error e = ctx != nullptr ? f->write_all(*ctx, content) : f->write_all(content)) return e;
  return f->close();
}

}  // namespace

// ---- file -------------------------------------------------------------------------------------------------------

result<file> file::adopt(int fd, std::string name) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return failure("adopt", name, last_error());
  const bool is_slow = !S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode) && !S_ISDIR(info.st_mode);
  const int flags = ::fcntl(fd, F_GETFL);
  const bool appends = flags >= 0 && (flags & O_APPEND) != 0;
  return file(new open_file(detail::descriptor(fd), std::move(name), is_slow, appends));
}

namespace {

result<file> open_at(const context* ctx, const std::string& path, const open_options& o) {
  if (error e = ended(ctx)) return e;
  if (path.find('\0') != std::string::npos) return failure("open", path, EINVAL);
  if (!o.read && !o.write && !o.append) return failure("open", path, EINVAL);
  const bool writes = o.write || o.append;
  const int flags = (o.read && writes ? O_RDWR
                     : writes         ? O_WRONLY
                                      : O_RDONLY) |
                    (o.append ? O_APPEND : 0) | (o.create ? O_CREAT : 0) | (o.exclusive ? O_EXCL : 0) |
                    (o.truncate ? O_TRUNC : 0) | O_CLOEXEC | O_NOCTTY;
  // No turn: it may be a FIFO.
  int number = 0;
  const int fd = blocking([&] {
    int opened = -1;
    do {
      opened = ::open(path.c_str(), flags, static_cast<mode_t>(o.permissions));
    } while (opened < 0 && last_error() == EINTR);
    if (opened < 0) number = last_error();
    return opened;
  });
  if (fd < 0) return failure("open", path, number);
  return file::adopt(fd, path);
}

}  // namespace

result<file> file::open(const context& ctx, const std::string& path, const open_options& options) {
  return open_at(&ctx, path, options);
}
result<file> file::open(const std::string& path, const open_options& options) {
  return open_at(nullptr, path, options);
}

result<std::size_t> file::read_some(const context& ctx, net::mutable_buffer into) {
  return os::read_some(file_.get(), &ctx, into);
}
result<std::size_t> file::read_some(net::mutable_buffer into) { return os::read_some(file_.get(), nullptr, into); }
error file::read_exactly(const context& ctx, net::mutable_buffer into) {
  return os::read_exactly(file_.get(), &ctx, into);
}
error file::read_exactly(net::mutable_buffer into) { return os::read_exactly(file_.get(), nullptr, into); }
result<std::string> file::read_all(const context& ctx, std::size_t most) {
  return os::read_all(file_.get(), &ctx, most);
}
result<std::string> file::read_all(std::size_t most) { return os::read_all(file_.get(), nullptr, most); }
result<std::size_t> file::read_at(const context& ctx, std::uint64_t offset, net::mutable_buffer into) {
  return os::read_at(file_.get(), &ctx, offset, into);
}
result<std::size_t> file::read_at(std::uint64_t offset, net::mutable_buffer into) {
  return os::read_at(file_.get(), nullptr, offset, into);
}

result<std::size_t> file::write_some(const context& ctx, net::const_buffer from) {
  return os::write_some(file_.get(), &ctx, from);
}
result<std::size_t> file::write_some(net::const_buffer from) { return os::write_some(file_.get(), nullptr, from); }
error file::write_all(const context& ctx, net::const_buffer from, std::size_t* written) {
  return os::write_all(file_.get(), &ctx, from, written);
}
error file::write_all(net::const_buffer from, std::size_t* written) {
  return os::write_all(file_.get(), nullptr, from, written);
}
error file::write_at(const context& ctx, std::uint64_t offset, net::const_buffer from, std::size_t* written) {
  return os::write_at(file_.get(), &ctx, offset, from, written);
}
error file::write_at(std::uint64_t offset, net::const_buffer from, std::size_t* written) {
  return os::write_at(file_.get(), nullptr, offset, from, written);
}

error file::seek(std::uint64_t offset) {
  const operation in(use_of(file_.get()));
  if (!in) return net::errc::closed;
  const std::lock_guard here(file_->moving);
  return ::lseek(file_->use->fd, static_cast<off_t>(offset), SEEK_SET) >= 0
             ? error()
             : failure("seek", file_->path, last_error());
}

result<std::uint64_t> file::size() const {
  struct stat info{};
  const operation in(use_of(file_.get()));
  if (!in) return error(net::errc::closed);
  if (::fstat(file_->use->fd, &info) != 0) return failure("size", file_->path, last_error());
  return static_cast<std::uint64_t>(info.st_size);
}

error file::truncate(std::uint64_t size) {
  return simple_call(file_.get(), nullptr, "truncate",
                     [&](int fd) { return ::ftruncate(fd, static_cast<off_t>(size)); });
}
error file::sync() { return simple_call(file_.get(), nullptr, "sync", ::fsync); }
error file::sync(const context& ctx) { return simple_call(file_.get(), &ctx, "sync", ::fsync); }

error file::close() {
  net::detail::socket* const s = use_of(file_.get());
  return s != nullptr ? s->close() : error(net::errc::closed);
}
bool file::is_open() const noexcept { return net::detail::is_open(use_of(file_.get())); }
int file::native_handle() const noexcept { return net::detail::handle_of(use_of(file_.get())); }
result<int> file::release() { return net::detail::release_socket(use_of(file_.get())); }
const std::string& file::path() const noexcept { return file_ ? file_->path : no_path(); }

result<std::string> read_file(const context& ctx, const std::string& path, std::size_t most) {
  auto f = file::open(ctx, path);
  if (!f) return f.err();
  return f->read_all(ctx, most);
}
result<std::string> read_file(const std::string& path, std::size_t most) {
  auto f = file::open(path);
  if (!f) return f.err();
  return f->read_all(most);
}
error write_file(const context& ctx, const std::string& path, net::const_buffer content, unsigned permissions) {
  return write_file(&ctx, path, content, permissions);
}
error write_file(const std::string& path, net::const_buffer content, unsigned permissions) {
  return write_file(nullptr, path, content, permissions);
}

}  // namespace tenon::os
