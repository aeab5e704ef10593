#pragma once

/// `on_this_thread`: a scope in which the calling goroutine stays on the OS thread it is on.
///
/// Go counterpart: `runtime.LockOSThread` / `UnlockOSThread`. For code that keeps something in thread-local storage across
/// a blocking tenon call: an OpenGL context, a thread-affine library (for `errno` see last_error.hpp). While the scope lives, this thread runs no
/// other goroutine, and its queue goes on without it; parking and waking cost a thread switch each. Scopes nest. On a plain OS
/// thread the scope does nothing. The scope must end in the goroutine that began it. Does not block when it begins or ends, unless there are
/// already as many of them as 4,096 less `run_options::max_threads`.

#include <tenon/detail/requirements.hpp>

namespace tenon {

class [[nodiscard]] on_this_thread {
 public:
  on_this_thread() noexcept;
  ~on_this_thread();
  on_this_thread(const on_this_thread&) = delete;
  on_this_thread& operator=(const on_this_thread&) = delete;
};

}  // namespace tenon
