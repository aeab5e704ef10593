#include <tenon/rate_limiter.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include <tenon/sleep_for.hpp>

// Tokens are reckoned when they are asked for: nothing ticks. They may be negative: then a caller has reserved what will have flowed in.

namespace tenon {

namespace {

using nanoseconds = std::chrono::nanoseconds;

/// How long it takes for so many tokens to flow in; the maximum if for ever.
nanoseconds time_for(double tokens, rate limit) noexcept {
  if (!(limit.per_second > 0)) return nanoseconds::max();  // what is not a number lets none in, either
  const double ns = std::ceil(tokens / limit.per_second * 1e9);
  return ns >= static_cast<double>(nanoseconds::max().count()) ? nanoseconds::max()
                                                               : nanoseconds(static_cast<std::int64_t>(ns));
}

double tokens_in(nanoseconds d, rate limit) noexcept {
  return !(limit.per_second > 0) ? 0 : static_cast<double>(d.count()) / 1e9 * limit.per_second;
}

/// d is not negative.
// A clock that is given from outside may be anywhere.
time_point later(time_point t, nanoseconds d) noexcept { return t > time_point::max() - d ? time_point::max() : t + d; }
time_point earlier(time_point t, nanoseconds d) noexcept {
  return t < time_point::min() + d ? time_point::min() : t - d;
}
nanoseconds span(time_point from, time_point to) noexcept {
  nanoseconds::rep d = 0;
  if (!__builtin_sub_overflow(nanoseconds(to.time_since_epoch()).count(), nanoseconds(from.time_since_epoch()).count(),
                              &d))
    return nanoseconds(d);
  return to < from ? nanoseconds::min() : nanoseconds::max();
}

}  // namespace

double rate_limiter::advanced(time_point now) const noexcept {
  if (limit_ == rate::infinite()) return burst_;
  // A clock that is given from outside may go back.
  const nanoseconds elapsed = now < last_ ? nanoseconds(0) : span(last_, now);
  return std::min(tokens_ + tokens_in(elapsed, limit_), static_cast<double>(burst_));
}

void rate_limiter::advance(time_point now) noexcept {
  tokens_ = advanced(now);
  last_ = now;
}

rate_limiter::reservation rate_limiter::reserve_within(time_point now, int n, nanoseconds longest) {
  reservation r;
  r.of_ = this;
  r.limit_ = limit_;
  if (limit_ == rate::infinite()) {
    r.ok_ = true;
    r.n_ = n;
    r.when_ = now;
    return r;
  }
  const double left = advanced(now) - n;
  const nanoseconds delay = left < 0 ? time_for(-left, limit_) : nanoseconds(0);
  r.ok_ = n <= burst_ && delay <= longest && delay != nanoseconds::max();
  if (!r.ok_) return r;
  r.n_ = n;
  r.when_ = later(now, delay);
  last_ = now;
  tokens_ = left;
  last_event_ = r.when_;
  return r;
}

bool rate_limiter::allow(int n) {
  const std::lock_guard hold(mu_);
  return reserve_within(tenon::now(), n, nanoseconds(0)).ok_;
}
bool rate_limiter::allow_at(time_point now, int n) {
  const std::lock_guard hold(mu_);
  return reserve_within(now, n, nanoseconds(0)).ok_;
}

rate_limiter::reservation rate_limiter::reserve(int n) {
  const std::lock_guard hold(mu_);
  return reserve_within(tenon::now(), n, nanoseconds::max());
}
rate_limiter::reservation rate_limiter::reserve_at(time_point now, int n) {
  const std::lock_guard hold(mu_);
  return reserve_within(now, n, nanoseconds::max());
}

nanoseconds rate_limiter::reservation::delay_from(time_point now) const noexcept {
  if (!ok_) return nanoseconds::max();
  return std::max(span(now, when_), nanoseconds(0));
}

void rate_limiter::reservation::cancel() {
  if (!counts()) return;
  const std::lock_guard hold(of_->mu_);
  give_back(tenon::now());
}
void rate_limiter::reservation::cancel_at(time_point now) {
  if (!counts()) return;
  const std::lock_guard hold(of_->mu_);
  give_back(now);
}

void rate_limiter::reservation::give_back(time_point now) {
  if (when_ < now) return;
  // What was reserved after us counted on our tokens being gone: those stay gone.
  const double restored = n_ - tokens_in(span(when_, of_->last_event_), limit_);
  if (restored <= 0) return;
  of_->tokens_ = std::min(of_->advanced(now) + restored, static_cast<double>(of_->burst_));
  of_->last_ = now;
  if (when_ == of_->last_event_) {
    const time_point before = earlier(when_, time_for(n_, limit_));
    if (before >= now) of_->last_event_ = before;
  }
  n_ = 0;
}

error rate_limiter::wait(const context& ctx, int n) {
  {
    const std::lock_guard hold(mu_);
    if (n > burst_ && limit_ != rate::infinite()) {
      return error("rate: Wait(n=" + std::to_string(n) + ") exceeds limiter's burst " + std::to_string(burst_));
    }
  }
  if (error e = ctx.err()) return e;
  const std::optional<time_point> deadline = ctx.deadline();
  reservation r;
  nanoseconds delay{0};
  {
    const std::lock_guard hold(mu_);
    const time_point now = tenon::now();
    r = reserve_within(now, n, deadline ? *deadline - now : nanoseconds::max());
    delay = r.delay_from(now);
  }
  if (!r.ok_) return error("rate: Wait(n=" + std::to_string(n) + ") would exceed context deadline");
  try {
    if (delay.count() == 0 || sleep_for(ctx, delay)) return nullptr;
  } catch (...) {  // no memory for the timer
    r.cancel();
    throw;
  }
  r.cancel();
  return ctx.err();
}

rate rate_limiter::limit() const {
  const std::lock_guard hold(mu_);
  return limit_;
}
int rate_limiter::burst() const {
  const std::lock_guard hold(mu_);
  return burst_;
}
double rate_limiter::tokens_at(time_point now) const {
  const std::lock_guard hold(mu_);
  return advanced(now);
}
void rate_limiter::set_limit(rate limit) {
  const std::lock_guard hold(mu_);
  advance(tenon::now());
  limit_ = limit;
}
void rate_limiter::set_limit_at(time_point now, rate limit) {
  const std::lock_guard hold(mu_);
  advance(now);
  limit_ = limit;
}
void rate_limiter::set_burst(int burst) {
  const std::lock_guard hold(mu_);
  advance(tenon::now());
  burst_ = burst;
}
void rate_limiter::set_burst_at(time_point now, int burst) {
  const std::lock_guard hold(mu_);
  advance(now);
  burst_ = burst;
}

}  // namespace tenon
