#include "sched/active_limit.hpp"

#include <algorithm>

namespace tenon::detail {

namespace {
// Of the rate before the trial: fewer workers must reach the one, more must exceed the other.
constexpr double good_enough = 0.95;
constexpr double clearly_better = 1.1;
constexpr clock::nanos longest_window = 5 * active_limit::window;
}  // namespace

void active_limit::start(unsigned most, clock::nanos now) noexcept {
  *this = active_limit();
  most_ = chosen_ = tried_ = most;
  rest(now, first_rest);
}

unsigned active_limit::observe(clock::nanos now, std::uint64_t switches, unsigned active, bool held_up) noexcept {
  window_switches_ += switches;
  const clock::nanos elapsed = now - window_began_;
  if (held_up) {
    raise_fully(now);
    return chosen_;
  }
  if (elapsed > longest_window || (switches == 0 && active == 0)) {  // no look, or nothing to see
    begin_window(now);
    return tried_;
  }
  if (phase_ == phase::settling) {
    if (elapsed >= settling) {
      phase_ = phase::trying;
      begin_window(now);
    }
    return tried_;
  }
  if (elapsed < window) return tried_;

  const double rate = static_cast<double>(window_switches_) / static_cast<double>(elapsed);
  begin_window(now);
  if (phase_ == phase::trying) {
    const bool better = tried_ < chosen_ ? rate >= good_enough * rate_ : rate > clearly_better * rate_;
    phase_ = phase::resting;
    if (better) {
      raise_next_ = tried_ > chosen_;
      chosen_ = tried_;
      rate_ = rate;
      rest(now, first_rest);
    } else {
      raise_next_ = !raise_next_;
      tried_ = chosen_;
      rest(now, std::min(2 * rest_, longest_rest));
    }
    return chosen_;
  }

  rate_ = rate;
  if (rate * static_cast<double>(short_slice) < static_cast<double>(std::min(std::max(active, 1U), chosen_))) {
    raise_fully(now);
    return chosen_;
  }
  if (now < rest_until_ || most_ == 1) return chosen_;
  if (chosen_ == most_) raise_next_ = false;
  if (chosen_ == 1) raise_next_ = true;
  tried_ = raise_next_ ? std::min(2 * chosen_, most_) : (chosen_ + 1) / 2;
  phase_ = phase::settling;
  return tried_;
}

void active_limit::begin_window(clock::nanos now) noexcept {
  window_began_ = now;
  window_switches_ = 0;
}

void active_limit::raise_fully(clock::nanos now) noexcept {
  if (chosen_ < most_ || phase_ != phase::resting) rest(now, first_rest);
  chosen_ = tried_ = most_;
  phase_ = phase::resting;
  begin_window(now);
}

void active_limit::rest(clock::nanos now, clock::nanos how_long) noexcept {
  rest_ = how_long;
  rest_until_ = now + how_long;
}

}  // namespace tenon::detail
