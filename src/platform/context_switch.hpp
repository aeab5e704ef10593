#pragma once

// Switching from one stack to another.
//
// A suspended context is three words, a `machine_context`: where its stack ends, its frame pointer, and where it goes on.
// Everything else is where the compiler put it: the switch is an asm statement that declares every other register clobbered,
// so the compiler saves, in the surrounding function's frame, exactly the registers that are live there. That costs nothing
// when few are, and it keeps the frame's unwind information true: the suspended frame is an ordinary call site.
//
//      high ┌──────────────────────┐
//           │ descriptor, callable │  (sched's)
//           ├──────────────────────┤
//           │ tenon_goroutine_start│  ← outermost frame; its CFI says "no caller", so unwinders stop here
//           │ entry → f → … → park │
//           ├──────────────────────┤  ← sp
//           │ (red zone, unused)   │
//       low └──────────────────────┘
//
// Invariants
//  1. `busy` is nonzero from before a context is resumed until its stack has been left. A thread that wants to resume or free it
//     waits for zero (`await_off_cpu`). The switch clears it only after the stack pointer has moved on, so even a signal
//     handler that comes in between does not touch a stack that another thread may already be running on.
//  2. Rounding mode, x87 control word and shadow stacks are not switched: they belong to the thread.
//  3. Under a sanitizer the announcement and the switch are in one uninstrumented function.
//  4. The switch names every register that the compiler may keep something in, also those of AVX-512, APX and SVE, and the x87 stack.
//     Where a name is known only with the processor's flag (GCC on x86), the flag decides: with link-time optimization tenon and the
//     program are to be compiled with the same -m flags.
//  5. In the middle of a switch a stack cannot be unwound. A signal handler that would do so asks `in_switch` first.
//
// Rejected: ucontext (a system call a switch), Boost.Context's fcontext (saves all callee-saved registers and MXCSR: twice
// the time at a yield), a separate .S function (the call forces the same saves).

#include <cstddef>
#include <cstdint>

#include <tenon/detail/atomic.hpp>

#include "platform/compiler.hpp"

#if defined(TENON_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(TENON_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace tenon {

struct machine_context {
  void* sp = nullptr;  // offsets 0, 8, 16 and 24 are known to the asm below and to walk_from
  void* fp = nullptr;
  void* pc = nullptr;
  // Released when the stack has been left, acquired before it is entered, or read.
  detail::atomic<std::uint32_t> busy{0};
#if defined(TENON_ASAN)
  void* fake_stack = nullptr;
  const void* stack_low = nullptr;
  std::size_t stack_size = 0;
#endif
#if defined(TENON_TSAN)
  void* fiber = nullptr;
#endif
};
static_assert(offsetof(machine_context, fp) == 8 && offsetof(machine_context, pc) == 16 &&
              offsetof(machine_context, busy) == 24);

/// Makes `c` a context that will call entry(&c) at its first resumption, on the stack [low, top). `entry` must not return.
void prepare_context(machine_context& c, void* low, void* top, void (*entry)(machine_context*) noexcept) noexcept;
/// Makes `c` stand for the calling thread's own stack.
void adopt_thread_stack(machine_context& c) noexcept;
#if defined(TENON_ASAN) || defined(TENON_TSAN) || defined(TENON_MODEL)
/// The first thing an entry does.
void context_entered(machine_context& c) noexcept;
/// Before the stack of an ended context is used for another, or freed.
void forget_context(machine_context& c) noexcept;
#else
inline void context_entered(machine_context&) noexcept {}
inline void forget_context(machine_context&) noexcept {}
#endif

/// Calls fn(arg) so that unwinding from within it goes on into the suspended context `c`, without running on, or writing to,
/// c's stack. The context must stay suspended.
void walk_from(const machine_context& c, void (*fn)(void*), void* arg);

// Invariant 4.
#if defined(__AVX512F__) || (defined(__clang__) && defined(__x86_64__))
#define TENON_CLOBBERED_AVX512                                                                                  \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
      "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define TENON_CLOBBERED_AVX512
#endif
#if defined(__APX_F__)
#define TENON_CLOBBERED_APX \
  , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define TENON_CLOBBERED_APX
#endif
#if defined(__MMX__)
#define TENON_CLOBBERED_X87                                                                                        \
  , "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", \
      "mm6", "mm7"
