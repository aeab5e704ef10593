#pragma once

// Names for addresses. With elfutils' libdw.so.1 on the machine (loaded when first needed, never linked): function, file and line from
// the debug information. Without: what the dynamic linker knows.

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::diag {

struct symbol {
  std::string function;  // demangled; empty if unknown
  std::string file;      // empty if unknown
  int line = 0;
  std::string module;
  std::uintptr_t offset = 0;  // into the function, or into the module if the function is unknown
};

/// `pc` is a return address: what is looked up is the call before it. The function that it is in comes last, before it those that have
/// been inlined there, the innermost first. Never empty. Allocates; not async-signal-safe.
std::vector<symbol> symbolize(const void* pc);

}  // namespace tenon::diag
