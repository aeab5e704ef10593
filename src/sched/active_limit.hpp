#pragma once

// The active-worker limit: how many workers should be active. As many as make the work go fastest, which is not always all of them.
//
// Goroutines that do little between two operations on each other are slower on several processors than on one: every operation moves
// cache lines, every wait wakes another worker. Whether that is so can't be told from what they do, but it can be measured: by how many
// often all workers switch between goroutines in a given time (the switch rate). So where that is often, the monitor now and then tries half
// as many workers, or twice as many, for a moment, and keeps what is faster.
//
// Invariants
//  1. Slices (the time between two switches) of more than `short_slice` on the average, or a goroutine that holds up others, raise the limit
//     to the full number at once: there, processors are what is missing. So no goroutine waits behind a long slice for longer than the monitor takes to look.
//  2. It is lowered when the fewer are about as fast (they leave processors to others), and raised only when more are clearly faster: what
//     lies in between changes nothing.
//  3. A trial that changes nothing makes the next one come later, up to `longest_rest`; so trials cost little where nothing changes.
//
// The monitor alone uses it.

#include <cstdint>

#include "platform/clock.hpp"

namespace tenon::detail {

class active_limit {
 public:
  static constexpr clock::nanos short_slice = 1'000;
  static constexpr clock::nanos window = 1'000'000;  // what a rate is measured over, at least
  static constexpr clock::nanos settling = 200'000;  // after a change, before measuring
  static constexpr clock::nanos first_rest = 2'000'000;
  static constexpr clock::nanos longest_rest = 100'000'000;
  static constexpr clock::nanos look = 250'000;  // how often `observe` wants to be called while it is lowered or tried

  /// For so many processors; everything measured is forgotten.
  void start(unsigned most, clock::nanos now) noexcept;

  /// `switches` since the last call by all workers, `active` of which are. `held_up`: a goroutine waits behind a long slice.
  /// Returns how many may be active.
  unsigned observe(clock::nanos now, std::uint64_t switches, unsigned active, bool held_up) noexcept;

  [[nodiscard]] bool wants_to_look() const noexcept { return phase_ != phase::resting || chosen_ < most_; }

 private:
  enum class phase : std::uint8_t { resting, settling, trying };
  void begin_window(clock::nanos now) noexcept;
  void raise_fully(clock::nanos now) noexcept;
  void rest(clock::nanos now, clock::nanos how_long) noexcept;

  unsigned most_ = 1;
  unsigned chosen_ = 1;  // what is known to be good
  unsigned tried_ = 1;   // what is being tried; == chosen_ when resting
  phase phase_ = phase::resting;
  bool raise_next_ = false;
  clock::nanos window_began_ = 0;
  std::uint64_t window_switches_ = 0;
  double rate_ = 0;  // of chosen_, in the last full window
  clock::nanos rest_until_ = 0;
  clock::nanos rest_ = first_rest;
};

}  // namespace tenon::detail
