#pragma once

/// `os::pipe_stream`: an end of a pipe, a FIFO or a terminal. What it reads and writes is in `net/stream.hpp`; an end of a pipe does one of the two, and the other fails
/// with `std::errc::bad_file_descriptor`.
///
/// Go counterpart: `os.Pipe`, and `os.File` where the runtime polls it.
///
///     auto [out, in] = tn::os::pipe().value();
///     g.go([in = std::move(in)](const tn::context& ctx) mutable { return in.write_all(ctx, "hello\n"); });
///     auto line = out.read_until(ctx, "\n");
///
/// A write to a pipe without a reader fails with `std::errc::broken_pipe`, and is no SIGPIPE. What concerns sockets alone (`shutdown`, the sizes of buffers) fails with
/// `std::errc::not_a_socket`: the end of a pipe is said by `close`. Everything else (waits, contexts, thread safety, errors) is as for every stream.

#include <utility>

#include <tenon/net/stream.hpp>
#include <tenon/result.hpp>

namespace tenon::os {

class pipe_stream : public net::stream {
 public:
  /// Closed.
  pipe_stream() noexcept = default;
  pipe_stream(pipe_stream&&) noexcept = default;
  pipe_stream& operator=(pipe_stream&&) noexcept = default;
  ~pipe_stream() = default;

  /// Takes over an end of a pipe, a FIFO or a terminal, and puts it into non-blocking mode; so it is then for every process that has it from the same `open` (a shell and the
  /// programs on its terminal, say). `std::errc::invalid_argument` for a file of another kind, which the caller keeps. A regular file is an `os::file`.
  static result<pipe_stream> adopt(int fd);

 private:
  friend struct net::detail::access;
  using net::stream::stream;
};

/// The end to read from, and the end to write to. Never blocks. Programs that are started meanwhile do not inherit them.
result<std::pair<pipe_stream, pipe_stream>> pipe();

}  // namespace tenon::os
