#include <tenon/last_error.hpp>

#include <errno.h>

#include <tenon/errno.hpp>  // its name for errno is not used here

#include "platform/compiler.hpp"

// Both ask the C library, once, in a function that does not wait. The empty asm keeps compilers that see these bodies when they optimise
// across files from concluding that a call has no effect and always the same result.

namespace tenon {

TENON_NOINLINE TENON_NO_SANITIZE int* errno_location() noexcept {
  asm volatile("" ::: "memory");
  return ::__errno_location();
}

TENON_NOINLINE TENON_NO_SANITIZE int last_error() noexcept {
  asm volatile("" ::: "memory");
  return *::__errno_location();
}

}  // namespace tenon
