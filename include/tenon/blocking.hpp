#pragma once

/// `blocking(f)`: runs `f`, which may block the OS thread, without stopping the goroutines that wait for this thread.
///
/// Go counterpart: what the Go runtime does around a system call or a cgo call. Use it around reads, `getaddrinfo`, a foreign
/// library's lock, anything that sleeps in the kernel. It costs about as much as two atomic operations: `f` runs at once, on
/// the same thread and the goroutine's own stack; only when it lasts (tens of microseconds) and goroutines are waiting is
/// another thread brought in. Where so many calls are in progress that no thread would be left for goroutines (`run_options::max_threads`), it
/// first waits for one of them to return. Returns what `f` returns and lets its exceptions pass. Inside `f` no tenon call may block the
/// goroutine; nested `blocking` is allowed. On a plain OS thread it just calls `f`. A context does not interrupt `f`: give
/// the system call its own way out.

#include <utility>

#include <tenon/detail/requirements.hpp>

namespace tenon {

namespace detail {
struct worker;
worker* blocking_enter() noexcept;
void blocking_leave(worker* w) noexcept;

struct blocking_scope {
  worker* w = blocking_enter();
  blocking_scope() noexcept = default;
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;
  ~blocking_scope() { blocking_leave(w); }
};
}  // namespace detail

template <class F, class... Args>
decltype(auto) blocking(F&& f, Args&&... args) {
  detail::blocking_scope scope;
  return std::forward<F>(f)(std::forward<Args>(args)...);
}

}  // namespace tenon
