#include "diag/symbol_table.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

namespace tenon::diag {

namespace {

struct function {
  std::uintptr_t begin;
  std::uintptr_t size;
  const char* name;  // in the mapped file
};

/// A file, mapped for good: names point into it. Everything in it is checked against its size; it may be cut short or
/// be no ELF file.
class elf_file {
 public:
  explicit elf_file(const char* path) {
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
    // The full table if it has not been stripped; it holds the dynamic linker's, too.
    for (const auto type : {SHT_SYMTAB, SHT_DYNSYM}) {
      for (unsigned i = 0; i < header->e_shnum && functions_.empty(); ++i) {
        if (sections[i].sh_type == static_cast<ElfW(Word)>(type) && sections[i].sh_link < header->e_shnum)
          read(sections[i], sections[sections[i].sh_link]);
      }
    }
    std::sort(functions_.begin(), functions_.end(), [](const function& a, const function& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.size < b.size;
    });
  }

  [[nodiscard]] const char* find(std::uintptr_t address) const {
    auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                  [](std::uintptr_t a, const function& f) { return a < f.begin; });
    if (after == functions_.begin()) return nullptr;
    const function& f = *--after;
    // One written in assembly may have no size.
    return f.size == 0 || address - f.begin < f.size ? f.name : nullptr;
  }

 private:
  template <class T>
  const T* at(std::uint64_t offset, std::uint64_t n) const {
    if (offset > size_ || offset % alignof(T) != 0 || n > (size_ - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(data_ + offset);
  }

  void read(const ElfW(Shdr) & table, const ElfW(Shdr) & strings) {
    const std::size_t n = table.sh_size / sizeof(ElfW(Sym));
    const auto* symbols = at<ElfW(Sym)>(table.sh_offset, n);
    const auto* names = at<char>(strings.sh_offset, strings.sh_size);
    if (symbols == nullptr || names == nullptr || strings.sh_size == 0 || names[strings.sh_size - 1] != '\0') return;
    for (std::size_t i = 0; i < n; ++i) {
      const auto type = symbols[i].st_info & 0xFU;
      if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbols[i].st_shndx != SHN_UNDEF &&
          symbols[i].st_name < strings.sh_size)
        functions_.push_back({symbols[i].st_value, symbols[i].st_size, names + symbols[i].st_name});
    }
  }

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::vector<function> functions_;
};

struct module_at {
  std::uintptr_t address = 0;  // the one that is looked for
  bool found = false;
  std::uintptr_t moved_by = 0;
  std::string path;  // empty: the executable
};

int look_at(dl_phdr_info* info, std::size_t, void* arg) {
  auto& m = *static_cast<module_at*>(arg);
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || m.address - (info->dlpi_addr + part.p_vaddr) >= part.p_memsz) continue;
    m.found = true;
    m.moved_by = info->dlpi_addr;
    if (info->dlpi_name != nullptr) m.path = info->dlpi_name;
    return 1;
  }
  return 0;
}

std::string path_of_executable() {
  char target[4096];
  const ssize_t n = ::readlink("/proc/self/exe", target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

struct tables {
  std::mutex mu;
  std::map<std::string, elf_file> of;
};

}  // namespace

table_entry look_up(std::uintptr_t address) {
  table_entry found;
  found.address = address;
  module_at m;
  m.address = address;
  ::dl_iterate_phdr(&look_at, &m);
  if (!m.found) return found;
  found.address = address - m.moved_by;
  found.module = m.path.empty() ? path_of_executable() : m.path;
  static auto* const known = new tables;
  {
    const std::lock_guard hold(known->mu);
    // The file that the executable was started from, whatever is at its path now.
    const std::string path = m.path.empty() ? "/proc/self/exe" : m.path;
    const elf_file& file = known->of.try_emplace(path, path.c_str()).first->second;
    if (const char* name = file.find(found.address)) found.linkage_name = name;
  }
  // The dynamic linker knows what has no file, such as the kernel's own functions.
  Dl_info info{};
  if (found.linkage_name.empty() && ::dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr)
    found.linkage_name = info.dli_sname;
  return found;
}

}  // namespace tenon::diag
