#pragma once

// The symbol tables of the program and of the shared libraries it has loaded, read from their files: they name
// functions that the dynamic linker does not know, such as all those of an executable.

#include <cstdint>
#include <string>

namespace tenon::diag {

struct table_entry {
  std::string linkage_name;    // empty if unknown
  std::string module;          // empty if the address is in no module
  std::uintptr_t address = 0;  // in the module, as its file counts
};

/// Allocates; thread-safe.
table_entry look_up(std::uintptr_t address);

}  // namespace tenon::diag
