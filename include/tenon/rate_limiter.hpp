#pragma once

/// `rate_limiter`: so many events a second, with bursts.
///
/// Go counterpart: `golang.org/x/time/rate`, `Limiter`.
///
///     tenon::rate_limiter limit(tenon::every(100ms), 5);    // ten a second, up to five at once
///     if (tenon::error e = limit.wait(ctx)) return e;
///
/// A bucket of `burst` tokens, full at first, into which `limit` tokens a second flow. `allow(n)` takes n tokens if they are there and never
/// blocks. `wait(ctx, n)` blocks until they are, and reserves them at once, so that callers are served in the order of their calls; it
/// fails at once if the context's deadline comes first, or if n is more than a burst. `reserve(n)` says how long to wait instead of waiting, and can
/// be canceled. The forms with a time reckon as if it were that time: for tests, and for events that carry one. Thread-safe.
/// Cannot be copied or moved. The clock is the monotonic one. As in Go a negative n gives tokens back, up to a burst, and a negative burst
/// lets nothing through.
///
/// Errors, with Go's texts: `rate: Wait(n=N) exceeds limiter's burst B`, `rate: Wait(n=N) would exceed context deadline`, and the context's
/// own when it is canceled.

#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>

#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/time_span.hpp>
#include <tenon/timer.hpp>

namespace tenon {

/// Events a second. Zero or less, and what is not a number: none, once the burst is used up.
struct rate {
  double per_second = 0;
  constexpr explicit rate(double events_per_second) noexcept : per_second(events_per_second) {}
  friend constexpr bool operator==(rate, rate) noexcept = default;
  /// No limit: every event is allowed, even with a burst of zero.
  static constexpr rate infinite() noexcept { return rate(std::numeric_limits<double>::infinity()); }
};

/// One event each `interval`; zero or less is no limit.
[[nodiscard]] constexpr rate every(time_span interval) noexcept {
  return interval.count() <= 0 ? rate::infinite() : rate(1e9 / static_cast<double>(interval.count()));
}

class rate_limiter {
 public:
  rate_limiter(rate limit, int burst) noexcept : limit_(limit), burst_(burst), tokens_(burst) {}
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;
  ~rate_limiter() = default;

  using clock = std::chrono::steady_clock;
  using nanoseconds = std::chrono::nanoseconds;

  /// Whether n events may happen now; if so, they count.
  [[nodiscard]] bool allow(int n = 1);
  [[nodiscard]] bool allow_at(time_point now, int n = 1);

  /// The right to n events at some time. The events count until `cancel`.
  class [[nodiscard("a reservation counts: wait for its delay, or cancel it")]] reservation {
   public:
    /// False if they can never be: n is more than a burst.
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// How long to wait; zero if they may happen at once, the maximum if never.
    [[nodiscard]] nanoseconds delay() const { return delay_from(tenon::now()); }
    [[nodiscard]] nanoseconds delay_from(time_point now) const noexcept;
    /// Gives back what others have not reserved behind it. Does nothing once its time has come.
    void cancel();
    void cancel_at(time_point now);

   private:
    friend class rate_limiter;
    [[nodiscard]] bool counts() const noexcept { return ok_ && n_ != 0 && limit_ != rate::infinite(); }
    void give_back(time_point now);
    bool ok_ = false;
    rate_limiter* of_ = nullptr;
    int n_ = 0;
    time_point when_;
    rate limit_{0};
  };
  reservation reserve(int n = 1);
  reservation reserve_at(time_point now, int n = 1);

  /// Blocks until n events may happen. No error then.
  error wait(const context& ctx, int n = 1);

  [[nodiscard]] rate limit() const;
  [[nodiscard]] int burst() const;
  /// Tokens there are; negative while reservations wait.
  [[nodiscard]] double tokens() const { return tokens_at(tenon::now()); }
  [[nodiscard]] double tokens_at(time_point now) const;

  /// From now on. Reservations made before keep their times.
  void set_limit(rate limit);
  void set_limit_at(time_point now, rate limit);
  void set_burst(int burst);
  void set_burst_at(time_point now, int burst);

 private:
  // Under the lock. What a caller with a time before last_ does sets that back, and the next one is credited the same span again: so the clock,
  // too, is read under the lock.
  reservation reserve_within(time_point now, int n, nanoseconds longest);
  [[nodiscard]] double advanced(time_point now) const noexcept;
  void advance(time_point now) noexcept;

  mutable mutex mu_;
  rate limit_;
  int burst_;
  double tokens_;
  time_point last_{};        // when tokens_ was reckoned
  time_point last_event_{};  // the latest time of a reservation
};

}  // namespace tenon
