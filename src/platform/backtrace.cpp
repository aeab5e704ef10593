#include "platform/backtrace.hpp"

#include <setjmp.h>
#include <ucontext.h>
#include <unwind.h>

#include <algorithm>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

namespace tenon {

namespace {

/// The address after the call or the interrupted instruction; null at the end of the stack.
const void* address_of(_Unwind_Context* context, bool* interrupted) {
  int before = 0;
  const auto pc = _Unwind_GetIPInfo(context, &before);
  // `before`: the pc is the instruction that was interrupted, not a return address.
  *interrupted = before != 0;
  return reinterpret_cast<const void*>(pc == 0 ? 0 : pc + (before != 0 ? 1 : 0));
}

struct collection {
  const void** pcs;
  unsigned room;
  unsigned n;
};

_Unwind_Reason_Code collect(_Unwind_Context* context, void* arg) {
  auto& c = *static_cast<collection*>(arg);
  bool interrupted = false;
  const void* pc = address_of(context, &interrupted);
  if (pc == nullptr) return _URC_END_OF_STACK;
  if (interrupted && c.n > 0) --c.n;  // the frame before it is the signal's
  if (c.n == c.room) return _URC_END_OF_STACK;
  c.pcs[c.n++] = pc;
  return _URC_NO_REASON;
}

// The outermost ones go round in the second half, until it is known which are the last.
struct end_collection {
  stack_ends& ends;
  std::size_t n = 0;
  bool waits_for_signal = false;
  const void* waits_for = nullptr;

  [[nodiscard]] unsigned place(std::size_t i) const {
    return static_cast<unsigned>(i < stack_ends::half ? i : stack_ends::half + i % stack_ends::half);
  }
};

_Unwind_Reason_Code collect_ends(_Unwind_Context* context, void* arg) {
  auto& c = *static_cast<end_collection*>(arg);
  bool interrupted = false;
  const void* pc = address_of(context, &interrupted);
  if (pc == nullptr) return _URC_END_OF_STACK;
  if (interrupted && c.n > 0) --c.n;
  if ((interrupted && c.waits_for_signal) || pc == c.waits_for) {
    c.n = 0;
    c.waits_for_signal = false;
    c.waits_for = nullptr;
  }
  if (c.n == stack_ends::deepest) {
    c.ends.endless = true;
    return _URC_END_OF_STACK;
  }
  c.ends.pcs[c.place(c.n++)] = pc;
  return _URC_NO_REASON;
}

/// Where a fault leads, while this thread walks a stack that may be broken.
thread_local jmp_buf* current_walk = nullptr;

detail::atomic<unsigned long> faulted{0};

void collect_into(end_collection& c) noexcept {
  stack_ends& ends = c.ends;
  ends.endless = false;
  jmp_buf* const outer = current_walk;  // of what a signal has interrupted
  jmp_buf fault;
  if (::_setjmp(fault) == 0) {
    current_walk = &fault;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    _Unwind_Backtrace(&collect_ends, &c);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    faulted.fetch_add(1, std::memory_order_relaxed);
  }
  current_walk = outer;
  constexpr std::size_t half = stack_ends::half;
  ends.elided = c.n > 2 * half ? c.n - 2 * half : 0;
  ends.depth = static_cast<unsigned>(std::min(c.n, 2 * half));
  if (ends.endless) {
    ends.depth = half;
    ends.elided = c.n - half;
  } else if (ends.elided != 0) {
    std::rotate(ends.pcs + half, ends.pcs + half + c.n % half, ends.pcs + 2 * half);
  }
}

/// Where a fault of `current_walk` goes on.
[[noreturn]] void give_up() noexcept { ::_longjmp(*current_walk, 1); }

}  // namespace

unsigned backtrace(const void** pcs, unsigned room) noexcept {
  collection c{pcs, room, 0};
  _Unwind_Backtrace(&collect, &c);
  return c.n;
}

void backtrace_interrupted(stack_ends& ends) noexcept {
  end_collection c{.ends = ends, .waits_for_signal = true};
  collect_into(c);
}

void backtrace_from(stack_ends& ends, const void* pc) noexcept {
  end_collection c{.ends = ends, .waits_for = pc};
  collect_into(c);
}

unsigned long walks_that_faulted() noexcept { return faulted.load(std::memory_order_relaxed); }

bool end_walk_that_faulted(void* interrupted) noexcept {
  if (current_walk == nullptr) return false;
  // Not from within the handler: it returns, with its signals' mask, and as ThreadSanitizer wants it.
  auto& registers = static_cast<ucontext_t*>(interrupted)->uc_mcontext;
  const auto to = reinterpret_cast<std::uintptr_t>(&give_up);
#if defined(__x86_64__)
  constexpr std::uintptr_t red_zone = 128;
  const auto sp = static_cast<std::uintptr_t>(registers.gregs[REG_RSP]) - red_zone;
  registers.gregs[REG_RSP] = static_cast<greg_t>((sp & ~std::uintptr_t{15}) - 8);  // as after a call
  registers.gregs[REG_RIP] = static_cast<greg_t>(to);
#elif defined(__aarch64__)
  registers.sp &= ~std::uintptr_t{15};
  registers.pc = to;
#endif
  return true;
}

}  // namespace tenon
