#include <tenon/detail/lock_tenure.hpp>

#include <algorithm>
#include <array>
#include <string>

#include "base/fatal.hpp"
#include "platform/backtrace.hpp"
#include "sched/parker.hpp"
#include "sched/scheduler.hpp"

// Each time that a lock changes from free to held it gets a number that no lock has had before: the tenure. The holder notes it, with the
// calls it came by. A note is true as long as the lock still has its number, so nobody has to tell a holder that somebody else has unlocked
// for it, as Go allows, or has destroyed the lock.
//
// Invariants
//  1. A writer's number is gone before anybody can see the lock free. So whoever has seen it held, and then finds the number of his own
//     note, is the holder that he waits for.
//  2. Readers share a number. One that lets go without a note of its own lets go for another, nobody knows for which: the number changes, and
//     the notes of all of them count for nothing.
//  3. A note counts in the period of watching in which it was taken: between two of them locks change hands unseen.
//  4. What is not noted (too many locks held, or not yet watched) is not reported. Nothing is reported that is not so.
//
// The atomics are relaxed: they must not make races between the holders of a lock invisible to ThreadSanitizer.

namespace tenon::detail {

namespace {

constexpr unsigned most_frames = 8;
constexpr std::size_t most_notes = 16;

struct note {
  const void* lock = nullptr;
  std::uint32_t number = 0;
  std::uint32_t period = 0;
  bool shared = false;
  unsigned depth = 0;
  const void* calls[most_frames];
};

std::atomic<std::uint32_t> last_number{0};

std::uint32_t new_number() noexcept {
  std::uint32_t n = 0;
  while (n == 0) n = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  return n;
}

}  // namespace

std::atomic<bool> locks_watched{false};
static std::atomic<std::uint32_t> period{0};

void watch_locks(bool on) noexcept {
  if (on) period.fetch_add(1, std::memory_order_relaxed);
  locks_watched.store(on, std::memory_order_relaxed);
}

struct held_locks {
  std::array<note, most_notes> notes;
  std::size_t n = 0;

  note* find(const void* lock, bool shared) noexcept {
    for (std::size_t i = n; i-- > 0;) {
      if (notes[i].lock == lock && notes[i].shared == shared) return &notes[i];
    }
    return nullptr;
  }

  void erase(note* which) noexcept {
    std::move(which + 1, notes.data() + n, which);
    --n;
  }
};

namespace {

void take_note(const void* lock, std::uint32_t number, bool shared) noexcept {
  parker* me = this_parker();
  if (me->held == nullptr) me->held = new held_locks;
  held_locks& held = *me->held;
  // What is left of tenures that others have ended.
  if (note* old = held.find(lock, false)) held.erase(old);
  while (note* old = shared ? nullptr : held.find(lock, true)) held.erase(old);
  if (held.n == most_notes) held.erase(held.notes.data());
  note& fresh = held.notes[held.n++];
  fresh.lock = lock;
  fresh.number = number;
  fresh.period = period.load(std::memory_order_relaxed);
  fresh.shared = shared;
  fresh.depth = backtrace(fresh.calls, most_frames);
}

/// False if there is none.
bool drop_note(const void* lock, bool shared) noexcept {
  held_locks* held = this_parker()->held;
  note* mine = held != nullptr ? held->find(lock, shared) : nullptr;
  if (mine == nullptr) return false;
  held->erase(mine);
  return true;
}

std::string caller() {
  const goroutine_core* g = running_goroutine();
  if (g == nullptr) return "a plain thread";
  std::string text = "goroutine " + std::to_string(g->id.load(std::memory_order_relaxed));
  if (g->name != nullptr) text += std::string(" \"") + g->name + "\"";
  return text;
}

}  // namespace

void forget_held_locks(parker* p) noexcept {
  delete p->held;
  p->held = nullptr;
}

void lock_tenure::took() noexcept {
  const std::uint32_t n = new_number();
  number_.store(n, std::memory_order_relaxed);
  take_note(this, n, false);
}

void lock_tenure::lets_go() noexcept {
  number_.store(0, std::memory_order_relaxed);
  drop_note(this, false);
}

void lock_tenure::took_shared() noexcept {
  std::uint32_t n = number_.load(std::memory_order_relaxed);
  if (n == 0) {
    const std::uint32_t fresh = new_number();
    if (number_.compare_exchange_strong(n, fresh, std::memory_order_relaxed)) n = fresh;
  }
  take_note(this, n, true);
}

void lock_tenure::lets_go_shared() noexcept {
  if (!drop_note(this, true)) number_.store(new_number(), std::memory_order_relaxed);
}

void lock_tenure::may_wait(const char* call) const noexcept {
  held_locks* held = this_parker()->held;
  if (held == nullptr) return;
  const std::uint32_t n = number_.load(std::memory_order_relaxed);
  const std::uint32_t now = period.load(std::memory_order_relaxed);
  const note* mine = nullptr;
  for (const bool shared : {false, true}) {
    if (const note* found = held->find(this, shared); found != nullptr && found->number == n && found->period == now)
      mine = found;
  }
  if (mine == nullptr) return;

  const void* again[most_frames];
  const unsigned depth = backtrace(again, most_frames);
  std::string text = "fatal error: " + caller() + " waits for itself: " + call + " of what it holds\n";
  text += std::string("\nfirst ") + (mine->shared ? "locked, shared," : "locked") + " at\n";
  text += describe_calls(mine->calls, mine->depth);
  text += "and again at\n";
  text += describe_calls(again, depth);
  text += "\n(Where another goroutine is meant to unlock it first, a semaphore or a channel says so.)";
  die_with_dump(text.c_str());
}

}  // namespace tenon::detail
