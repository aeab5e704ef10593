#include "core/relock_check.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fatal.hpp"
#include "platform/backtrace.hpp"
#include "sched/parker.hpp"
#include "sched/scheduler.hpp"

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

std::atomic<lock_checking> lock_checks{lock_checking::undecided};

void check_locks(lock_checking how) noexcept { lock_checks.store(how, std::memory_order_relaxed); }

namespace {

constexpr unsigned most_calls = 8;
constexpr std::uint32_t most_records = 32;
constexpr std::uint32_t generations_at_a_time = 64;

std::atomic<std::uint32_t> generations{generations_at_a_time};

struct holder_record {
  const void* lock = nullptr;
  std::uint32_t generation = 0;
  bool shared = false;
};

}  // namespace

/// The records of one goroutine or thread.
struct held_locks {
  stack_bounds stack;
  std::uint32_t next_generation = 0;
  std::uint32_t last_generation = 0;
  std::uint32_t n = 0;
  std::uint32_t room = 0;
  std::uint32_t oldest = 0;          // which to forget when there is no room
  holder_record* records = nullptr;  // `room` of them
  call_site* sites = nullptr;        // of the records, in the same order

  ~held_locks() {
    delete[] records;
    delete[] sites;
  }

  std::uint32_t new_generation() noexcept {
    if (TENON_UNLIKELY(next_generation == last_generation)) {
      do {
        next_generation = generations.fetch_add(generations_at_a_time, std::memory_order_relaxed);
      } while (next_generation == 0);  // 0 is no generation
      last_generation = next_generation + generations_at_a_time;
    }
    return next_generation++;
  }

  TENON_INLINE holder_record* find(const void* lock, bool shared) noexcept {
    for (std::uint32_t i = n; i-- > 0;) {
      if (records[i].lock == lock && records[i].shared == shared) return &records[i];
    }
    return nullptr;
  }

  TENON_INLINE void erase(holder_record* which) noexcept {
    --n;
    const auto at = static_cast<std::uint32_t>(which - records);
    if (at == n) return;
    records[at] = records[n];
    sites[at] = sites[n];
  }

  TENON_NOINLINE bool grow() noexcept {
    if (room == most_records) return false;
    const std::uint32_t more = room == 0 ? 2 : room * 2;
    auto* new_records = new (std::nothrow) holder_record[more];
    auto* new_sites = new (std::nothrow) call_site[more];
    if (new_records == nullptr || new_sites == nullptr) {
      delete[] new_records;
      delete[] new_sites;
      return false;
    }
    std::copy_n(records, n, new_records);
    std::copy_n(sites, n, new_sites);
    delete[] std::exchange(records, new_records);
    delete[] std::exchange(sites, new_sites);
    room = more;
    return true;
  }

  TENON_INLINE void add(const void* lock, std::uint32_t generation, bool shared, caller_frame from) noexcept {
    // What is left of locks that others have unlocked.
    for (std::uint32_t i = n; i-- > 0;) {
      if (records[i].lock == lock && !(shared && records[i].shared)) erase(&records[i]);
    }
    std::uint32_t at = n;
    if (TENON_LIKELY(n < room) || grow()) {
      ++n;
    } else if (room == 0) {
      return;
    } else {
      at = oldest++ % room;
    }
    records[at] = {lock, generation, shared};
    keep_call(sites[at], from, stack);
  }
};

namespace {

TENON_NOINLINE held_locks* first_held_locks(parker* me) noexcept {
  auto* held = new (std::nothrow) held_locks;
  if (held == nullptr) return nullptr;
  if (me->what == parker::kind::goroutine) {
    const auto* g = static_cast<const goroutine_core*>(me);
    held->stack = {reinterpret_cast<std::uintptr_t>(g->low), reinterpret_cast<std::uintptr_t>(g)};
  } else {
    held->stack = stack_of_this_thread();
  }
  me->held = held;
  return held;
}

TENON_INLINE parker* caller() noexcept {
  const worker* w = this_worker();
  return TENON_LIKELY(w != nullptr && w->current != nullptr) ? w->current : this_parker();
}

TENON_INLINE held_locks* held_by(parker* me) noexcept {
  return TENON_LIKELY(me->held != nullptr) ? me->held : first_held_locks(me);
}

/// False if there is none.
TENON_INLINE bool erase_record(const void* lock, bool shared) noexcept {
  held_locks* held = caller()->held;
  holder_record* mine = held != nullptr ? held->find(lock, shared) : nullptr;
  if (mine == nullptr) return false;
  held->erase(mine);
  return true;
}

}  // namespace

void forget_held_locks(parker* p) noexcept {
  delete p->held;
  p->held = nullptr;
}

