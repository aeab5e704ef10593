#pragma once

/// `blocking(f)`: runs `f`, which may block the OS thread, without stopping the goroutines that wait for this thread.
///
/// Go counterpart: what the Go runtime does around a system call or a cgo call. Use it around reads, `getaddrinfo`, a foreign
/// library's lock, anything that sleeps in the kernel. It costs about as much as two atomic operations: `f` runs at once, on
/// the same thread and the goroutine's own stack; only when it lasts (tens of microseconds) and goroutines are waiting is
/// another thread brought in. Where so many calls are in progress that no thread would be left for goroutines (`run_options::max_threads`), it
/// first waits for one of them to return. Returns what `f` returns and lets its exceptions pass. `blocking` may be nested. Where `f` waits in
/// tenon (for a channel, say), that takes no thread; what it does after the wait counts as if it were outside of `blocking`, so wrap what blocks then anew.
/// On a plain OS thread it just calls `f`. A context does not interrupt `f`: give the system call its own way out, or stop waiting for it:
///
/// `blocking(ctx, f)` calls `f` in a goroutine of its own and waits until it has returned or `ctx` is canceled, and then returns
/// the context's error while the call goes on, with what `f` has captured, which so must own what it uses. What it returns or throws then is dropped. The
/// run owns the call: its end waits for it. Returns `result` of what `f` returns (`error`, where that is nothing or an error; a `result` as it is); an exception is an
/// error that holds it. Fatal outside of a run. Go: a goroutine that sends its result to a channel of capacity 1.

#include <concepts>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include <tenon/context.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/detail/goroutine_frame.hpp>
#include <tenon/promise.hpp>

namespace tenon {

namespace detail {
struct worker;
worker* blocking_enter() noexcept;
void blocking_leave(const worker* entered) noexcept;

struct blocking_scope {
  worker* w = blocking_enter();
  blocking_scope() noexcept = default;
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;
  ~blocking_scope() { blocking_leave(w); }
};
}  // namespace detail

template <class F, class... Args>
  requires std::invocable<F, Args...>
decltype(auto) blocking(F&& f, Args&&... args) {
  detail::blocking_scope scope;
  return std::forward<F>(f)(std::forward<Args>(args)...);
}

namespace detail {
/// What a promise of f's outcome is for, where f returns R.
template <class R>
struct value_of_call {
  using type = R;
};
template <>
struct value_of_call<error> {
  using type = void;
};
template <class T>
struct value_of_call<result<T>> {
  using type = T;
};
template <class F>
using blocking_value = typename value_of_call<std::invoke_result_t<F>>::type;
}  // namespace detail

template <std::invocable F>
auto blocking(const context& ctx, F f, std::source_location where = std::source_location::current()) ->
    typename promise<detail::blocking_value<F>>::outcome {
  using R = std::invoke_result_t<F>;
  if (detail::is_nil(f)) detail::go_of_nil();
  if (error e = ctx.err()) return e;
  promise<detail::blocking_value<F>> p;
  detail::spawn_owned({.where = where, .inherits = false}, [set = p.setter(), f = std::move(f)]() mutable {
    try {
      if constexpr (std::is_same_v<R, error>) {
        error e = tenon::blocking(std::move(f));
        (void)(e ? set.fail(std::move(e)) : set());
      } else if constexpr (std::is_void_v<R>) {
        tenon::blocking(std::move(f));
        (void)set();
      } else if constexpr (std::is_same_v<R, detail::blocking_value<F>>) {
        (void)set(tenon::blocking(std::move(f)));
      } else {
        R r = tenon::blocking(std::move(f));
        (void)(r ? set(*std::move(r)) : set.fail(r.err()));
      }
    } catch (...) {
      (void)set.fail(error(detail::caught()));
    }
  });
  return p.wait(ctx);
}

}  // namespace tenon
