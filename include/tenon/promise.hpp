#pragma once

/// `promise<T>`: one value, or failure, for a goroutine that waits, from code that knows nothing of goroutines: a callback on a foreign thread, say.
///
/// Go counterpart: a channel of capacity 1 that the callback sends to.
///
///     tn::result<reply> get(const tn::context& ctx, client& c, const std::string& key) {
///       tn::promise<reply> p;
///       c.get_async(key, [set = p.setter()](reply r) { set(std::move(r)); });
///       return p.wait(ctx);
///     }
///
/// `setter()` can be called once; what it returns can be copied and outlive the promise. The first call of any copy counts, by
/// `set(value)` or `set.fail(why)`, on any thread; it never blocks. When the last copy has gone without one, `wait` returns an error that is
/// `std::future_errc::broken_promise` (from `<future>`).
///
/// `wait` blocks the goroutine, or OS thread, until then, or until `ctx` is canceled; what comes later is dropped. A `promise<void>` has no value:
/// `set()`, and `wait` returns an `error`. `c()` is the channel with the outcome, for `select`.
///
/// As long as a setter is there that has not been used, tenon knows that something outside may wake a goroutine: no deadlock is reported, and the
/// clock of `testing::run_virtual` stands still. The outcome is moved, and T must not throw when it is (as for a channel).

#include <memory>
#include <type_traits>
#include <utility>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/error.hpp>
#include <tenon/result.hpp>

namespace tenon {

namespace detail {

void outside_waker(int delta) noexcept;
error broken_promise();
[[noreturn]] void promise_misused(const char* how);

template <class T>
struct promise_outcome {
  using type = result<T>;
};
template <>
struct promise_outcome<void> {
  using type = error;
};

/// What the copies of a setter have in common.
template <class T>
class promise_end {
 public:
  using outcome = typename promise_outcome<T>::type;
  explicit promise_end(chan<outcome> to) : to_(std::move(to)) {
    (void)broken_promise();  // made where a lack of memory can be told
    outside_waker(+1);
  }
  promise_end(const promise_end&) = delete;
  promise_end& operator=(const promise_end&) = delete;
  ~promise_end() {
    if (!settled_.load(std::memory_order_relaxed)) (void)settle(broken_promise());
  }

  bool settle(outcome o) {
    // It says who does; the outcome goes through the channel.
    if (settled_.exchange(true, std::memory_order_relaxed)) return false;
    to_.send(std::move(o));  // there is room for it
    to_.close();
    outside_waker(-1);  // last: the waiter has been woken, and is seen as such
    return true;
  }

 private:
  const chan<outcome> to_;
  detail::atomic<bool> settled_{false};
};

}  // namespace detail

/// Settles a promise. Copies are for the same one; the first to be called counts. Thread-safe.
template <class T>
class promise_setter {
 public:
  /// False if it was settled before: the value is dropped. Never blocks.
  template <class... V>
    requires(std::is_void_v<T> ? sizeof...(V) == 0 : (sizeof...(V) == 1 && (std::is_convertible_v<V, T> && ...)))
  bool operator()(V&&... value) const {
    if constexpr (std::is_void_v<T>) {
      return end_->settle(error());
    } else {
      return end_->settle(result<T>(T(std::forward<V>(value)...)));
    }
  }
  /// The same with a failure; no error is a `panic`.
  bool fail(error why) const {
    if (!why) detail::promise_misused("tenon: a promise that fails without an error");
    return end_->settle(std::move(why));
  }

 private:
  template <class>
  friend class promise;
  explicit promise_setter(std::shared_ptr<detail::promise_end<T>> end) : end_(std::move(end)) {}
  std::shared_ptr<detail::promise_end<T>> end_;
};

template <class T>
class [[nodiscard]] promise {
 public:
  using outcome = typename detail::promise_outcome<T>::type;

  promise() : c_(make_chan<outcome>(1)), end_(std::make_shared<detail::promise_end<T>>(c_)) {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&&) noexcept = default;

  /// Once; a second call is a `panic`.
  [[nodiscard]] promise_setter<T> setter() {
    if (!end_) detail::promise_misused("tenon: promise: setter() called twice: copy what the first call returned");
    return promise_setter<T>(std::exchange(end_, nullptr));
  }

  /// The outcome, or the error of `ctx`. Once there is an outcome, only the first call gets it; a later one is a `panic`.
  outcome wait() {
    check();
    if (auto o = c_.recv()) return *std::move(o);
    detail::promise_misused("tenon: promise: the outcome has been taken");
  }
  outcome wait(const context& ctx) {
    check();
    if (auto o = c_.recv(ctx)) return *std::move(o);
    if (error e = ctx.err()) return e;
    detail::promise_misused("tenon: promise: the outcome has been taken");
  }

  [[nodiscard]] const recv_chan<outcome> c() const noexcept { return c_; }

 private:
  void check() const {
    if (end_) detail::promise_misused("tenon: promise: wait without a setter: nothing could end it");
  }
  chan<outcome> c_;
  std::shared_ptr<detail::promise_end<T>> end_;  // until it is given out
};

}  // namespace tenon
