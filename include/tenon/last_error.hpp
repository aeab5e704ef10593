#pragma once

/// `last_error`: the `errno` of the thread that the caller is on now.
///
/// Go counterpart: none is needed; a system call there returns its error.
///
///     ssize_t n = ::read(fd, buffer, size);  // a descriptor in non-blocking mode
///     if (n < 0 && tenon::last_error() == EAGAIN) {
///       if (tenon::error e = tenon::wait_readable(ctx, fd)) return e;
///       n = ::read(fd, buffer, size);
///     }
///     if (n < 0) return std::error_code(tenon::last_error(), std::generic_category());
///
/// **Why not `errno`.** It belongs to the thread, and a goroutine that waits may go on on another one. That alone would do no harm here:
/// each call sets it anew. But the C library declares the function behind it as one whose result never changes, so compilers call it
/// once for a whole function, and after the wait the second `errno` of the program above is that of the thread on which the first one was read.
/// It happens from -O1 on, in any function that reads `errno` before and after something that waits, inlined calls included.
/// `last_error` is a call that compilers make each time. Who wants to go on writing `errno` includes `tenon/errno.hpp`.
///
/// The *value* is not carried over a wait by either: ask before the next tenon call. In an `on_this_thread` scope the thread, and with it
/// `&errno`, stays the same; the value may still be changed by what tenon asks of the system during the wait.
///
/// Thread safety: any goroutine, any thread, a signal handler. Does not block, does not throw.

#include <tenon/detail/requirements.hpp>

namespace tenon {

[[nodiscard]] int last_error() noexcept;

}  // namespace tenon
