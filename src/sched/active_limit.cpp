#include "sched/active_limit.hpp"

#include <algorithm>

namespace tenon::detail {

namespace {
// Of the rate before the trial: fewer workers must reach the one, more must exceed the other.
constexpr double good_enough = 0.95;
constexpr double clearly_better = 1.1;
constexpr double hopeless = 0.7;     // to go on with a trial of fewer
constexpr double busy_enough = 0.5;  // of the time of those that may be active
// Of the processor time a switch takes: fewer workers may be slower, and more must be faster, by what they save or cost, but by no more than this.
constexpr double much_cheaper = 0.9;
constexpr double contended = 0.05;         // of the time in which they have something to do, spent without a processor
constexpr unsigned most_idle_windows = 4;  // in a row
constexpr clock::nanos longest_gap = 5 * active_limit::window;
}  // namespace

void active_limit::start(unsigned most, clock::nanos now) noexcept {
  *this = active_limit();
  most_ = chosen_ = tried_ = most;
  rest(now, first_rest);
}

unsigned active_limit::observe(clock::nanos now, const seen& all) noexcept {
  const auto& [switches, active, busy_time, held_up, cpu_time] = all;
  window_switches_ += switches;
  window_busy_ += busy_time;
  ++looks_;
  if (held_up) ++held_looks_;
  const bool no_look = now - looked_ > (medium_ ? medium_window : longest_gap);
  looked_ = now;
  const clock::nanos elapsed = now - window_began_;
  // The system, too, may stop a worker, and does where others run on its processor.
  if (medium_ ? tried_ < most_ && held_looks_ > 2 && 3 * held_looks_ > looks_ : held_up && lowered()) {
    raise_fully(now);
    return chosen_;
  }
  if (no_look || (!medium_ && switches == 0 && active == 0)) {  // nothing to see
    begin_window(now);
    return tried_;
  }
  if (phase_ == phase::settling) {
    if (elapsed >= settling) {
      phase_ = phase::trying;
      begin_window(now);
      if (medium_) window_cpu_ = cpu_time();
    }
    return tried_;
  }
  if (elapsed < window) return tried_;

  const double rate = static_cast<double>(window_switches_) / static_cast<double>(elapsed);
  if (phase_ == phase::trying) {
    const bool goes_on =
        tried_ > chosen_ || elapsed < (medium_ ? medium_window / 2 : 4 * window) || rate >= hopeless * rate_;
    if (medium_ && elapsed < medium_window && goes_on) return tried_;
    const clock::nanos cpu = medium_ ? cpu_time() : 0;
    end_trial(now, rate, cost_of_switch(cpu), was_idle(elapsed, cpu));
    begin_window(now);
    window_cpu_ = cpu;
    return chosen_;
  }

  // A worker that the system stops for a moment does not make slices long, and a server that pauses does not have longer ones.
  if (medium_ && elapsed < 5 * window) return chosen_;
  const auto busy = medium_ ? static_cast<double>(window_busy_) / static_cast<double>(elapsed)
                            : static_cast<double>(std::min(std::max(active, 1U), chosen_));
  if (rate * static_cast<double>(medium_slice) < busy && (!medium_ || slices_are_long(cpu_time()))) {
    medium_ = false;
    raise_fully(now);
    return chosen_;
  }
  medium_ = rate * static_cast<double>(short_slice) < busy || (medium_ && window_switches_ == 0);
  if (medium_ && elapsed < medium_window) return chosen_;
  if (!medium_) rest_until_ = std::min(rest_until_, now + longest_rest);
  const clock::nanos cpu = medium_ ? cpu_time() : 0;
  const bool may_lower = medium_ ? was_contended(cpu) : held_looks_ == 0;
  idle_windows_ = was_idle(elapsed, cpu) ? idle_windows_ + 1 : 0;
  rate_ = rate;
  cost_ = cost_of_switch(cpu);
  begin_window(now);
  window_cpu_ = cpu;
  if (medium_ && idle_windows_ > most_idle_windows && chosen_ < most_) {
    raise_fully(now);
    return chosen_;
  }
  if (now < rest_until_) return chosen_;
  if (chosen_ == most_) raise_next_ = false;
  if (chosen_ == 1 || !may_lower) raise_next_ = true;
  if (raise_next_ && chosen_ == most_) return chosen_;
  tried_ = raise_next_ ? std::min(2 * chosen_, most_) : (chosen_ + 1) / 2;
  phase_ = phase::settling;
  return tried_;
}

/// Whether slices have taken more than a medium one's processor time in this window, at whose end the workers have had so much of it.
bool active_limit::slices_are_long(clock::nanos cpu_time) const noexcept {
  return window_cpu_ != 0 && cpu_time - window_cpu_ > medium_slice * static_cast<clock::nanos>(window_switches_);
}

/// Whether those that may be active have had little to do in this window, at whose end they have had so much of the processors; 0 where that has not been asked. Falling
/// asleep takes some, too.
bool active_limit::was_idle(clock::nanos elapsed, clock::nanos cpu_time) const noexcept {
  const clock::nanos used = window_cpu_ != 0 ? std::max(window_busy_, cpu_time - window_cpu_) : window_busy_;
  return static_cast<double>(used) < busy_enough * static_cast<double>(elapsed * tried_);
}

/// Whether the workers have been kept from running in this window, at whose end they have had so much of the processors.
bool active_limit::was_contended(clock::nanos cpu_time) const noexcept {
  const auto busy = static_cast<double>(window_busy_);
  return window_cpu_ != 0 && busy - static_cast<double>(cpu_time - window_cpu_) > contended * busy;
}

/// How much processor time a switch has taken in this window, as above; 0 if that is not known.
double active_limit::cost_of_switch(clock::nanos cpu_time) const noexcept {
  if (window_cpu_ == 0 || window_switches_ == 0 || cpu_time < window_cpu_) return 0;  // less: a thread has ended
  return static_cast<double>(cpu_time - window_cpu_) / static_cast<double>(window_switches_);
}

void active_limit::end_trial(clock::nanos now, double rate, double cost, bool idle) noexcept {
  const bool raised = tried_ > chosen_;
  const double dearer = cost > 0 && cost_ > 0 ? cost / cost_ : 1;
  const double needed = raised ? clearly_better * std::clamp(dearer, 1.0, 1 / much_cheaper)
                               : good_enough * std::clamp(dearer, much_cheaper, 1.0);
  const bool better = rate >= needed * rate_ && (raised || !medium_ || !idle);
  phase_ = phase::resting;
  if (!better) {
    raise_next_ = !raise_next_;
    tried_ = chosen_;
    rest_longer(now);
    return;
  }
  raise_next_ = raised;
  chosen_ = tried_;
  chosen_at_ = now;
  rate_ = rate;
  if (!medium_) {
    rest(now, first_rest);
  } else {
    // Not the first one again: where fewer are idle after all, and raised for that, it would go to and fro.
    rest(now, raised ? first_medium_rest : std::max(rest_, first_lowered_rest));
  }
}

void active_limit::begin_window(clock::nanos now) noexcept {
  window_began_ = now;
  window_switches_ = 0;
  window_busy_ = window_cpu_ = 0;
  looks_ = held_looks_ = 0;
}

void active_limit::raise_fully(clock::nanos now) noexcept {
  const bool changes = lowered();
  const bool was_good = !medium_ || (chosen_ < most_ && now - chosen_at_ > longest_medium_rest);
  chosen_ = tried_ = most_;
  phase_ = phase::resting;
  begin_window(now);
  if (!changes) return;
  if (was_good) {
    rest(now, medium_ ? first_medium_rest : first_rest);
  } else {
    rest_longer(now);
  }
}

void active_limit::rest(clock::nanos now, clock::nanos how_long) noexcept {
  rest_ = how_long;
  rest_until_ = now + how_long;
}

void active_limit::rest_longer(clock::nanos now) noexcept {
  if (!medium_) return rest(now, std::min(2 * rest_, longest_rest));
  rest(now, std::clamp(2 * rest_, first_medium_rest, chosen_ < most_ ? longest_lowered_rest : longest_medium_rest));
}

}  // namespace tenon::detail
