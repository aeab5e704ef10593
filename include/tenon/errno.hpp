#pragma once

/// Makes `errno` right in goroutines: from here on the name stands for the `errno` of the thread that the caller is on now, read or written,
/// after a wait, too. `tenon/last_error.hpp` says what is wrong with the C library's.
///
/// Go counterpart: none.
///
/// It is a macro in place of a macro, so what counts is where it is included: every use of the name *below* this line is the new one, up to
/// the end of the translation unit; uses above, in headers that came before, keep the C library's. `<cerrno>` and `<errno.h>` may be included
/// before or after, as often as one likes: they define the name once, and this header has made them do it. A header that
/// defines `errno` by itself has to come first. `tenon/tenon.hpp` does not include this one. To have it in a whole target:
/// `-include tenon/errno.hpp`.
///
/// A pointer or reference to it (`int& e = errno;`) is the thread's, and not to be kept over a wait.

#include <cerrno>

#include <tenon/detail/requirements.hpp>

namespace tenon {

/// Where the calling thread has its `errno`. A call that compilers make each time.
[[nodiscard]] int* errno_location() noexcept;

}  // namespace tenon

#undef errno
#define errno (*tenon::errno_location())
