#include "diag/elf_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tenon::diag {

template <class T>
const T* elf_file::at(std::uint64_t offset, std::uint64_t n) const {
  if (offset > size_ || offset % alignof(T) != 0 || n > (size_ - offset) / sizeof(T)) return nullptr;
  return reinterpret_cast<const T*>(data_ + offset);
}

elf_file::elf_file(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat s{};
  if (::fstat(fd, &s) == 0 && s.st_size > 0) {
    void* p = ::mmap(nullptr, static_cast<std::size_t>(s.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (p != MAP_FAILED) {
      data_ = static_cast<const std::byte*>(p);
      size_ = static_cast<std::size_t>(s.st_size);
    }
  }
  ::close(fd);
  const auto* header = at<ElfW(Ehdr)>(0, 1);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  const auto* sections = at<ElfW(Shdr)>(header->e_shoff, header->e_shnum);
  if (sections == nullptr) return;
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const auto& h = sections[i];
    sections_.push_back({h.sh_name, h.sh_type, h.sh_link, (h.sh_flags & SHF_COMPRESSED) != 0, h.sh_offset, h.sh_size});
  }
  names_ = header->e_shstrndx;
  for (const std::uint32_t type : {SHT_SYMTAB, SHT_DYNSYM}) {  // the first holds what is in the second, too
    for (std::size_t i = 0; i < sections_.size() && functions_.empty(); ++i) {
      if (sections_[i].type == type) read_functions(sections_[i]);
    }
  }
  std::sort(functions_.begin(), functions_.end(), [](const function& a, const function& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.size < b.size;
  });
}

void elf_file::read_functions(const section_header& table) {
  const std::size_t n = table.size / sizeof(ElfW(Sym));
  const auto* symbols = at<ElfW(Sym)>(table.offset, n);
  if (symbols == nullptr || table.link >= sections_.size()) return;
  for (std::size_t i = 0; i < n; ++i) {
    const unsigned type = symbols[i].st_info & 0xFU;
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbols[i].st_shndx == SHN_UNDEF) continue;
    if (const char* name = string(sections_[table.link], symbols[i].st_name))
      functions_.push_back({symbols[i].st_value, symbols[i].st_size, name});
  }
}

const char* elf_file::string(const section_header& strings, std::uint64_t offset) const {
  const auto* all = at<char>(strings.offset, strings.size);
  // With a zero at its very end every string in it ends.
  if (all == nullptr || offset >= strings.size || all[strings.size - 1] != '\0') return nullptr;
  return all + offset;
}

elf_file::function elf_file::find(std::uintptr_t address) const {
  auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                [](std::uintptr_t a, const function& f) { return a < f.begin; });
  if (after == functions_.begin()) return {};
  const function& f = *--after;
  // One written in assembly may have no size.
  return f.size == 0 || address - f.begin < f.size ? f : function();
}

std::span<const std::byte> elf_file::section(std::string_view name) const {
  for (const section_header& s : sections_) {
    const char* its = names_ < sections_.size() ? string(sections_[names_], s.name) : nullptr;
    if (its == nullptr || its != name || s.compressed || s.type == SHT_NOBITS) continue;
    const auto* bytes = at<std::byte>(s.offset, s.size);
    return bytes != nullptr ? std::span(bytes, s.size) : std::span<const std::byte>();
  }
  return {};
}

}  // namespace tenon::diag
