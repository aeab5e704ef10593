#pragma once

// The descriptor of a goroutine, which lives at the coloured top of the goroutine's own stack:
//
//      slot.top() ┌───────────────┐
//                 │ goroutine_core│   found from the slot alone: the slabs are the registry
//                 ├───────────────┤
//                 │ frame         │   result and callable (detail/goroutine_frame.hpp)
//                 ├───────────────┤
//                 │ first stack frame …
//
// A spawn therefore touches one page and allocates nothing else. A descriptor stays valid as long as its slot does, that is,
// for ever: dumps may look at any of them at any time and ask `state`.

#include <cstdint>
#include <source_location>

#include <tenon/detail/atomic.hpp>
#include <tenon/detail/goroutine_frame.hpp>
#include <tenon/detail/wait_list.hpp>

#include "platform/context_switch.hpp"
#include "platform/stack.hpp"
#include "sched/parker.hpp"

namespace tenon::detail {

enum class goroutine_state : std::uint8_t {
  free,      // in a pool; nothing below the descriptor means anything
  created,   // being set up by `go`
  runnable,  // in a queue
  running,   // on a worker
  waiting,   // parked; `reason` says why
  ended,     // waits to be joined
};

enum class join_state : std::uint8_t { running, awaited, ended };

struct worker;
struct ctx_node;

// Who may touch what. Owner: the goroutine itself while running, its resumer before, its creator before the start.
struct goroutine_core : parker {
  machine_context ctx;

  goroutine_core* next = nullptr;     // the queue's or pool's owner
  void* caught_exceptions = nullptr;  // the two words of __cxa_eh_globals, while not running
  std::uintptr_t uncaught_exceptions = 0;

  void (*entry)(void* frame) noexcept = nullptr;
  void* frame = nullptr;

  detail::atomic<std::uint64_t> id{0};
  detail::atomic<worker*> pinned{nullptr};  // on_this_thread: the worker it must run on
  std::uint32_t pin_depth = 0;
  bool has_handle = false;
  bool has_run = false;                                          // not yet: it is fresh, whichever queue it is in
  detail::atomic<goroutine_state> state{goroutine_state::free};  // a new one's is released last, and acquired by dumps
  detail::atomic<wait_reason> reason{};
  detail::atomic<bool> system{false};  // tenon's own: not a user's, left out of dumps
  detail::atomic<const void*> wait_object{nullptr};
  detail::atomic<std::int64_t> since{0};  // coarse clock, when it began to wait

  // See core/join.cpp, as for the next two. The end releases the result, and who joins acquires it; a waiter releases its place in the list, and the
  // end acquires it. Of a new one it is released after `own`.
  detail::atomic<join_state> join{join_state::running};
  // By spin_acquire and spin_release; who recycles acquires the last release.
  detail::atomic<std::uint32_t> join_lock{0};
  wait_list joiners;

  // The context it runs under (src/lib/context.cpp): `*own` once that has been made, a child of `under`; without `own` it is `under`.
  ctx_node* under = nullptr;                                // null: none
  bool under_counted = false;                               // it holds a reference
  detail::atomic<detail::atomic<ctx_node*>*> own{nullptr};  // in the frame, released with it; acquired by remaining
  const void* owner = nullptr;                              // see spawn_options

  stack_slot slot;
  std::byte* low = nullptr;  // = slot.low()
  const char* name = nullptr;
  std::source_location where;
  started_by by = started_by::library;
};

/// What gives a goroutine like this one more stack: for the report of an overflow.
const char* how_to_get_more_stack(const goroutine_core& g) noexcept;

/// Tells those who wait for it. See core/join.cpp.
void announce_end(goroutine_core* g) noexcept;

/// Where the descriptor of a slot is.
inline goroutine_core* descriptor_of(const stack_slot& slot) noexcept {
  return reinterpret_cast<goroutine_core*>(reinterpret_cast<std::uintptr_t>(slot.top() - sizeof(goroutine_core)) &
                                           ~std::uintptr_t{63});
}

}  // namespace tenon::detail
