#pragma once

// What a goroutine, or thread, knows of the locks that it holds, while locks are checked.

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include <tenon/detail/atomic.hpp>

#include "platform/call_site.hpp"
#include "platform/compiler.hpp"
#include "sched/parker.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

enum class held_as : std::uint8_t { exclusive, shared, pthread_mutex, pthread_rwlock };

inline bool is_pthread(held_as how) noexcept { return how >= held_as::pthread_mutex; }

struct holder_record {
  const void* lock = nullptr;
  std::uint32_t generation = 0;  // see relock_check.cpp; 0 for pthread's
  held_as how = held_as::exclusive;
};

/// Its own owner's, the running goroutine or thread, alone.
struct held_locks {
  static constexpr std::uint32_t most_records = 32;
  static constexpr std::uint32_t generations_at_a_time = 64;

  stack_bounds stack;
  std::uint32_t next_generation = 0;
  std::uint32_t last_generation = 0;
  std::uint32_t n = 0;
  std::uint32_t room = 0;
  std::uint32_t oldest = 0;          // which to forget when there is no room
  std::uint32_t pthread_locks = 0;   // so many of the records
  holder_record* records = nullptr;  // `room` of them
  call_site* sites = nullptr;        // of the records, in the same order
  bool keeps_thread = false;         // see held_over_wait.cpp, as for the next
  bool report_due = false;

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

  TENON_INLINE holder_record* find(const void* lock, held_as how) noexcept {
    for (std::uint32_t i = n; i-- > 0;) {
      if (records[i].lock == lock && records[i].how == how) return &records[i];
    }
    return nullptr;
  }

  TENON_INLINE void erase(holder_record* which) noexcept {
    if (is_pthread(which->how)) --pthread_locks;
    --n;
    const auto at = static_cast<std::uint32_t>(which - records);
    if (at == n) return;
    records[at] = records[n];
    sites[at] = sites[n];
  }

  TENON_INLINE void add(const holder_record& fresh, caller_frame from) noexcept {
    std::uint32_t at = n;
    if (TENON_LIKELY(n < room) || grow()) {
      ++n;
    } else if (room == 0) {
      return;
    } else {
      at = oldest++ % room;
      if (is_pthread(records[at].how)) --pthread_locks;
    }
    if (is_pthread(fresh.how)) ++pthread_locks;
    records[at] = fresh;
    keep_call(sites[at], from, stack);
  }

  TENON_NOINLINE bool grow() noexcept;

 private:
  TENON_HIDDEN static detail::atomic<std::uint32_t> generations;
};

/// Without any yet.
held_locks* first_held_locks(parker* me) noexcept;

/// The caller's; null: no memory.
TENON_INLINE held_locks* held_by(parker* me) noexcept {
  return TENON_LIKELY(me->held != nullptr) ? me->held : first_held_locks(me);
}

}  // namespace tenon::detail
