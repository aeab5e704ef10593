#include "core/relock_check.hpp"

#include <string>

#include <tenon/detail/atomic.hpp>

#include "core/held_locks.hpp"
#include "core/lock_report.hpp"

// Who holds a checked lock, known to the lock and to its holder together, so that a goroutine that is about to wait for a lock that it holds
// itself is told so. Each time that a lock changes from free to held it gets a generation, a number that no lock has had before. The holder
// keeps a record: lock, generation, and the place of the call. A record is true as long as the lock still has that generation, so a goroutine
// that unlocks for the holder, as Go allows, or destroys the lock, need not know whose record that makes stale.
//
// Invariants
//  1. A writer's generation is gone before another can see the lock free. So a goroutine that has seen it held, and then finds the generation
//     of its own record, is the holder that it waits for.
//  2. Readers share a generation. A reader that unlocks without a record of its own unlocks for another, it is not known for which: the
//     generation changes, and the records of all of them are stale.
//  3. A checked lock is checked as long as it lives, within runs and outside, so no change of its holder goes unseen.
//  4. What is not recorded (too many locks held, no memory) is not reported. Nothing is reported that is not so.
//
// That a goroutine waits for itself is no proof that it waits for ever: another one may be meant to unlock. So it goes on to wait, once
// that has been said, and where all are asleep the deadlock's report follows.
//
// The atomics are relaxed: they must not make races between the holders of a lock invisible to ThreadSanitizer.

namespace tenon::detail {

detail::atomic<lock_checking> lock_checks{lock_checking::undecided};

void check_locks(lock_checking how) noexcept { lock_checks.store(how, std::memory_order_relaxed); }

namespace {

/// What is left of this lock's records since others have unlocked it.
TENON_INLINE void erase_stale(held_locks& held, const void* lock, bool shared_ones) noexcept {
  for (std::uint32_t i = held.n; i-- > 0;) {
    if (held.records[i].lock == lock && (shared_ones || held.records[i].how != held_as::shared))
      held.erase(&held.records[i]);
  }
}

/// False if there is none.
TENON_INLINE bool erase_record(const void* lock, held_as how) noexcept {
  held_locks* held = this_parker()->held;
  holder_record* mine = held != nullptr ? held->find(lock, how) : nullptr;
  if (mine == nullptr) return false;
  held->erase(mine);
  return true;
}

}  // namespace

void lock_holder::acquired(caller_frame from) noexcept {
  held_locks* held = held_by(this_parker());
  if (held == nullptr) return generation_.store(0, std::memory_order_relaxed);
  const std::uint32_t g = held->new_generation();
  generation_.store(g, std::memory_order_relaxed);
  erase_stale(*held, this, true);
  held->add({this, g, held_as::exclusive}, from);
}

void lock_holder::released() noexcept {
  generation_.store(0, std::memory_order_relaxed);
  erase_record(this, held_as::exclusive);
}

void lock_holder::acquired_shared(caller_frame from) noexcept {
  held_locks* held = held_by(this_parker());
  if (held == nullptr) return;
  std::uint32_t g = generation_.load(std::memory_order_relaxed);
  if (g == 0) {
    const std::uint32_t fresh = held->new_generation();
    if (generation_.compare_exchange_strong(g, fresh, std::memory_order_relaxed)) g = fresh;
  }
  erase_stale(*held, this, false);
  held->add({this, g, held_as::shared}, from);
}

void lock_holder::released_shared() noexcept {
  if (erase_record(this, held_as::shared)) return;
  held_locks* held = held_by(this_parker());
  generation_.store(held != nullptr ? held->new_generation() : 0, std::memory_order_relaxed);
}

void lock_holder::will_wait(const char* call, const char* lock) const noexcept {
  held_locks* held = this_parker()->held;
  if (held == nullptr || !reports(lock_checks.load(std::memory_order_relaxed))) return;
  const std::uint32_t g = generation_.load(std::memory_order_relaxed);
  const holder_record* mine = nullptr;
  for (const held_as how : {held_as::exclusive, held_as::shared}) {
    if (const holder_record* r = held->find(this, how); r != nullptr && r->generation == g) mine = r;
  }
  if (mine == nullptr) return;
  report(
      {std::string("recursive ") + call + " of a " + lock + " that " + name_of_caller() + " already holds",
       &held->sites[mine - held->records],
       mine->how == held_as::shared ? "first locked, shared, at" : "first locked at", "and again at",
       "It now waits until another goroutine unlocks it. If none is meant to: unlock it first, or call a function that expects it locked."},
      lock_checks.load(std::memory_order_relaxed));
}

}  // namespace tenon::detail
