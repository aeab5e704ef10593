#pragma once

/// `wait_readable`, `wait_writable`, `close_fd`: waits for a file descriptor without holding up a thread.
///
/// Go counterpart: what the runtime's network poller does under `net.Conn`: a read that would block parks the goroutine. `tenon::net` stands on
/// it (net/stream.hpp); a descriptor of another library's is used like this:
///
///     for (;;) {
///       const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);  // a descriptor in non-blocking mode
///       if (n >= 0) return n;
///       if (tenon::last_error() != EAGAIN) return …;
///       if (tenon::error e = tenon::wait_readable(ctx, fd)) return e;
///     }
///
/// `tenon::last_error()`, not `errno`: in a function that waits, compilers go on reading the `errno` of the thread that it was on before
/// (last_error.hpp says why; errno.hpp makes the name right).
///
/// A wait blocks the goroutine, or the calling OS thread, never a worker, until the next read (or accept), or write (or the connect under way),
/// would not block: also when it would fail, or has met the end of the stream. Several may wait for one descriptor; each of them
/// may find that another has been faster. What has been there before the wait ends it at once. A regular file is always ready. A wait may, rarely, end
/// with nothing there: of an event that was under way when the number was given to this file. So try again, with a call that does not block; where there is
/// none (a connect under way, a pidfd), ask `poll(2)`.
///
/// Ends with an error, and only then with one:
///   - the context's (`canceled`, `deadline_exceeded`) when `ctx` ends first; also when it had ended before;
///   - `std::errc::bad_file_descriptor`, with the name of the call and the number, when the descriptor is not open, or another goroutine
///     or thread closes it with `close_fd` meanwhile (Go: `use of closed network connection`);
///   - what the system says, when it has no memory or no descriptor left to watch this one with.
///
/// **Close with `close_fd`.** A descriptor that a bare `close(2)` takes away during a wait is dropped by the kernel in silence: that wait
/// ends with its context or never. `close_fd` ends the waits first. As with any close, the number may be another file's from then on: who still
/// uses it must have been told. To end the waits and keep the descriptor, cancel their context; a peer is told by `shutdown(2)`.
///
/// In a run under the virtual clock (testing/run_virtual.hpp) descriptors are real: they are looked at before time moves, so what
/// goroutines of one program send each other over pipes and sockets arrives in no time. What comes from outside may be late.
///
/// Thread safety: all of them from any goroutine and any thread. May throw `std::bad_alloc`.

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/last_error.hpp>

namespace tenon {

error wait_readable(const context& ctx, int fd);
error wait_readable(int fd);

error wait_writable(const context& ctx, int fd);
error wait_writable(int fd);

/// As `wait_readable` and `wait_writable`, but the descriptor is watched once and for all: no such wait but the first costs a call to the system. For an owner, who closes it with
/// `close_fd` or calls `end_watch` before it is somebody else's, and who waits only when there is nothing left: since the call has said `EAGAIN`, or, where a short read means
/// that (TCP), has returned less than it was asked for. One caller at a time for each direction. What has come since that ends the wait at once; what had come before does not. They may end with nothing there.
error wait_for_more(const context& ctx, int fd);
error wait_for_more(int fd);
error wait_for_room(const context& ctx, int fd);
error wait_for_room(int fd);
void end_watch(int fd) noexcept;

/// Ends all waits for `fd`, in tenon, with `std::errc::bad_file_descriptor`, and each that comes, until `close_fd` has closed it: for an owner who lets those
/// who use it go before the number can be another file's. Never blocks. Go: what `net.Conn.Close` does first.
void end_waits(int fd) noexcept;

/// Ends all waits for `fd`, in tenon, with an error, and closes it. What `close(2)` says; an interrupted close (`EINTR`) has closed, and is no
/// error. Blocks as `close(2)` does (a socket that lingers), and then the goroutine only; also while as many `blocking` calls are under way as may be.
error close_fd(int fd);

}  // namespace tenon
