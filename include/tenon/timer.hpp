#pragma once

/// `after`, `timer` and `ticker`: the monotonic clock as channels.
///
/// Go counterpart: `time.After`, `time.NewTimer`, `time.AfterFunc`, `time.NewTicker`, with the rules of Go 1.23: the channel
/// has length and capacity 0, and after `stop` or `reset` it never delivers a tick of before. The value received is the time at which the
/// timer fired. None of these calls blocks; receiving does. Timers work on OS threads outside of `run`, too.
///
///     tn::ticker ticker(100ms);
///     auto tick = tn::recv(ticker.c());
///     auto stop = tn::recv(ctx.done());
///     for (;;) {
///       tn::select(tick, stop);
///       if (stop) return ctx.err();
///       flush();
///     }
///
/// Destroying a timer or ticker stops it; its channel then never delivers. Members are thread-safe; construction, move and
/// destruction are the owner's.

#include <functional>
#include <memory>
#include <source_location>

#include <tenon/chan.hpp>
#include <tenon/context.hpp>
#include <tenon/time_span.hpp>

namespace tenon {

namespace detail {
struct timer_core;
}

/// What time it is, on the clock that all of these use: the monotonic one, or the virtual one of a test (tenon/testing/run_virtual.hpp).
[[nodiscard]] time_point now() noexcept;

/// A channel that delivers the time once, after `d`. Needs no stop: dropping the last handle to the channel ends the timer.
[[nodiscard]] recv_chan<time_point> after(time_span d);

/// Fires once.
class timer {
 public:
  /// An uninitialised timer, whose `stop` and `reset` panic.
  timer() noexcept = default;
  /// Delivers on `c()` after `d`.
  explicit timer(time_span d);
  /// Runs `f` in a goroutine of its own after `d` (Go: `time.AfterFunc`; `c()` is nil). Destruction waits for an `f` that has started, whose
  /// `reset` then starts nothing, and destroys `f`: fatal where `f` itself destroys its timer. Outside of `run`, and once it has ended, `f` runs
  /// on a thread of its own.
  timer(time_span d, std::function<void()> f, std::source_location where = std::source_location::current());
  timer(timer&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  timer& operator=(timer&& other) noexcept {  // the old one ends with `other`
    std::swap(core_, other.core_);
    return *this;
  }
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

  [[nodiscard]] const recv_chan<time_point>& c() const& noexcept;
  [[nodiscard]] recv_chan<time_point> c() const&& noexcept { return std::as_const(*this).c(); }

  /// True if this call stopped it: it had not fired, or its tick had not been received.
  bool stop() const;
  /// Starts it again, to fire after `d`; true if it was active, as for `stop`.
  bool reset(time_span d) const;

 private:
  detail::timer_core* core_ = nullptr;
};

/// Fires every `period`; a tick that is not taken in time is dropped. A period of zero or less is a panic:
/// `non-positive interval for NewTicker`.
class ticker {
 public:
  ticker() noexcept = default;
  explicit ticker(time_span period);
  ticker(ticker&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  ticker& operator=(ticker&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;
  ~ticker();

  [[nodiscard]] const recv_chan<time_point>& c() const& noexcept;
  [[nodiscard]] recv_chan<time_point> c() const&& noexcept { return std::as_const(*this).c(); }
  void stop() const;
  void reset(time_span period) const;

 private:
  detail::timer_core* core_ = nullptr;
};

}  // namespace tenon
