#pragma once

// The calls that the caller stands in: return addresses, innermost first. Async-signal-safe once it has been used (the
// first use loads the unwinder's tables).

#include <cstddef>

namespace tenon {

/// Fills `pcs` from its beginning and returns how many there are. An interrupted instruction is given as the address
/// after it, so that every address is one past the call or the instruction that is meant. A signal's own frame, which
/// only calls the handler, is left out.
unsigned backtrace(const void** pcs, unsigned room) noexcept;

/// Both ends of a stack, for one that may be deep.
struct stack_ends {
  static constexpr unsigned half = 50;  // as in Go
  /// A stack that is deeper is not walked to its end, which would take longer than a tenth of a second or so.
  static constexpr std::size_t deepest = 300'000;

  unsigned depth = 0;      // how many are in `pcs`, from its beginning
  std::size_t elided = 0;  // left out after the first `half`; if not 0, there are as many after them, unless `endless`
  bool endless = false;    // deeper than `deepest`: the outermost ones are not known
  const void* pcs[2 * half];
};

// The two below stop at the frame whose tables send them to memory that is not there: an interrupted epilogue, assembly
// without tables, a stack written over.

/// What the innermost signal handler has interrupted.
void backtrace_interrupted(stack_ends& ends) noexcept;
/// From the frame with that address on; all of them if it is not met.
void backtrace_from(stack_ends& ends, const void* pc) noexcept;

/// In the handler of a fault, before anything else: true if one of the two has met it, and the handler's return will end that walk. `interrupted`
/// is the handler's third argument.
bool end_walk_that_faulted(void* interrupted) noexcept;
/// How many have ended so. None, where nothing but tenon and compiled code with its tables is on the stacks.
unsigned long walks_that_faulted() noexcept;

}  // namespace tenon
