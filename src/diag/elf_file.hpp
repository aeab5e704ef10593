#pragma once

// An executable or a shared library as it stands in its file. Nothing in it is trusted: it may be cut short, be
// replaced, or be no ELF file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tenon::diag {

class elf_file {
 public:
  struct function {
    std::uintptr_t begin = 0;
    std::uintptr_t size = 0;
    const char* linkage_name = nullptr;
  };

  /// Maps it for good: names and sections point into it.
  explicit elf_file(const char* path);

  /// The function that holds `address`, by the full symbol table or, where it has been stripped, the dynamic linker's.
  /// Its name is null if there is none.
  [[nodiscard]] function find(std::uintptr_t address) const;
  /// Empty if there is none, or if it is compressed.
  [[nodiscard]] std::span<const std::byte> section(std::string_view name) const;

 private:
  struct section_header {
    std::uint32_t name;
    std::uint32_t type;
    std::uint32_t link;
    bool compressed;
    std::uint64_t offset;
    std::uint64_t size;
  };

  template <class T>
  const T* at(std::uint64_t offset, std::uint64_t n) const;
  const char* string(const section_header& strings, std::uint64_t offset) const;
  void read_functions(const section_header& table);

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::vector<section_header> sections_;
  std::size_t names_ = 0;            // the section with the sections' names
  std::vector<function> functions_;  // by address; of those at the same one the largest last
};

}  // namespace tenon::diag
