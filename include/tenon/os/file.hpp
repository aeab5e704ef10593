#pragma once

/// `os::file`: a file of the disk, whose reads and writes hold up no goroutine but their own.
///
/// Go counterpart: `os.File`, with `os.ReadFile` and `os.WriteFile`.
///
///     auto f = tn::os::file::open(ctx, path);
///     if (!f) return f.err();                              // open /no/such: No such file or directory
///     std::vector<std::byte> block(64 * 1024);
///     for (;;) {
///       auto n = f->read_some(ctx, block);
///       if (!n) return n.err() == tn::net::eof() ? nullptr : n.err();
///       digest.update({block.data(), *n});
///     }
///
/// **Blocking.** A call blocks the goroutine, and its thread only as long as the disk takes; when that is long, another thread runs the others
/// (`blocking`). At most `file::most_calls` reads, writes, `truncate`s and `sync`s are with the system at a time, for all files of the process: a
/// thousand readers of a slow disk are no thousand threads. The others wait their turn. `open` and `close` take none. A goroutine whose calls are all
/// answered at once lets the others run now and then.
///
/// **Cancel.** A context that has ended ends a call before it begins, also while it waits for its turn; `read_exactly`, `read_all` and `write_all` look between the
/// system's calls. A system call under way cannot be stopped: `blocking(ctx, …)` stops waiting for one.
///
/// **Position.** `read_some`, `read_exactly`, `read_all`, `write_some` and `write_all` go on where the last one ended, one at a time. `read_at` and `write_at` say where, and may go on at
/// the same time.
///
/// **Other kinds.** A directory cannot be read (`std::errc::is_a_directory`). Pipes and terminals wait for others, not for the disk: `os::pipe_stream`. An `open` of a FIFO waits until its other end is opened.
///
/// **Errors.** `net::eof()` at the end; the system's code with the call and the path; `net::errc::closed` after `close`, which waits for the calls under way. The destructor
/// closes; what that says is lost: who must know that everything has been written calls `sync` and `close`.
///
/// Thread-safe, but for moves and destruction. On a plain thread everything blocks that.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/net/buffer.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/result.hpp>

namespace tenon::os {

namespace detail {
struct open_file;
struct file_deleter {
  void operator()(open_file* f) const noexcept;
};
}  // namespace detail

/// What a file is opened for.
struct open_options {
  bool read = false;
  bool write = false;
  bool append = false;          ///< each write goes to the end; `write_at` fails
  bool create = false;          ///< if it is not there
  bool exclusive = false;       ///< with `create`: fail if it is there (`std::errc::file_exists`)
  bool truncate = false;        ///< begin with nothing in it
  unsigned permissions = 0666;  ///< of one that is created, but for the umask
};

class file {
 public:
  /// How many calls there are with the system at a time, without `open` and `close`.
  static constexpr int most_calls = 128;

  /// Closed.
  file() noexcept = default;
  file(file&&) noexcept = default;
  file& operator=(file&&) noexcept = default;
  ~file() = default;

  /// To read. Go: `os.Open`.
  static result<file> open(const context& ctx, const std::string& path) { return open(ctx, path, {.read = true}); }
  static result<file> open(const std::string& path) { return open(path, {.read = true}); }
  /// To read and write, empty. Go: `os.Create`.
  static result<file> create(const context& ctx, const std::string& path) {
    return open(ctx, path, {.read = true, .write = true, .create = true, .truncate = true});
  }
  static result<file> create(const std::string& path) {
    return open(path, {.read = true, .write = true, .create = true, .truncate = true});
  }
  /// Go: `os.OpenFile`.
  static result<file> open(const context& ctx, const std::string& path, const open_options& options);
  static result<file> open(const std::string& path, const open_options& options);
  /// Takes over a descriptor; `name` stands for the path in errors. `std::errc::bad_file_descriptor` if it is none.
  static result<file> adopt(int fd, std::string name = "file");

  /// At most `into`, at least one byte; `net::eof()` at the end.
  result<std::size_t> read_some(const context& ctx, net::mutable_buffer into);
  result<std::size_t> read_some(net::mutable_buffer into);
  /// All of `into`. `net::eof()` if there is less; that is then in `into`, and has been read.
  error read_exactly(const context& ctx, net::mutable_buffer into);
  error read_exactly(net::mutable_buffer into);
  /// The rest. `std::errc::file_too_large` if it is more than `most` bytes.
  result<std::string> read_all(const context& ctx, std::size_t most = std::numeric_limits<std::size_t>::max());
  result<std::string> read_all(std::size_t most = std::numeric_limits<std::size_t>::max());
  /// As much of `into` as there is from `offset` on: less only at the end, `net::eof()` if there is nothing. (Go's `ReadAt` says `io.EOF` also beside a part.)
  result<std::size_t> read_at(const context& ctx, std::uint64_t offset, net::mutable_buffer into);
  result<std::size_t> read_at(std::uint64_t offset, net::mutable_buffer into);

  /// As much as the system takes in one call, at least one byte.
  result<std::size_t> write_some(const context& ctx, net::const_buffer from);
  result<std::size_t> write_some(net::const_buffer from);
  /// Everything. `written`: how much of it, also when it fails.
  error write_all(const context& ctx, net::const_buffer from, std::size_t* written = nullptr);
  error write_all(net::const_buffer from, std::size_t* written = nullptr);
  /// `std::errc::invalid_argument` for a file that was opened to append: the system would do that.
  error write_at(const context& ctx, std::uint64_t offset, net::const_buffer from, std::size_t* written = nullptr);
  error write_at(std::uint64_t offset, net::const_buffer from, std::size_t* written = nullptr);

  /// From the beginning: where the next read or write begins.
  error seek(std::uint64_t offset);
  result<std::uint64_t> size() const;
  error truncate(std::uint64_t size);
  /// Waits until everything is on the disk (fsync).
  error sync();
  error sync(const context& ctx);

  /// A second one fails with `net::errc::closed`.
  error close();
  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;
  /// For what is not here. It stays the file's; -1 if that is closed.
  [[nodiscard]] int native_handle() const noexcept;
  /// Gives up the descriptor, which stays open. `std::errc::device_or_resource_busy` while a call uses it.
  result<int> release();

 private:
  explicit file(detail::open_file* f) noexcept : file_(f) {}
  std::unique_ptr<detail::open_file, detail::file_deleter> file_;
};

/// The whole of a file. `std::errc::file_too_large` if it is more than `most` bytes.
result<std::string> read_file(const context& ctx, const std::string& path,
                              std::size_t most = std::numeric_limits<std::size_t>::max());
result<std::string> read_file(const std::string& path, std::size_t most = std::numeric_limits<std::size_t>::max());
/// Makes or overwrites a file. When it fails, the file may have a part of it.
error write_file(const context& ctx, const std::string& path, net::const_buffer content, unsigned permissions = 0666);
error write_file(const std::string& path, net::const_buffer content, unsigned permissions = 0666);

}  // namespace tenon::os