void lock_holder::acquired(caller_frame from) noexcept {
  held_locks* held = held_by(caller());
  if (held == nullptr) return generation_.store(0, std::memory_order_relaxed);
  const std::uint32_t g = held->new_generation();
  generation_.store(g, std::memory_order_relaxed);
  held->add(this, g, false, from);
}

void lock_holder::released() noexcept {
  generation_.store(0, std::memory_order_relaxed);
  erase_record(this, false);
}

void lock_holder::acquired_shared(caller_frame from) noexcept {
  held_locks* held = held_by(caller());
  if (held == nullptr) return;
  std::uint32_t g = generation_.load(std::memory_order_relaxed);
  if (g == 0) {
    const std::uint32_t fresh = held->new_generation();
    if (generation_.compare_exchange_strong(g, fresh, std::memory_order_relaxed)) g = fresh;
  }
  held->add(this, g, true, from);
}

void lock_holder::released_shared() noexcept {
  if (erase_record(this, true)) return;
  held_locks* held = held_by(caller());
  generation_.store(held != nullptr ? held->new_generation() : 0, std::memory_order_relaxed);
}

// ---- the report -------------------------------------------------------------------------------------------------------

namespace {

struct calls {
  const void* pcs[most_calls];
  unsigned n = 0;
};

/// The places that have been reported: each once, and not for ever more of them.
class reported_places {
 public:
  enum class answer : std::uint8_t { fresh, last, known };

  answer add(std::uint64_t place) noexcept {
    for (std::size_t i = 0; i < most; ++i) {
      std::uint64_t there = places_[i].load(std::memory_order_relaxed);
      if (there == 0 && places_[i].compare_exchange_strong(there, place, std::memory_order_relaxed))
        return i + 1 == most ? answer::last : answer::fresh;
      if (there == place) return answer::known;
    }
    return answer::known;
  }

 private:
  static constexpr std::size_t most = 32;
  std::atomic<std::uint64_t> places_[most]{};
} reported;

std::uint64_t place_of(const calls& c) noexcept {
  std::uint64_t hash = 1;
  for (unsigned i = 0; i < c.n; ++i) hash = (hash ^ reinterpret_cast<std::uintptr_t>(c.pcs[i])) * 0x9e3779b97f4a7c15U;
  return hash | 1;
}

/// Calls f on the stack of a thread: a goroutine's may be too small for the reader of debug information.
template <class F>
void on_a_threads_stack(F f) {
  if (running_goroutine() == nullptr) return f();
  try {
    std::thread(f).join();
  } catch (const std::system_error&) {  // no thread to be had
    f();
  }
}

/// "goroutine 7", with its name if it has one.
std::string name_of_caller() {
  const goroutine_core* g = running_goroutine();
  if (g == nullptr) return "a plain thread";
  std::string text = "goroutine " + std::to_string(g->id.load(std::memory_order_relaxed));
  if (g->name != nullptr) text += std::string(" \"") + g->name + "\"";
  return text;
}

}  // namespace

void lock_holder::will_wait(const char* call, const char* lock) const noexcept {
  const lock_checking how = lock_checks.load(std::memory_order_relaxed);
  held_locks* held = caller()->held;
  if (held == nullptr || (how != lock_checking::report && how != lock_checking::fatal)) return;
  const std::uint32_t g = generation_.load(std::memory_order_relaxed);
  const holder_record* mine = nullptr;
  for (const bool shared : {false, true}) {
    if (const holder_record* r = held->find(this, shared); r != nullptr && r->generation == g) mine = r;
  }
  if (mine == nullptr) return;

  calls again;
  again.n = backtrace(again.pcs, most_calls);
  auto answer = reported_places::answer::fresh;
  if (how == lock_checking::report) answer = reported.add(place_of(again));
  if (answer == reported_places::answer::known) return;

  calls first;
  first.n = calls_of(held->sites[mine - held->records], first.pcs, most_calls);
  std::string text = how == lock_checking::fatal ? "fatal error: " : "tenon: ";
  text += std::string("recursive ") + call + " of a " + lock + " that " + name_of_caller() + " already holds\n\n";
  text += std::string("first locked") + (mine->shared ? ", shared," : "") + " at\n";
  on_a_threads_stack([&] {
    text += describe_calls(first.pcs, first.n);
    text += "and again at\n";
    text += describe_calls(again.pcs, again.n);
  });
  if (how == lock_checking::fatal) die_with_dump(text.c_str());
  text += std::string("\nIt waits until another goroutine unlocks the ") + lock +
          ". If none is meant to: unlock it first, or call a function that expects it locked.\n";
  if (answer == reported_places::answer::last) text += "(Further places are not reported.)\n";
  print_report((text + "\n").c_str());
}

}  // namespace tenon::detail
