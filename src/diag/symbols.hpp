#pragma once

// Names for addresses. Where the compiler brought libbacktrace along when the library was built
// (cmake/TenonLibbacktrace.cmake), function, file and line come from the debug information, those of inlined functions
// too. Without: the function from the files' symbol tables, the line from their line tables.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::diag {

/// Whose code it is.
enum class origin : std::uint8_t {
  program,
  standard,  // the standard library
  tenon,     // what users call
  internal,  // tenon's insides, and the standard library's ways to call a function
};

struct symbol {
  std::string function;  // demangled; empty if unknown
  std::string file;      // empty if unknown
  int line = 0;
  bool near = false;  // the line is one close by, in the same function: the instruction's own is an inlined function's
  origin from = origin::program;
  std::string module;          // the executable or shared library; empty if unknown
  std::uintptr_t address = 0;  // in the module, as addr2line and objdump count; else the address itself
};

/// `pc` is a return address: what is looked up is the call before it. The function that it is in comes last, before it
/// those that have been inlined there, the innermost first. Never empty. Allocates; not async-signal-safe. Thread-safe.
std::vector<symbol> symbolize(const void* pc);

/// Whose a function with this linkage name is, if that can be told from it: not for names without a namespace and those
/// of one file only. `known` says whether.
origin origin_of(std::string_view linkage_name, bool& known);

}  // namespace tenon::diag
