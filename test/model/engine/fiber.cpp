#include "model/engine/fiber.hpp"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#if !defined(__x86_64__)
#error "the model runs on x86-64: fiber.cpp"
#endif

// tenon_model_switch(&save, load, thread_locals, how): the registers that a call preserves on the old stack, then those of the new one.
// `how` is 1 where the processor lets programs set the base of thread-locals themselves.
asm(R"(
    .text
    .globl  tenon_model_switch
    .type   tenon_model_switch, @function
tenon_model_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq  %rsp, (%rdi)
    movq  %rsi, %rsp
    testl %ecx, %ecx
    je    1f
    wrfsbase %rdx
    jmp   2f
1:  movl  $158, %eax
    movl  $0x1002, %edi
    movq  %rdx, %rsi
    syscall
2:  popq  %r15
    popq  %r14
    popq  %r13
    popq  %r12
    popq  %rbx
    popq  %rbp
    ret
    .size tenon_model_switch, .-tenon_model_switch

    .type tenon_model_begin, @function
tenon_model_begin:
    movq  %r12, %rdi
    callq *%r13
    ud2
    .size tenon_model_begin, .-tenon_model_begin
    .globl tenon_model_begin
    .section .note.GNU-stack,"",@progbits
    .text
)");

extern "C" void tenon_model_switch(void** save, void* load, std::uintptr_t thread_locals, int how) noexcept;
extern "C" void tenon_model_begin() noexcept;

namespace tenon::model {

namespace {

constexpr std::size_t stack_size = std::size_t{256} << 10U;
static_assert(SYS_arch_prctl == 158 && ARCH_SET_FS == 0x1002);

const int how = (::getauxval(AT_HWCAP2) & 2U) != 0 ? 1 : 0;

std::uintptr_t own_thread_locals() noexcept {
  std::uintptr_t base = 0;
  ::syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
  return base;
}

void* lend_thread_locals(void* into) {
  static_cast<std::atomic<std::uintptr_t>*>(into)->store(own_thread_locals(), std::memory_order_release);
  for (;;) ::pause();
}

}  // namespace

void fiber::adopt_caller() noexcept { thread_locals_ = own_thread_locals(); }

void fiber::create(void (*run)(void*), void* arg) {
  std::atomic<std::uintptr_t> base{0};
  pthread_t lender;
  if (::pthread_create(&lender, nullptr, lend_thread_locals, &base) != 0) std::abort();
  while (base.load(std::memory_order_acquire) == 0) ::usleep(10);
  thread_locals_ = base.load(std::memory_order_relaxed);

  void* low = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (low == MAP_FAILED || ::mprotect(low, 4096, PROT_NONE) != 0) std::abort();
  auto** top = reinterpret_cast<void**>(static_cast<char*>(low) + stack_size);
  --top;
  *--top = nullptr;  // the end of the stack, aligned as a caller's
  *--top = reinterpret_cast<void*>(&tenon_model_begin);
  *--top = nullptr;                       // rbp
  *--top = nullptr;                       // rbx
  *--top = arg;                           // r12
  *--top = reinterpret_cast<void*>(run);  // r13
  *--top = nullptr;                       // r14
  *--top = nullptr;                       // r15
  stack_pointer_ = top;
}

void fiber::switch_to(fiber& other) noexcept {
  tenon_model_switch(&stack_pointer_, other.stack_pointer_, other.thread_locals_, how);
}

}  // namespace tenon::model
