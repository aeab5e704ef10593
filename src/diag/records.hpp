#pragma once

// What a dump knows of each goroutine, in memory that is mapped beforehand: while the world is stopped nothing may be
// allocated, for a frozen thread may hold malloc's lock.

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>

#include "platform/backtrace.hpp"
#include "sched/goroutine.hpp"

namespace tenon::diag {

struct kept_stack {
  std::uint64_t hash = 0;
  const void** pcs = nullptr;
  unsigned depth = 0;
  bool endless = false;
  std::size_t elided = 0;
};

/// What a parked goroutine waits for, beside channels.
enum class waited_for : std::uint8_t { nothing, reading, writing, lock, count };

/// That a goroutine holds a lock, at its `generation` (core/relock_check.cpp).
struct holding {
  const void* lock;
  std::uint32_t generation;
  std::uint64_t goroutine;
  auto operator<=>(const holding&) const = default;
};

struct record {
  std::uint64_t id;
  const char* name;
  std::source_location where;
  detail::goroutine_state state;
  detail::wait_reason reason;
  std::int64_t since;
  bool has_channel;
  std::size_t channel_len;
  std::size_t channel_cap;
  const char* channel_reason;
  waited_for what;
  std::uint64_t number;      // the descriptor; the lock's holder, 0 if it is not known; so many are still to be done
  const void* lock;          // never followed: it may be gone
  std::uint32_t generation;  // of the lock
  bool current;              // it asked for the dump
  bool pinned;
  bool in_call;         // tenon::blocking
  std::uint32_t stack;  // see records::stack
};

class records {
 public:
  /// For up to `room` goroutines. Without memory there are none, and everything else does nothing.
  explicit records(std::size_t room) noexcept;
  records(const records&) = delete;
  records& operator=(const records&) = delete;
  ~records();

  /// A new one with all fields zero; null if there is no room.
  record* add() noexcept;
  /// False if there is no room.
  bool add(const holding& h) noexcept;
  /// The number of this stack; equal stacks share one. 0: none, because it is empty or there is no room.
  std::uint32_t keep(const stack_ends& stack) noexcept;
  /// A copy of `text`, whose owner may be gone when the world goes on; equal texts share one. Null if there is no room.
  const char* keep(const char* text) noexcept;

  std::uint64_t asked_for_by = 0;  // the goroutine that wants the dump; 0: none

  [[nodiscard]] std::span<record> all() const noexcept { return {records_, n_}; }
  [[nodiscard]] std::span<holding> holdings() const noexcept { return {holdings_, holdings_n_}; }
  [[nodiscard]] const kept_stack& stack(std::uint32_t number) const noexcept { return stacks_[number]; }

 private:
  record* records_ = nullptr;
  std::size_t n_ = 0;
  std::size_t room_ = 0;
  holding* holdings_ = nullptr;  // as many as records
  std::size_t holdings_n_ = 0;
  // Stack 0 is the empty one.
  kept_stack* stacks_ = nullptr;
  std::uint32_t stacks_n_ = 1;
  std::uint32_t stacks_room_ = 0;
  const void** pcs_ = nullptr;
  std::size_t pcs_n_ = 0;
  std::uint32_t* table_ =
      nullptr;  // by hash: the number of a stack, or 0; its size is a power of two, at least twice the stacks' room
  std::size_t table_size_ = 0;
  char* texts_ = nullptr;  // one after the other, each with its end
  std::size_t texts_n_ = 0;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tenon::diag
