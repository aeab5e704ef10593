#pragma once

/// `with_signals`: a context that ends when the process gets a signal.
///
/// Go counterpart: `signal.NotifyContext`.
///
///     auto [ctx, stop] = tenon::with_signals(root, {SIGINT, SIGTERM});
///     serve(ctx);          // its blocking calls end when Ctrl-C is pressed; cause(ctx) is "interrupt signal received"
///
/// While the context lives, the first of these signals cancels it instead of doing what it did before. From then on, and after `stop` or its
/// destruction, every one of them does again what it did before: the second Ctrl-C ends a program that does not react to the first. (Go swallows
/// signals until `stop`.) Nothing here blocks. Several contexts may watch the same signal; all are canceled. Works with
/// and without a runtime. A number that is no signal, or one that cannot be caught, is a `std::system_error`.
///
/// `run(f, {.cancel_on_signals = true})` does this with the root context.

#include <initializer_list>
#include <memory>
#include <utility>

#include <tenon/context.hpp>

namespace tenon {

namespace detail {
struct signal_watch;
}

/// Cancels the context and stops watching. Move-only; the destructor does the same.
class [[nodiscard("dropping the handle cancels at once")]] signal_stop {
 public:
  signal_stop() noexcept = default;
  signal_stop(signal_stop&&) noexcept = default;
  signal_stop& operator=(signal_stop&& other) noexcept {
    std::swap(watch_, other.watch_);
    return *this;
  }
  signal_stop(const signal_stop&) = delete;
  signal_stop& operator=(const signal_stop&) = delete;
  ~signal_stop() { (*this)(); }

  void operator()() const noexcept;

 private:
  friend struct signal_access;
  explicit signal_stop(std::shared_ptr<detail::signal_watch> w) noexcept : watch_(std::move(w)) {}
  std::shared_ptr<detail::signal_watch> watch_;
};

struct [[nodiscard("dropping this cancels the context at once")]] signal_context {
  context ctx;
  signal_stop stop;
};

signal_context with_signals(const context& parent, std::initializer_list<int> signals);

}  // namespace tenon
