#include "platform/context_switch.hpp"

#include <pthread.h>
#include <sched.h>
#include <ucontext.h>

#if defined(TENON_ASAN)
#include <sanitizer/asan_interface.h>
#endif

extern "C" void tenon_goroutine_start();
extern "C" void tenon_walk_from(const tenon::machine_context* c, void (*fn)(void*), void* arg);

// The two functions below exist for their unwind information.
//
// tenon_goroutine_start is the outermost frame of every goroutine. It is reached by a jump from raw_switch, with `to` still
// in the second argument register and the entry function in the frame pointer. Its return address is declared undefined:
// that is how gdb, libgcc and perf know that this is the end, not corruption. A zero frame pointer tells the same to those
// who follow frame pointers.
//
// tenon_walk_from calls fn(arg) in a frame whose "caller" is the suspended context *c: the canonical frame address is the
// saved stack pointer, and the return address and frame pointer are found in the machine_context. The expressions, byte by
// byte (x86-64, with c in rbx, DWARF register 3):
//   0f 03 | 73 00 06     DW_CFA_def_cfa_expression, 3 bytes: breg3+0, deref           CFA = c->sp
//   10 10 02 | 73 10     DW_CFA_expression, reg 16 (return address), 2 bytes: breg3+16  saved at &c->pc
//   10 06 02 | 73 08     DW_CFA_expression, reg 6 (rbp), 2 bytes: breg3+8               saved at &c->fp
// rbx and the other callee-saved registers need no rule: they are garbage to the suspended frame, whose own CFI restores them.
// On aarch64 c is in x19 (DWARF 19, breg19 = 0x83), the return address is x30 and the frame pointer x29.
#if defined(__x86_64__)
asm(R"(
  .text
  .p2align 4
  .globl tenon_goroutine_start
  .hidden tenon_goroutine_start
  .type tenon_goroutine_start, @function
tenon_goroutine_start:
  .cfi_startproc
  .cfi_undefined rip
  .cfi_def_cfa rsp, 8
  movq %rsi, %rdi
  movq %rbp, %rax
  xorl %ebp, %ebp
  callq *%rax
  ud2
  .cfi_endproc
  .size tenon_goroutine_start, .-tenon_goroutine_start

  .p2align 4
  .globl tenon_walk_from
  .hidden tenon_walk_from
  .type tenon_walk_from, @function
tenon_walk_from:
  .cfi_startproc
  pushq %rbx
  movq %rdi, %rbx
  .cfi_escape 0x0f, 0x03, 0x73, 0x00, 0x06
  .cfi_escape 0x10, 0x10, 0x02, 0x73, 0x10
  .cfi_escape 0x10, 0x06, 0x02, 0x73, 0x08
  movq %rdx, %rdi
  callq *%rsi
  popq %rbx
  ret
  .cfi_endproc
  .size tenon_walk_from, .-tenon_walk_from
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .p2align 4
  .globl tenon_goroutine_start
  .hidden tenon_goroutine_start
  .type tenon_goroutine_start, @function
tenon_goroutine_start:
  .cfi_startproc
  .cfi_undefined x30
  .cfi_def_cfa sp, 0
  hint #36
  mov x0, x1
  mov x9, x29
  mov x29, xzr
  mov x30, xzr
  blr x9
  brk #1
  .cfi_endproc
  .size tenon_goroutine_start, .-tenon_goroutine_start

  .p2align 4
  .globl tenon_walk_from
  .hidden tenon_walk_from
  .type tenon_walk_from, @function
tenon_walk_from:
  .cfi_startproc
  stp x19, x30, [sp, #-16]!
  mov x19, x0
  .cfi_escape 0x0f, 0x03, 0x83, 0x00, 0x06
  .cfi_escape 0x10, 0x1e, 0x02, 0x83, 0x10
  .cfi_escape 0x10, 0x1d, 0x02, 0x83, 0x08
  mov x0, x2
  blr x1
  ldp x19, x30, [sp], #16
  ret
  .cfi_endproc
  .size tenon_walk_from, .-tenon_walk_from
)");
#endif

namespace tenon {

void prepare_context(machine_context& c, void* low, void* top, void (*entry)(machine_context*) noexcept) noexcept {
  const auto aligned = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
  c.sp = reinterpret_cast<void*>(aligned);
  c.fp = reinterpret_cast<void*>(entry);
  c.pc = reinterpret_cast<void*>(&tenon_goroutine_start);
  c.busy.store(0, std::memory_order_relaxed);
  (void)low;
#if defined(TENON_ASAN)
  c.fake_stack = nullptr;
  c.stack_low = low;
  c.stack_size = aligned - reinterpret_cast<std::uintptr_t>(low);
  __asan_unpoison_memory_region(low, c.stack_size);  // frames of the goroutine that lived here before
#endif
#if defined(TENON_TSAN)
  c.fiber = __tsan_create_fiber(0);
#endif
}

void adopt_thread_stack(machine_context& c) noexcept {
#if defined(TENON_ASAN)
  pthread_attr_t attr;
  void* low = nullptr;
  std::size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    pthread_attr_getstack(&attr, &low, &size);
    pthread_attr_destroy(&attr);
  }
  c.stack_low = low;
  c.stack_size = size;
#endif
#if defined(TENON_TSAN)
  c.fiber = __tsan_get_current_fiber();
#endif
  (void)c;
}

#if defined(TENON_MODEL)
namespace {
thread_local machine_context* being_left = nullptr;
}
TENON_NOINLINE void leaving(machine_context& c) noexcept { being_left = &c; }
TENON_NOINLINE void left() noexcept { being_left->busy.store(0, std::memory_order_release); }
#endif

#if defined(TENON_ASAN) || defined(TENON_TSAN) || defined(TENON_MODEL)

TENON_NO_SANITIZE void context_entered(machine_context& c) noexcept {
#if defined(TENON_MODEL)
  left();
#endif
#if defined(TENON_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  (void)c;
}

void forget_context(machine_context& c) noexcept {
#if defined(TENON_TSAN)
  if (c.fiber != nullptr) __tsan_destroy_fiber(c.fiber);
  c.fiber = nullptr;
#endif
  (void)c;
}

#endif

void walk_from(const machine_context& c, void (*fn)(void*), void* arg) { tenon_walk_from(&c, fn, arg); }

namespace {

/// What raw_switch leaves in the section `tenon_switches`, once for each place that it has been inlined into.
struct switch_range {
  std::int32_t begin;  // from here
  std::uint32_t length;
};
extern "C" const switch_range __start_tenon_switches[]
    __attribute__((visibility("hidden"), weak));  // NOLINT: the linker's
extern "C" const switch_range __stop_tenon_switches[] __attribute__((visibility("hidden"), weak));  // names

bool in_switch(std::uintptr_t pc) noexcept {
  for (const switch_range* r = __start_tenon_switches; r != __stop_tenon_switches; ++r) {
    const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(&r->begin) + static_cast<std::intptr_t>(r->begin);
    if (pc > begin && pc < begin + r->length) return true;
  }
  return false;
}

}  // namespace

bool in_switch(const void* signal_context) noexcept {
  const auto& registers = static_cast<const ucontext_t*>(signal_context)->uc_mcontext;
#if defined(__x86_64__)
  return in_switch(static_cast<std::uintptr_t>(registers.gregs[REG_RIP]));
#elif defined(__aarch64__)
  return in_switch(registers.pc);
#endif
}

void await_off_cpu_slow(machine_context& c) noexcept {
  for (int rounds = 0; c.busy.load(std::memory_order_acquire) != 0; ++rounds) {
    if (rounds < 64) {
      cpu_relax();
    } else {
      let_others_run();
    }
  }
}

}  // namespace tenon
