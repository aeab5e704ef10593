#pragma once

// One thread-local pointer that is read anew each time.
//
// A goroutine that parks may go on on another thread, and compilers keep the address of a thread_local in a register across the call
// in which it did. Here the address is computed inside of an asm statement, at the moment of the read: it can neither be kept nor be
// moved across a switch, which is one, too. So it may be inlined, which a function that hides a thread_local must not be.
//
// Initial-exec: two instructions also in the shared library, for eight bytes of the room that libc reserves for such variables.

#include "platform/compiler.hpp"

extern "C" {
// Not static, so that the asm can name it; hidden, so that the linker may shorten the access in a program.
extern __thread void* tenon_current __attribute__((visibility("hidden"), tls_model("initial-exec")));
}

namespace tenon {

TENON_INLINE void* current() noexcept {
  void* value;
#if defined(__x86_64__)
  asm volatile("movq tenon_current@GOTTPOFF(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=&r"(value));
#elif defined(__aarch64__)
  void* thread;
  asm volatile(
      "mrs %1, tpidr_el0\n\t"
      "adrp %0, :gottprel:tenon_current\n\t"
      "ldr %0, [%0, #:gottprel_lo12:tenon_current]\n\t"
      "ldr %0, [%1, %0]"
      : "=&r"(value), "=&r"(thread));
#else
#error "tenon: no thread-local access for this processor"
#endif
  return value;
}

/// For the calling thread, on its own stack.
inline void set_current(void* value) noexcept { tenon_current = value; }

}  // namespace tenon
