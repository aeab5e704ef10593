#pragma once

// Stacks as text: which frames are shown, and how.
//
// A reader wants his own code on top. What stands above its innermost frame, tenon's and the standard library's, says
// no more than the wait reason does, and what stands below its outermost one is how tenon started it. In between,
// tenon's insides are left out.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "diag/symbols.hpp"

namespace tenon::diag {

/// A stack as platform/backtrace.hpp gives it, innermost frame first.
struct stack_view {
  const void* const* pcs = nullptr;
  unsigned depth = 0;
  std::size_t elided = 0;  // after the first `before_gap`
  unsigned before_gap = 0;
  bool endless = false;  // nothing is known of what comes after the gap
};

enum class top : std::uint8_t {
  program,  // starts with the program's own innermost frame
  library,  // may start with the standard library's: it computes there
  caller,   // as `program`; all frames if the program has none, so that there is something
};

/// "file:line"; else what is known of the symbol.
std::string short_place(const symbol& s);

/// Remembers what it has looked up: a dump meets the same addresses again and again.
class stack_text {
 public:
  /// The lines of the stack. Without those of the program itself: what is known.
  std::string of(const stack_view& stack, top starts);

 private:
  const std::vector<symbol>& look_up(const void* pc);

  std::unordered_map<const void*, std::vector<symbol>> known_;
};

}  // namespace tenon::diag
