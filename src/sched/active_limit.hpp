#pragma once

// The active-worker limit: how many workers should be active. As many as make the work go fastest, which is not always all of them.
//
// Goroutines that do little between two operations on each other are slower on several processors than on one: every operation moves
// cache lines, every wait wakes another worker. Whether that is so can't be told from what they do, but it can be measured: by how many
// often all workers switch between goroutines in a given time (the switch rate). So where that is often, the monitor now and then tries half
// as many workers, or twice as many, for a moment, and keeps what is faster.
//
// A server's goroutines do a little more, a system call or two. What slows them down is not each other but what runs beside them: on processors that a client uses, too,
// a second worker may do no more than the first could alone, and whichever of the three the system stops is stopped for milliseconds. So where workers are kept from running,
// fewer are tried for slices that long, too, but over a longer time, and stay only while they have enough to do: one that waits for work is one that answers at once.
//
// Invariants
//  1. Slices (the time between two switches) of more than `medium_slice` on the average, or a goroutine that holds up others, raise the limit
//     to the full number at once: there, processors are what is missing. So no goroutine waits behind a long slice for longer than the monitor takes to look.
//  2. It is lowered when the fewer are about as fast (they leave processors to others), and raised only when more are clearly faster: what
//     lies in between changes nothing. For a server's slices what a switch takes of processor time counts, too: fewer may be slower by a tenth if they
//     save a tenth, and more must be faster by as much as they cost.
//  3. A trial that changes nothing makes the next one come later, up to `longest_rest`; so trials cost little where nothing changes.
//  4. Where slices are longer than `short_slice`, fewer are tried only if something else wants the processors, and kept only while they are busy for most of the time.
//
// The monitor alone uses it.

#include <cstdint>

#include "platform/clock.hpp"

namespace tenon::detail {

class active_limit {
 public:
  static constexpr clock::nanos short_slice = 1'000;
  static constexpr clock::nanos medium_slice = 50'000;
  static constexpr clock::nanos window = 1'000'000;  // what a rate is measured over, at least
  static constexpr clock::nanos medium_window = 20'000'000;
  static constexpr clock::nanos settling = 200'000;  // after a change, before measuring
  static constexpr clock::nanos first_rest = 2'000'000;
  static constexpr clock::nanos longest_rest = 100'000'000;
  static constexpr clock::nanos first_medium_rest = 50'000'000;
  static constexpr clock::nanos longest_medium_rest = 400'000'000;
  static constexpr clock::nanos first_lowered_rest =
      200'000'000;  // more are tried more rarely: that moves all threads to and fro between the processors
  static constexpr clock::nanos longest_lowered_rest = 2'000'000'000;
  static constexpr clock::nanos look =
      250'000;  // how often `observe` wants to be called while it is lowered or tried for short slices

  /// For so many processors; everything measured is forgotten.
  void start(unsigned most, clock::nanos now) noexcept;

  /// What all workers have done since the last call.
  struct seen {
    std::uint64_t switches = 0;
    unsigned active = 0;                            // of them, now
    clock::nanos busy = 0;                          // in which they were not asleep, in all
    bool held_up = false;                           // a goroutine waits behind a long slice
    clock::nanos (*cpu_time)() noexcept = nullptr;  // how long all of them have been on a processor so far
  };
  /// Returns how many may be active.
  unsigned observe(clock::nanos now, const seen& all) noexcept;

  [[nodiscard]] bool wants_to_look() const noexcept { return !medium_ && lowered(); }

 private:
  enum class phase : std::uint8_t { resting, settling, trying };
  [[nodiscard]] bool lowered() const noexcept { return phase_ != phase::resting || chosen_ < most_; }
  void begin_window(clock::nanos now) noexcept;
  void raise_fully(clock::nanos now) noexcept;
  void rest(clock::nanos now, clock::nanos how_long) noexcept;
  void rest_longer(clock::nanos now) noexcept;
  [[nodiscard]] bool slices_are_long(clock::nanos cpu_time) const noexcept;
  [[nodiscard]] bool was_idle(clock::nanos elapsed, clock::nanos cpu_time) const noexcept;
  [[nodiscard]] bool was_contended(clock::nanos cpu_time) const noexcept;
  [[nodiscard]] double cost_of_switch(clock::nanos cpu_time) const noexcept;
  void end_trial(clock::nanos now, double rate, double cost, bool idle) noexcept;

  unsigned most_ = 1;
  unsigned chosen_ = 1;  // what is known to be good
  unsigned tried_ = 1;   // what is being tried; == chosen_ when resting
  phase phase_ = phase::resting;
  bool raise_next_ = false;
  bool medium_ = false;  // slices
  clock::nanos looked_ = 0;
  clock::nanos chosen_at_ = 0;
  clock::nanos window_began_ = 0;
  std::uint64_t window_switches_ = 0;
  clock::nanos window_busy_ = 0;
  clock::nanos window_cpu_ = 0;  // what cpu_time said when it began; 0 if nobody asked
  unsigned idle_windows_ = 0;    // in a row
  unsigned looks_ = 0;           // in this window
  unsigned held_looks_ = 0;      // of them, when a goroutine held up others
  double rate_ = 0;              // of chosen_, in the last full window
  double cost_ = 0;              // and how much processor time a switch took; 0 if that is not known
  clock::nanos rest_until_ = 0;
  clock::nanos rest_ = first_rest;
};

}  // namespace tenon::detail