#else
#define TENON_CLOBBERED_X87
#endif
#if defined(__clang__)
#define TENON_CLOBBERED_FFR  // it has no name for SVE's first-fault register
#else
#define TENON_CLOBBERED_FFR , "ffr"
#endif

// Invariant 5: notes where the stack is another one's already and the program counter is not.
#define TENON_SWITCH_RANGE                 \
  ".pushsection tenon_switches, \"a\"\n\t" \
  ".balign 4\n\t"                          \
  ".long 2b - .\n\t.long 1b - 2b\n\t"      \
  ".popsection\n\t"

namespace detail {

TENON_INLINE void raw_switch(machine_context* from, machine_context* to) noexcept {
#if defined(__x86_64__)
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, 0(%%rdi)\n\t"
      "movq %%rbp, 8(%%rdi)\n\t"
      "movq %%rax, 16(%%rdi)\n\t"
      "2:\n\t"
      "movq 0(%%rsi), %%rsp\n\t"
      "movq 8(%%rsi), %%rbp\n\t"
      "movl $0, 24(%%rdi)\n\t"  // invariant 1; x86 does not reorder it before the stores above
      "jmpq *16(%%rsi)\n"
      "1:\n\t" TENON_SWITCH_RANGE
      : "+D"(from), "+S"(to)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
        "memory", "cc" TENON_CLOBBERED_X87 TENON_CLOBBERED_AVX512 TENON_CLOBBERED_APX);
#elif defined(__aarch64__)
  register machine_context* x0 asm("x0") = from;
  register machine_context* x1 asm("x1") = to;
  asm volatile(
      "adr x9, 1f\n\t"
      "mov x10, sp\n\t"
      "stp x10, x29, [x0]\n\t"
      "str x9, [x0, #16]\n\t"
      "2:\n\t"
      "ldp x10, x29, [x1]\n\t"
      "mov sp, x10\n\t"
      "add x11, x0, #24\n\t"
      "stlr wzr, [x11]\n\t"  // invariant 1: released, so that the stores above are seen first
      "ldr x9, [x1, #16]\n\t"
      "br x9\n"
      "1:\n\t" TENON_SWITCH_RANGE "hint #36\n\t"  // bti j: a landing place where branch targets are enforced
      : "+r"(x0), "+r"(x1)
      :
      : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18",
        "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5",
        "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
        "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
        // SVE: z0 to z31 are v0 to v31 and what goes on above them, for the compilers one register.
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", "memory",
        "cc" TENON_CLOBBERED_FFR);
#else
#error "tenon: no context switch for this processor"
#endif
}

}  // namespace detail

#undef TENON_SWITCH_RANGE
#undef TENON_CLOBBERED_AVX512
#undef TENON_CLOBBERED_APX
#undef TENON_CLOBBERED_X87
#undef TENON_CLOBBERED_FFR

#if defined(TENON_MODEL)
/// Around a switch: what its asm statement does to `busy` is told to the model, which sees no other store there.
void leaving(machine_context& c) noexcept;
void left() noexcept;
#endif

/// Suspends the running context into `from` and resumes `to`, which must not be busy with another thread; returns when
/// `from` is resumed. With `ended` it never is: `from` is given up.
TENON_SWITCH_LINKAGE void switch_context(machine_context* from, machine_context* to, bool ended = false) noexcept {
#if defined(TENON_TSAN)
  __tsan_release(&from->busy);
  __tsan_switch_to_fiber(to->fiber, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(TENON_ASAN)
  __sanitizer_start_switch_fiber(ended ? nullptr : &from->fake_stack, to->stack_low, to->stack_size);
#endif
  (void)ended;
#if defined(TENON_MODEL)
  leaving(*from);
#endif
  detail::raw_switch(from, to);
#if defined(TENON_MODEL)
  left();
#endif
#if defined(TENON_ASAN)
  __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
}

/// Whether a signal has interrupted a switch: `signal_context` is its handler's third argument. Async-signal-safe.
bool in_switch(const void* signal_context) noexcept;

/// Waits until the thread that is leaving this context's stack has left it: a few instructions, unless the kernel preempted it.
void await_off_cpu_slow(machine_context& c) noexcept;
TENON_INLINE void await_off_cpu(machine_context& c) noexcept {
  if (TENON_UNLIKELY(c.busy.load(std::memory_order_acquire) != 0)) await_off_cpu_slow(c);
#if defined(TENON_TSAN)
  __tsan_acquire(&c.busy);
#endif
}

}  // namespace tenon
