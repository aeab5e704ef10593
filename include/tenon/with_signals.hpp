#pragma once

/// `with_signals`: a context that ends when the process gets a signal.
///
/// Go counterpart: `signal.NotifyContext`.
///
///     auto scope = tn::with_signals(root, {SIGINT, SIGTERM});
///     serve(scope.ctx());  // its blocking calls end when Ctrl-C is pressed; cause(ctx) is "interrupt signal received"
///
/// While the context lives, the first of these signals cancels it instead of doing what it did before. From then on, and after `cancel` or its
/// destruction, every one of them does again what it did before: the second Ctrl-C ends a program that does not react to the first. (Go swallows
/// signals until its `stop`.) Nothing here blocks. Several contexts may watch the same signal; all are canceled. Works with
/// and without a runtime. A number that is no signal, or one that cannot be caught, is a `std::system_error`.
///
/// `run` does this with its root group's context and SIGINT, except for a SIGINT that a context of the program's own watches for: then only that
/// one is canceled, and what is under the root goes on. So SIGINT and SIGTERM can mean the same:
///
///     tn::run([](tn::group& root) {
///       const auto told = tn::with_signals(root.ctx(), {SIGINT, SIGTERM});
///       tn::group connections(root.ctx(), log_failure);   // under the root, not under `told`
///       accept_until_canceled(told.ctx(), connections);    // stops taking work
///       return connections.finish(10s);                     // lets it finish, then cancels it
///     });
///
/// A second SIGINT prints a dump and ends the process at once.

#include <initializer_list>
#include <memory>
#include <utility>

#include <tenon/context.hpp>

namespace tenon {

namespace detail {
struct signal_watch;
}

/// A context of one's own that signals cancel. Move-only; the destructor cancels and stops watching.
class [[nodiscard("dropping the scope cancels its context at once")]] signal_scope {
 public:
  signal_scope(signal_scope&&) noexcept = default;
  signal_scope& operator=(signal_scope&& other) noexcept {
    std::swap(ctx_, other.ctx_);
    std::swap(watch_, other.watch_);
    return *this;
  }
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;
  ~signal_scope() { cancel(); }

  [[nodiscard]] const context& ctx() const& noexcept { return ctx_; }
  [[nodiscard]] const context& ctx() const&& = delete;

  /// Cancels the context and stops watching: the signals do again what they did before. Never blocks. Go: `stop`.
  void cancel() const noexcept;

 private:
  friend struct signal_access;
  signal_scope(context ctx, std::shared_ptr<detail::signal_watch> w) noexcept
      : ctx_(std::move(ctx)), watch_(std::move(w)) {}
  context ctx_;
  std::shared_ptr<detail::signal_watch> watch_;
};

signal_scope with_signals(const context& parent, std::initializer_list<int> numbers);

}  // namespace tenon
