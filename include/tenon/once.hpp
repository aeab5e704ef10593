#pragma once

/// `once`, `once_func`, `once_value`: something done one time, by the caller that comes first.
///
/// Go counterpart: `sync.Once`, `sync.OnceFunc`, `sync.OnceValue`.
///
///     tenon::once loaded;
///     loaded.call([&] { load(); });        // every caller returns after load() has run
///
/// `call(f)` runs f if no call of this `once` has before, whatever function that had; else it blocks until that one has ended. Its `ctx` form
/// gives up waiting when `ctx` is canceled. As in Go an exception counts as done: it leaves the call that ran f,
/// later calls just return. Calling it from within f is a deadlock. Cannot be copied or moved. What f did happens before any `call` returns,
/// and a caller that has returned from one may destroy the `once` if no other is going to call it.
///
/// `once_func(f)` and `once_value(f)` return a function to call any number of times, from anywhere; copies share the one
/// run. If f throws, each call throws the same exception. f is destroyed after its run.

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/caught.hpp>
#include <tenon/mutex.hpp>

namespace tenon {

class once {
 public:
  once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;
  ~once() {
    // `done` is seen before its runner has unlocked. One that still runs, as the process ends by its `exit`, is not waited for.
    if (done()) const std::lock_guard its_runner_has_left(mu_);
  }

  template <class F>
  void call(F&& f) TENON_TSA_UNCHECKED {
    if (done_.load(std::memory_order_acquire)) return;
    mu_.lock();
    run(std::forward<F>(f));
  }

  /// False if `ctx` was canceled first: f has then not run in this call, and may be running in another.
  template <class F>
  [[nodiscard]] bool call(const context& ctx, F&& f) TENON_TSA_UNCHECKED {
    if (done_.load(std::memory_order_acquire)) return true;
    if (!mu_.lock(ctx)) return false;
    run(std::forward<F>(f));
    return true;
  }

  [[nodiscard]] bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  template <class F>
  void run(F&& f) TENON_TSA_UNCHECKED {
    const std::lock_guard<mutex> held(mu_, std::adopt_lock);
    if (done_.load(std::memory_order_relaxed)) return;
    struct mark {
      detail::atomic<bool>& done;
      ~mark() { done.store(true, std::memory_order_release); }  // release: what f did
    } at_the_end{done_};
    std::invoke(std::forward<F>(f));
  }

  detail::atomic<bool> done_{false};  // released with what f did, acquired by every later call
  mutex mu_;
};

namespace detail {

template <class F>
struct once_state {
  using result = std::invoke_result_t<F&>;
  using stored = std::conditional_t<std::is_void_v<result>, bool, result>;

  explicit once_state(F f) : call(std::move(f)) {}

  const stored& get() {
    first.call([this] {
      try {
        if constexpr (std::is_void_v<result>) {
          (*call)();
          value.emplace(true);
        } else {
          value.emplace((*call)());
        }
      } catch (...) {
        failure = detail::caught();
      }
      call.reset();
    });
    if (failure) std::rethrow_exception(failure);
    return *value;
  }

  once first;
  std::optional<F> call;
  std::optional<stored> value;
  std::exception_ptr failure;
};

}  // namespace detail

/// A function that runs f at its first call.
template <class F>
  requires std::is_void_v<std::invoke_result_t<std::decay_t<F>&>>
[[nodiscard]] auto once_func(F&& f) {
  return [state = std::make_shared<detail::once_state<std::decay_t<F>>>(std::forward<F>(f))] { (void)state->get(); };
}

/// A function that returns what f returned at its first call, by a reference that holds as long as the function or a copy of it lives. For
/// several values return a tuple.
template <class F>
  requires(!std::is_void_v<std::invoke_result_t<std::decay_t<F>&>> &&
           !std::is_reference_v<std::invoke_result_t<std::decay_t<F>&>>)
[[nodiscard]] auto once_value(F&& f) {
  return [state = std::make_shared<detail::once_state<std::decay_t<F>>>(std::forward<F>(f))]() -> const auto& {
    return state->get();
  };
}

}  // namespace tenon
