#pragma once

// A thread as far as a program can tell: a stack and thread-local variables of its own. But which one runs is decided by a function call, not
// by the kernel: a switch is a few nanoseconds, where handing over to a thread of the system would be microseconds.
//
// The thread-locals are those of a thread of the system that sleeps meanwhile. x86-64 only.

#include <cstdint>

namespace tenon::model {

class fiber {
 public:
  fiber() = default;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// The calling thread itself.
  void adopt_caller() noexcept;
  /// One that begins with `run(arg)`, which must not return.
  void create(void (*run)(void*), void* arg);
  [[nodiscard]] bool exists() const noexcept { return thread_locals_ != 0; }
  /// From this one, which runs, to the other.
  void switch_to(fiber& other) noexcept;

 private:
  void* stack_pointer_ = nullptr;
  std::uintptr_t thread_locals_ = 0;
};

}  // namespace tenon::model
