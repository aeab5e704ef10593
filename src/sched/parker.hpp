#pragma once

// What can block: a goroutine, an OS thread, or (a later kind) a coroutine. A primitive never asks which.
//
// Protocol, the same for every primitive:
//   1. p = begin_wait(reason, object);      the caller itself
//   2. publish a waiter that names p, under the primitive's lock; release the lock;
//   3. commit_wait(p)                       returns after exactly one
//   4. unpark(p), by the thread that took the waiter out of the list (or claimed it, see core/waiter.hpp).
// The unpark may come at any moment after 2, also before 3. Exactly one unpark per wait is the primitive's promise.

#include <cstddef>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/compiler.hpp"

namespace tenon::detail {

enum class wait_reason : std::uint8_t {
  none,
  chan_receive,
  chan_send,
  chan_receive_nil,
  chan_send_nil,
  select,
  select_no_cases,
  sleep,
  mutex_lock,
  shared_mutex_lock,
  shared_mutex_lock_shared,
  semaphore_acquire,
  cond_wait,
  wait_group_wait,
  join,
  after_func_wait,
  io_wait,
  thread_permit,
};

inline constexpr std::size_t wait_reasons = static_cast<std::size_t>(wait_reason::thread_permit) + 1;
TENON_HIDDEN extern const char* const wait_reason_texts[wait_reasons];

/// As dumps print it; Go's text where Go has one.
const char* to_text(wait_reason reason) noexcept;

struct held_locks;

struct parker {
  enum class kind : std::uint8_t { goroutine, thread, callback };
  const kind what;
  held_locks* held = nullptr;  // null unless it has taken a checked lock; see core/relock_check.cpp
  explicit constexpr parker(kind k = kind::goroutine) noexcept : what(k) {}
};

/// An OS thread that is no worker, or a worker outside of any goroutine (which must not wait).
struct thread_parker : parker {
  bool may_wait = true;
  detail::atomic<std::uint32_t> word{0};  // a futex: unpark releases, the thread acquires
  thread_parker() noexcept : parker(kind::thread) {}
  ~thread_parker();
};

/// Runs a function instead of waking a goroutine or thread. `call` runs outside of every lock and must not block.
struct callback_parker : parker {
  void (*call)(callback_parker*) noexcept;
  explicit constexpr callback_parker(void (*c)(callback_parker*) noexcept) noexcept : parker(kind::callback), call(c) {}
};

parker* this_parker() noexcept;
/// At the end of a goroutine or thread. See core/held_locks.hpp.
void forget_held_locks(parker* p) noexcept;
/// Around a goroutine's wait, where `held` is not null: before others can wake it, and after that but before it leaves its thread, with no
/// lock held. See core/held_over_wait.cpp.
void before_wait(parker* p) noexcept;
void in_wait(parker* p, const char* reason) noexcept;
parker* begin_wait(wait_reason reason, const void* object = nullptr) noexcept;
void commit_wait(parker* p) noexcept;
/// Takes begin_wait back, when it turned out that there is nothing to wait for.
void end_wait(parker* p) noexcept;
void unpark(parker* p) noexcept;

/// From now on it is fatal if the calling thread, which others rely on, waits.
void nobody_may_wait_here() noexcept;

/// So many operations have been done, beside those that can be told from the switches between goroutines (see sched/active_limit.hpp).
void made_progress(std::uint32_t operations) noexcept;

/// For what can never be woken: a nil channel, a select without cases.
[[noreturn]] void wait_for_ever(wait_reason reason) noexcept;

/// A choice in [0, n), from the worker's generator or the installed chooser.
std::uint32_t choose(std::uint32_t n) noexcept;

}  // namespace tenon::detail
