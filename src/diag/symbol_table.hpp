#pragma once

// What the files of the program and of the shared libraries it has loaded tell of an address, without a reader of debug
// information: the function, by the symbol tables, which name more than the dynamic linker does, and the line, by the
// line tables.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "platform/os_thread.hpp"

namespace tenon::diag {

struct table_entry {
  std::string linkage_name;    // empty if unknown
  std::string module;          // empty if the address is in no module
  std::uintptr_t address = 0;  // in the module, as its file counts
  std::string file;            // empty if unknown
  int line = 0;
  bool wanted = false;  // `file` is one of those wanted
  bool near = false;    // it is not the address's own line, but one before it
};

/// Where the address comes from an inlined function, the line of the program's that called it stands before it, as a
/// rule: the last line in the same function that is in a `wanted` file is preferred. Allocates; thread-safe.
table_entry look_up(std::uintptr_t address, const std::function<bool(std::string_view file)>& wanted);

/// Held while one is looked up.
os_mutex& symbol_tables_lock();

}  // namespace tenon::diag
