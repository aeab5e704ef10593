#include "platform/call_site.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unwind.h>

#include <algorithm>

#include "platform/context_switch.hpp"

namespace tenon {

stack_bounds stack_of_this_thread() noexcept {
  pthread_attr_t attr;
  stack_bounds bounds;
  if (::pthread_getattr_np(::pthread_self(), &attr) != 0) return bounds;
  void* low = nullptr;
  std::size_t size = 0;
  if (::pthread_attr_getstack(&attr, &low, &size) == 0) {
    bounds.low = reinterpret_cast<std::uintptr_t>(low);
    bounds.end = bounds.low + size;
  }
  ::pthread_attr_destroy(&attr);
  return bounds;
}

#if defined(__x86_64__)

namespace {

/// Two of them at once. A vector that is only as aligned as they are; compilers do not agree on how a name for such a type is written.
struct __attribute__((packed, aligned(8), may_alias)) words {
  std::uintptr_t pair __attribute__((vector_size(16)));
};
constexpr std::size_t window = call_site::most_words * sizeof(std::uintptr_t);

/// The caller's own locals, which another thread may be writing to, with whatever redzones a sanitizer has put between them. The lowest words
/// have just been written, one by one, and are read likewise: a processor does not forward two stores to one load.
TENON_NO_SANITIZE TENON_INLINE void copy_window(std::uintptr_t* to, std::uintptr_t from) noexcept {
  constexpr std::size_t fresh = 12;
  const auto* source = reinterpret_cast<const volatile std::uintptr_t*>(from);
  auto* target = static_cast<volatile std::uintptr_t*>(to);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < fresh; ++i) target[i] = source[i];
  const auto* pairs = reinterpret_cast<const volatile words*>(source + fresh);
  auto* target_pairs = reinterpret_cast<volatile words*>(target + fresh);
#pragma GCC unroll 32
  for (std::size_t i = 0; i < (call_site::most_words - fresh) / 2; ++i) target_pairs[i].pair = pairs[i].pair;
}

TENON_NO_SANITIZE void copy_words(std::uintptr_t* to, std::uintptr_t from, std::size_t n) noexcept {
  const auto* source = reinterpret_cast<const volatile std::uintptr_t*>(from);
  for (std::size_t i = 0; i < n; ++i) to[i] = source[i];
}

struct walk {
  std::uintptr_t begin;
  std::uintptr_t end;
  const void** pcs;
  unsigned room;
  unsigned n;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* arg) {
  auto& w = *static_cast<walk*>(arg);
  const std::uintptr_t sp = _Unwind_GetCFA(context);
  if (w.n == 0 && sp != w.begin) return _URC_NO_REASON;  // our own frames, on the real stack
  if (sp < w.begin || sp > w.end || w.n == w.room) return _URC_END_OF_STACK;
  const std::uintptr_t pc = _Unwind_GetIP(context);
  if (pc == 0) return _URC_END_OF_STACK;
  w.pcs[w.n++] = reinterpret_cast<const void*>(pc);
  return _URC_NO_REASON;
}

void walk_copy(void* arg) { _Unwind_Backtrace(&step, arg); }

}  // namespace

TENON_NO_SANITIZE void keep_call(call_site& to, caller_frame from, const stack_bounds& stack) noexcept {
  to.pc = from.pc();
  to.fp = reinterpret_cast<std::uintptr_t>(from.fp());
  to.sp = from.sp();
  to.end = stack.end;
  if (to.sp < stack.low || to.sp >= stack.end) {
    to.words = 0;
  } else if (TENON_LIKELY(stack.end - to.sp >= window)) {
    to.words = call_site::most_words;
    copy_window(to.above, to.sp);
  } else {
    to.words = static_cast<std::uint32_t>((stack.end - to.sp) / sizeof(std::uintptr_t));
    copy_words(to.above, to.sp, to.words);
  }
}

unsigned calls_of(const call_site& site, const void** pcs, unsigned room) noexcept {
  if (room == 0) return 0;
  pcs[0] = site.pc;
  if (site.words == 0) return 1;
  // The copy, and in the place of the stack above it zeros: a frame that reaches up there ends the walk. As much of them as there is stack,
  // so that a saved frame pointer that leads up there leads into them.
  constexpr std::size_t most = std::size_t{64} << 20U;
  const std::size_t above = std::min(site.end - site.sp, most);
  const std::size_t size = above + (std::size_t{1} << 20U);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 1;
  auto* copy = static_cast<std::uintptr_t*>(memory);
  const auto moved = [&](std::uintptr_t word) {
    if (word < site.sp || word >= site.end) return word;
    return reinterpret_cast<std::uintptr_t>(copy) + std::min<std::uintptr_t>(word - site.sp, above);
  };
  for (unsigned i = 0; i < site.words; ++i) copy[i] = moved(site.above[i]);
  machine_context c;
  c.sp = copy;
  c.fp = reinterpret_cast<void*>(moved(site.fp));
  c.pc = const_cast<void*>(site.pc);
  walk w{reinterpret_cast<std::uintptr_t>(copy), reinterpret_cast<std::uintptr_t>(copy + site.words), pcs, room, 0};
  walk_from(c, &walk_copy, &w);
  ::munmap(memory, size);
  return std::max(w.n, 1U);
}

#else

// A chain of frame records from the caller's on: each holds the frame pointer before it and the return address.
TENON_NO_SANITIZE void keep_call(call_site& to, caller_frame from, const stack_bounds& stack) noexcept {
  to.pc = from.pc();
  to.fp = reinterpret_cast<std::uintptr_t>(from.fp());
  to.sp = from.sp();
  to.end = stack.end;
  to.words = 0;
  if (to.sp < stack.low) return;
  std::uintptr_t below = to.sp;
  std::uintptr_t fp = to.fp;
  while (to.words < call_site::most_words && fp >= below && fp % sizeof fp == 0 && fp + 2 * sizeof fp <= stack.end) {
    const auto* record = reinterpret_cast<const volatile std::uintptr_t*>(fp);
    below = fp + 2 * sizeof fp;
    to.above[to.words++] = record[1];
    fp = record[0];
  }
}

namespace {
/// Without the signature that a return address may carry.
const void* plain_address(std::uintptr_t signed_address) noexcept {
  register std::uintptr_t lr asm("x30") = signed_address;
  asm("hint #7" : "+r"(lr));  // xpaclri; nothing on processors without signatures
  return reinterpret_cast<const void*>(lr);
}
}  // namespace

unsigned calls_of(const call_site& site, const void** pcs, unsigned room) noexcept {
  unsigned n = 0;
  if (n < room) pcs[n++] = plain_address(reinterpret_cast<std::uintptr_t>(site.pc));
  for (unsigned i = 0; i < site.words && n < room && site.above[i] != 0; ++i) pcs[n++] = plain_address(site.above[i]);
  return n;
}

#endif

}  // namespace tenon
