#include "diag/symbol_table.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "diag/elf_file.hpp"
#include "diag/line_table.hpp"
#include "platform/fork.hpp"

namespace tenon::diag {

namespace {

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

struct module_tables {
  elf_file file;
  std::optional<line_table> lines;  // when they are first asked for

  explicit module_tables(const char* path) : file(path) {}
};

struct tables {
  os_mutex mu;
  std::map<std::string, module_tables> of;
};

tables& known() {
  static auto* const all = new tables;
  return *all;
}
const at_load made([] { (void)known(); });

}  // namespace

os_mutex& symbol_tables_lock() { return known().mu; }

table_entry look_up(std::uintptr_t address, const std::function<bool(std::string_view file)>& wanted) {
  table_entry found;
  found.address = address;
  module_at m;
  m.address = address;
  ::dl_iterate_phdr(&look_at, &m);
  if (!m.found) return found;
  found.address = address - m.moved_by;
  found.module = m.path.empty() ? path_of_executable() : m.path;
  {
    const std::lock_guard hold(known().mu);
    // The file that the executable was started from, whatever is at its path now.
    const std::string path = m.path.empty() ? "/proc/self/exe" : m.path;
    module_tables& module = known().of.try_emplace(path, path.c_str()).first->second;
    const elf_file::function f = module.file.find(found.address);
    if (f.linkage_name != nullptr) found.linkage_name = f.linkage_name;
    if (!module.lines) module.lines.emplace(module.file);
    line_table::place place = module.lines->find(found.address, found.address, [](std::string_view) { return true; });
    found.wanted = !place.file.empty() && wanted(place.file);
    if (!found.wanted && !place.file.empty() && f.linkage_name != nullptr) {
      if (line_table::place before = module.lines->find(f.begin, found.address, wanted); !before.file.empty()) {
        place = std::move(before);
        found.wanted = true;
        found.near = true;
      }
    }
    found.file = std::move(place.file);
    found.line = place.line;
  }
  // The dynamic linker knows what has no file, such as the kernel's own functions.
  Dl_info info{};
  if (found.linkage_name.empty() && ::dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr)
    found.linkage_name = info.dli_sname;
  return found;
}

}  // namespace tenon::diag
