#include "model/engine/statics.hpp"

#include <link.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tenon::model {

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t most_pages = 8192;

struct range {
  std::uintptr_t begin;
  std::uintptr_t end;
};

struct kept_page {
  std::uintptr_t address;
  unsigned char bytes[page];
};

/// Not among what it keeps.
struct keeper {
  range ranges[8];
  unsigned used = 0;
  std::size_t pages = 0;
  kept_page kept[most_pages];
};

keeper* const all = [] {
  void* p = ::mmap(nullptr, sizeof(keeper), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  return static_cast<keeper*>(p);
}();

void protect(std::uintptr_t begin, std::uintptr_t end) noexcept {
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (begin >= end) return;
  all->ranges[all->used++] = {begin, end};
  if (::mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ) != 0) std::abort();
}

}  // namespace

void keep_statics(void* also, std::size_t size) noexcept {
  range writable[8];
  struct found {
    range* at;
    range read_only{0, 0};
    unsigned n = 0;
  } program{writable};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        auto& f = *static_cast<found*>(out);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& h = info->dlpi_phdr[i];
          const range r{info->dlpi_addr + h.p_vaddr, info->dlpi_addr + h.p_vaddr + h.p_memsz};
          if (h.p_type == PT_LOAD && (h.p_flags & PF_W) != 0 && f.n < 8) f.at[f.n++] = r;
          if (h.p_type == PT_GNU_RELRO) f.read_only = r;  // from the start of a writable one
        }
        return 1;  // the program alone
      },
      &program);
  for (unsigned i = 0; i < program.n; ++i) {
    range r = writable[i];
    if (program.read_only.begin >= r.begin && program.read_only.end <= r.end) r.begin = program.read_only.end;
    // The last page of all is the program's alone as well: what follows is unmapped, or its heap.
    protect(r.begin, (r.end + page - 1) / page * page);
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(also);
  protect(begin, begin + size);
}

void put_back_statics() noexcept {
  for (std::size_t i = 0; i < all->pages; ++i) {
    const kept_page& k = all->kept[i];
    std::memcpy(reinterpret_cast<void*>(k.address), k.bytes, page);
  }
}

bool is_first_write(void* address) noexcept {
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(address) / page * page;
  for (unsigned i = 0; i < all->used; ++i) {
    if (at < all->ranges[i].begin || at >= all->ranges[i].end) continue;
    for (std::size_t k = 0; k < all->pages; ++k) {
      if (all->kept[k].address == at) return false;  // it may be written: this is another fault
    }
    if (all->pages == most_pages) return false;
    kept_page& k = all->kept[all->pages];
    k.address = at;
    std::memcpy(k.bytes, reinterpret_cast<void*>(at), page);
    ++all->pages;
    return ::mprotect(reinterpret_cast<void*>(at), page, PROT_READ | PROT_WRITE) == 0;
  }
  return false;
}

}  // namespace tenon::model
