#pragma once

// The seam by which an exploration (src/sim) sees what goroutines do, and says who goes on.
//
// Each operation of a primitive is a point: before it takes effect, another goroutine may go first. Only in a run that is explored: elsewhere
// a point is a look at one pointer.
//
// Invariants
//  1. A point is where the caller could as well block: it holds no lock of tenon's, and has not begun a wait.
//  2. `before` is called when the operation is about to take effect, with no point between: so the calls are in the order of the effects.
//  3. Everything here is called on the run's one worker, by one goroutine at a time, or between runs.

#include <cstddef>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/call_site.hpp"
#include "platform/compiler.hpp"

namespace tenon::detail {

struct goroutine_core;

enum class operation : std::uint8_t {
  go,
  join,
  yield,
  lock,
  try_lock,
  unlock,
  lock_shared,
  try_lock_shared,
  unlock_shared,
  cond_wait,
  wait,
  signal,
  broadcast,
  acquire,
  try_acquire,
  release,
  add,
  send,
  try_send,
  recv,
  try_recv,
  close,
  select,
  sleep,
  start,
  stop,
  cancel,
  look,
  touch,
  passing,  // of time: no goroutine's
};
constexpr std::size_t operations = 30;

/// As it stands in a report.
const char* to_text(operation op) noexcept;

class explorer {
 public:
  /// Who goes on: see `pick`.
  static constexpr std::uint32_t stays = ~std::uint32_t{0};
  static constexpr std::uint32_t time_passes = stays - 1;

  /// The one that runs is about to do this, as soon as it is its turn: what it does next is known from here on.
  virtual void arrives(const goroutine_core& g, operation op, const void* object) noexcept = 0;
  /// One of ready[0, n), or `stays`, if `current` is not null: it could go on; or `time_passes`, if `timer`: the clock may go to the next timer.
  virtual std::uint32_t pick(goroutine_core* const* ready, std::uint32_t n, const goroutine_core* current,
                             bool timer) noexcept = 0;
  /// The one that runs is about to do this, at the call that `from` describes.
  virtual void before(goroutine_core& g, operation op, const void* object, caller_frame from) noexcept = 0;
  /// Everybody waits, and the clock goes to the next timer.
  virtual void waits_for_timer() noexcept = 0;
  /// It has to do with this object, too.
  virtual void also(const void* object) noexcept = 0;
  /// Which case of a select it was; `otherwise`: none.
  static constexpr std::uint32_t otherwise = ~std::uint32_t{0};
  virtual void fired(std::uint32_t which) noexcept = 0;
  /// g, which somebody may join, has ended.
  virtual void ended(const goroutine_core& g) noexcept = 0;

 protected:
  explorer() = default;
  ~explorer() = default;
};

TENON_HIDDEN extern detail::atomic<explorer*> the_explorer;

/// The object of operations on contexts: who cancels one cancels those below it, so they are one to an exploration.
inline constexpr char contexts = 0;

/// The explorer, where the caller is a goroutine of a run that is explored; elsewhere null.
explorer* explorer_here() noexcept;

/// The operation may be one of a goroutine that cannot be preempted here, or of a plain thread: then it is none for the exploration.
void at_point(operation op, const void* object) noexcept;

/// An operation that has to do with two objects.
void at_point_with(operation op, const void* object, const void* other) noexcept;

TENON_INLINE void point(operation op, const void* object) noexcept {
  if (TENON_UNLIKELY(the_explorer.load(std::memory_order_relaxed) != nullptr)) at_point(op, object);
}

TENON_INLINE bool exploring() noexcept { return the_explorer.load(std::memory_order_relaxed) != nullptr; }

/// The goroutine g, which has a handle, has ended.
void at_end(const goroutine_core& g) noexcept;

}  // namespace tenon::detail
