#pragma once

// The line tables (DWARF 2 to 5, .debug_line) of one file: which source line an instruction comes from. They know
// nothing of functions: at a place where one is inlined they have the inlined one's line only.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/elf_file.hpp"

namespace tenon::diag {

class line_table {
 public:
  struct place {
    std::string file;  // empty if unknown
    int line = 0;
  };

  explicit line_table(const elf_file& file);

  /// The line of the last instruction from `begin` to `address`, both included, whose file is `wanted`.
  [[nodiscard]] place find(std::uintptr_t begin, std::uintptr_t address,
                           const std::function<bool(std::string_view file)>& wanted) const;

 private:
  struct sequence {  // a piece of code without a hole, as a rule a section of an object file
    std::uintptr_t low;
    std::uintptr_t high;
    std::size_t unit;  // where in .debug_line its table begins
  };

  std::span<const std::byte> lines_;
  std::span<const std::byte> line_strings_;
  std::span<const std::byte> strings_;
  std::vector<sequence> sequences_;  // by address
};

}  // namespace tenon::diag
