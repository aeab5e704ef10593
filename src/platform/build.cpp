// What a build of tenon says of itself to the linker and to the process.
//
// 1. It defines the symbol that all code compiled alike refers to (same_build.hpp), so this file is part of whatever includes tenon.
// 2. It leaves a note in the program or shared library that it becomes part of. When one is loaded, notes are counted: a second one is a
//    second copy of tenon with goroutines, thread-locals and a deadlock detector of its own, and that is said at once.

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <string>

#include <tenon/detail/same_build.hpp>

#include "base/fatal.hpp"

extern "C" const char TENON_DETAIL_SAME_BUILD = 0;

asm(".pushsection .note.tenon,\"a\",%note\n"
    ".balign 4\n"
    ".long 6, 0, 1\n"  // the length of the name, of the description, the kind
    ".asciz \"tenon\"\n"
    ".balign 4\n"
    ".popsection\n");

namespace tenon {

namespace {

struct copies {
  const char* first = nullptr;  // the object with the first copy that was found; "" is the program
  const char* own = nullptr;    // the one with this copy
};

bool is_tenons(const dl_phdr_info& object, const ElfW(Phdr) & segment) {
  const auto* at = reinterpret_cast<const char*>(object.dlpi_addr + segment.p_vaddr);
  const char* end = at + segment.p_memsz;
  const std::size_t align = segment.p_align == 8 ? 8 : 4;
  auto aligned = [align](std::size_t n) { return (n + align - 1) & ~(align - 1); };
  while (static_cast<std::size_t>(end - at) > sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    if (note.n_namesz == sizeof "tenon" && std::memcmp(at + sizeof note, "tenon", sizeof "tenon") == 0) return true;
    const std::size_t size = aligned(aligned(sizeof note + note.n_namesz) + note.n_descsz);
    if (size > static_cast<std::size_t>(end - at)) return false;
    at += size;
  }
  return false;
}

int look_at(dl_phdr_info* object, std::size_t, void* found) {
  auto& f = *static_cast<copies*>(found);
  bool has_note = false;
  bool is_own = false;
  for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type == PT_NOTE && is_tenons(*object, segment)) has_note = true;
    const auto here = reinterpret_cast<ElfW(Addr)>(&look_at);
    const ElfW(Addr) start = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && here >= start && here - start < segment.p_memsz) is_own = true;
  }
  if (has_note && !f.first) f.first = object->dlpi_name;
  if (is_own) f.own = object->dlpi_name;
  return 0;
}

std::string words_for(const char* object) { return *object == '\0' ? "the program" : object; }

[[gnu::constructor]] void say_if_there_are_two() {
  copies found;
  ::dl_iterate_phdr(look_at, &found);
  if (!found.first || !found.own || std::strcmp(found.first, found.own) == 0) return;
  print_report(("tenon: there are two copies of tenon in this process, in " + words_for(found.first) + " and in " +
                words_for(found.own) +
                ". To one, the goroutines of the other are plain threads. Link both to the shared library (CMake: "
                "tenon::tenon_shared).\n")
                   .c_str());
}

}  // namespace

}  // namespace tenon
