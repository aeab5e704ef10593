#pragma once

/// `net::stream`: what `tcp_stream` and `unix_stream` have in common: bytes both ways, in order.
///
/// Go counterpart: `net.Conn`, with `io.ReadFull`, `bufio.Reader.ReadString` and `net.Buffers`.
///
///     tn::error echo(tn::context ctx, tn::net::tcp_stream peer) {
///       for (;;) {
///         auto line = peer.read_until(ctx, "\n");
///         if (!line) return line.err() == tn::net::eof() ? nullptr : line.err();
///         if (tn::error e = peer.write_all(ctx, *line)) return e;
///       }
///     }
///
/// **Blocking.** Reads wait for the first byte (or for all), writes until the system has taken everything; meanwhile other goroutines run on the thread. On
/// a plain thread they block that. A goroutine whose calls find everything ready lets the others run now and then. The form with a context ends when it is canceled, with its error; a deadline for one call is
/// `tn::within(ctx, 5s)`. A context that has ended already ends a call that could be carried out at once, too.
///
/// **Failed reads lose nothing.** What `read_exactly` and `read_until` had read when they failed is what the next read gets first.
/// `write_all` says how much was written when it fails.
///
/// **Errors.** `eof()` at the end of the stream; `errc::closed` when the stream has been closed here, also during the call; the context's; else the system's
/// code with the call and, of TCP, the peer's address in the message. `std::bad_alloc` is thrown; what was read into a string that could not grow is lost then. A peer that has gone is an error of `write_all`
/// (`std::errc::broken_pipe`, `connection_reset`), never a SIGPIPE.
///
/// **Close.** `close` may be called by any goroutine: it ends the reads and writes of the others with `errc::closed`, waits until these have let go of the
/// descriptor, and closes it, which blocks as `close_fd` does, and knows no context. So does the destructor. So a number is never another file's while a call still uses it. The destructor closes. For a peer that reads to the end while this
/// side still wants its answer: `shutdown(shut::write)`.
///
/// Thread-safe, but for moves and destruction: one reader and one writer at a time, the others wait their turn, so that what one `write_all` writes
/// is not mixed with another's. Moves are cheap; what was moved from is closed. Costs one allocation.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/net/buffer.hpp>
#include <tenon/net/errc.hpp>
#include <tenon/result.hpp>

namespace tenon::net {

enum class shut { read, write, both };

namespace detail {
struct socket;
struct access;
struct socket_deleter {
  void operator()(socket* s) const noexcept;
};
using socket_ptr = std::unique_ptr<socket, socket_deleter>;
}  // namespace detail

class stream {
 public:
  /// Closed.
  stream() noexcept = default;

  /// What there is, up to the size of `into`; at least one byte, unless that is empty.
  result<std::size_t> read_some(const context& ctx, mutable_buffer into);
  result<std::size_t> read_some(mutable_buffer into);
  /// Into one after the other, with one system call for up to 16 of them.
  result<std::size_t> read_some(const context& ctx, std::span<const mutable_buffer> into);
  result<std::size_t> read_some(std::span<const mutable_buffer> into);

  /// Adds what there is to the end of `to`, at least one byte, at most `most`. Nothing is allocated before there is something: a connection that waits needs no
  /// buffer, neither on the heap nor on its goroutine's stack.
  result<std::size_t> append_some(const context& ctx, std::string& to, std::size_t most);
  result<std::size_t> append_some(std::string& to, std::size_t most);

  /// All of `into`. A stream that ends before: `eof()`.
  error read_exactly(const context& ctx, mutable_buffer into);
  error read_exactly(mutable_buffer into);

  /// Up to and including the next `delimiter`, which is not empty. `std::errc::message_size` if it is not within the first `most` bytes. A stream that ends
  /// before: `eof()`, and the rest is there for `read_some`.
  result<std::string> read_until(const context& ctx, std::string_view delimiter, std::size_t most = 64 * 1024);
  result<std::string> read_until(std::string_view delimiter, std::size_t most = 64 * 1024);

  /// As much as the system takes now, at least one byte.
  result<std::size_t> write_some(const context& ctx, const_buffer from);
  result<std::size_t> write_some(const_buffer from);
  result<std::size_t> write_some(const context& ctx, std::span<const const_buffer> from);
  result<std::size_t> write_some(std::span<const const_buffer> from);

  /// Everything. `written`: how much of it, also when it fails.
  error write_all(const context& ctx, const_buffer from, std::size_t* written = nullptr);
  error write_all(const_buffer from, std::size_t* written = nullptr);
  /// One after the other, up to 16 of them with one system call: `write_all(ctx, {header, body})`.
  error write_all(const context& ctx, std::span<const const_buffer> from, std::size_t* written = nullptr);
  error write_all(const context& ctx, std::initializer_list<const_buffer> from, std::size_t* written = nullptr) {
    return write_all(ctx, std::span(from.begin(), from.size()), written);
  }
  error write_all(std::span<const const_buffer> from, std::size_t* written = nullptr);
  error write_all(std::initializer_list<const_buffer> from, std::size_t* written = nullptr) {
    return write_all(std::span(from.begin(), from.size()), written);
  }

  /// `size` bytes of the file `fd` from `offset` on, which the system copies itself (sendfile); its position stays. A file that ends before: `eof()`. Reads from the disk
  /// block the thread, as in Go. `written`: as for `write_all`.
  error send_file(const context& ctx, int fd, std::uint64_t offset, std::uint64_t size,
                  std::uint64_t* written = nullptr);
  error send_file(int fd, std::uint64_t offset, std::uint64_t size, std::uint64_t* written = nullptr);

  /// `write`: the peer reads to the end of the stream, and may still write. Never blocks.
  error shutdown(shut how);
  /// A second one fails with `errc::closed`, also while the first still waits.
  error close();
  [[nodiscard]] bool is_open() const noexcept;

  /// Bytes in the system's buffers; it may give more, and has a limit.
  error set_receive_buffer(int bytes);
  error set_send_buffer(int bytes);

  /// For options that are not here. It stays the stream's; -1 if that is closed.
  [[nodiscard]] int native_handle() const noexcept;
  /// Gives up the descriptor, which stays open and in non-blocking mode. `std::errc::device_or_resource_busy` while another call uses it. What has been
  /// read ahead is lost: see `buffered`.
  result<int> release();
  /// How many bytes the next read gets without a look at the system. Waits while another call reads.
  [[nodiscard]] std::size_t buffered() const;

 protected:
  explicit stream(detail::socket_ptr s) noexcept;
  stream(stream&&) noexcept;
  stream& operator=(stream&&) noexcept;
  ~stream();
  detail::socket_ptr socket_;

 private:
  friend struct detail::access;
};

}  // namespace tenon::net
