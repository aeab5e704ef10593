#include "diag/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#if defined(TENON_HAVE_LIBDW_HEADERS)
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#endif

namespace tenon::diag {

namespace {

std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 && text != nullptr ? text.get() : name;
}

#if defined(TENON_HAVE_LIBDW_HEADERS)

class debug_info {
 public:
  debug_info() {
    // No look-ups over the network from within a dying process.
    ::setenv("DEBUGINFOD_URLS", "", 1);
    void* lib = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (lib == nullptr) return;
    const bool found = get(lib, "dwfl_begin", begin_) && get(lib, "dwfl_linux_proc_report", report_) &&
                       get(lib, "dwfl_report_end", report_end_) && get(lib, "dwfl_addrmodule", module_) &&
                       get(lib, "dwfl_module_addrname", name_) && get(lib, "dwfl_getsrc", source_) &&
                       get(lib, "dwfl_lineinfo", line_) && get(lib, "dwfl_module_addrdie", unit_) &&
                       get(lib, "dwarf_getsrcfiles", files_) && get(lib, "dwarf_filesrc", file_) &&
                       get(lib, "dwarf_getscopes", scopes_) && get(lib, "dwarf_getscopes_die", scopes_of_) &&
                       get(lib, "dwarf_tag", tag_) && get(lib, "dwarf_attr_integrate", attribute_) &&
                       get(lib, "dwarf_attr", direct_attribute_) && get(lib, "dwarf_formref_die", reference_) &&
                       get(lib, "dwarf_formstring", string_) && get(lib, "dwarf_formudata", number_) &&
                       get(lib, "dwfl_linux_proc_find_elf", callbacks_.find_elf) &&
                       get(lib, "dwfl_standard_find_debuginfo", callbacks_.find_debuginfo);
    if (!found) return;
    Dwfl* d = begin_(&callbacks_);
    if (d == nullptr || report_(d, ::getpid()) != 0) return;
    report_end_(d, nullptr, nullptr);
    dwfl_ = d;
  }

  bool find(std::uintptr_t address, std::vector<symbol>& out) {
    if (dwfl_ == nullptr) return false;
    Dwfl_Module* m = module_(dwfl_, address);
    if (m == nullptr) return false;
    symbol place;
    if (const char* name = name_(m, address)) place.function = demangle(name);
    if (Dwfl_Line* l = source_(dwfl_, address)) {
      int line = 0;
      if (const char* file = line_(l, nullptr, &line, nullptr, nullptr, nullptr)) {
        place.file = file;
        place.line = line;
      }
    }
    if (place.function.empty()) return false;
    std::string outermost = std::move(place.function);
    for_each_inlined(m, address, [&](std::string function, const char* file, int line) {
      place.function = std::move(function);
      out.push_back(std::exchange(place, {}));
      if (file != nullptr) place.file = file;
      place.line = line;
    });
    place.function = std::move(outermost);
    out.push_back(std::move(place));
    return true;
  }

 private:
  template <class F>
  static bool get(void* lib, const char* name, F& f) {
    f = reinterpret_cast<F>(::dlsym(lib, name));
    return f != nullptr;
  }

  /// For each function inlined at `address`, the innermost first: its name, and the place it was called from.
  template <class F>
  void for_each_inlined(Dwfl_Module* m, Dwarf_Addr address, F f) {
    Dwarf_Addr bias = 0;
    Dwarf_Die* unit = unit_(m, address, &bias);
    Dwarf_Files* files = nullptr;
    if (unit == nullptr || files_(unit, &files, nullptr) != 0) return;
    Dwarf_Die* scopes = nullptr;
    const int near = scopes_(unit, address - bias, &scopes);
    const scopes_holder hold_near(scopes);
    if (near <= 0) return;
    // Those of an inlined function are its definition's; the ones around the place are its own entry's.
    Dwarf_Die innermost = scopes[0];
    Dwarf_Die* around = nullptr;
    const int n = scopes_of_(&innermost, &around);
    const scopes_holder hold_around(around);
    for (int i = 0; i < n; ++i) {
      if (tag_(&around[i]) != DW_TAG_inlined_subroutine) continue;
      const Dwarf_Word file = number(&around[i], DW_AT_call_file);
      f(name_of(&around[i]), file != 0 ? file_(files, file, nullptr, nullptr) : nullptr,
        static_cast<int>(number(&around[i], DW_AT_call_line)));
    }
  }

  std::string name_of(Dwarf_Die* die) {
    Dwarf_Attribute attribute;
    if (const char* text = string_(attribute_(die, DW_AT_linkage_name, &attribute))) return demangle(text);
    // A function that no other unit can see has none: spelled from the scopes that it is declared in.
    Dwarf_Die declared = *die;
    for (Dwarf_Die next;
         reference(&declared, DW_AT_abstract_origin, &next) || reference(&declared, DW_AT_specification, &next);)
      declared = next;
    Dwarf_Die* scopes = nullptr;
    const int n = scopes_of_(&declared, &scopes);
    const scopes_holder hold(scopes);
    std::string name;
    for (int i = 0; i < n && tag_(&scopes[i]) != DW_TAG_compile_unit; ++i) {
      const char* text = string_(attribute_(&scopes[i], DW_AT_name, &attribute));
      if (text == nullptr && tag_(&scopes[i]) != DW_TAG_namespace) continue;
      name.insert(0, name.empty() ? "" : "::").insert(0, text != nullptr ? text : "(anonymous namespace)");
    }
    return name;
  }

  bool reference(Dwarf_Die* die, unsigned kind, Dwarf_Die* to) {
    Dwarf_Attribute attribute;
    return reference_(direct_attribute_(die, kind, &attribute), to) != nullptr;
  }

  Dwarf_Word number(Dwarf_Die* die, unsigned kind) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return number_(attribute_(die, kind, &attribute), &value) == 0 ? value : 0;
  }

  using scopes_holder = std::unique_ptr<Dwarf_Die, decltype([](Dwarf_Die* p) { std::free(p); })>;

  Dwfl_Callbacks callbacks_{};
  decltype(&dwfl_begin) begin_ = nullptr;
  decltype(&dwfl_linux_proc_report) report_ = nullptr;
  decltype(&dwfl_report_end) report_end_ = nullptr;
  decltype(&dwfl_addrmodule) module_ = nullptr;
  decltype(&dwfl_module_addrname) name_ = nullptr;
  decltype(&dwfl_getsrc) source_ = nullptr;
  decltype(&dwfl_lineinfo) line_ = nullptr;
  decltype(&dwfl_module_addrdie) unit_ = nullptr;
  decltype(&dwarf_getsrcfiles) files_ = nullptr;
  decltype(&dwarf_filesrc) file_ = nullptr;
  decltype(&dwarf_getscopes) scopes_ = nullptr;
  decltype(&dwarf_getscopes_die) scopes_of_ = nullptr;
  decltype(&dwarf_tag) tag_ = nullptr;
  decltype(&dwarf_attr_integrate) attribute_ = nullptr;
  decltype(&dwarf_attr) direct_attribute_ = nullptr;
  decltype(&dwarf_formref_die) reference_ = nullptr;
  decltype(&dwarf_formstring) string_ = nullptr;
  decltype(&dwarf_formudata) number_ = nullptr;
  Dwfl* dwfl_ = nullptr;
};

#else

struct debug_info {
  bool find(std::uintptr_t, std::vector<symbol>&) { return false; }
};

#endif

}  // namespace

std::vector<symbol> symbolize(const void* pc) {
  static auto* const info = new debug_info;
  std::vector<symbol> out;
  const auto address = reinterpret_cast<std::uintptr_t>(pc) - 1;
  if (info->find(address, out)) return out;
  symbol place;
  Dl_info dl{};
  if (::dladdr(reinterpret_cast<void*>(address), &dl) != 0) {
    if (dl.dli_fname != nullptr) place.module = dl.dli_fname;
    if (dl.dli_sname != nullptr) {
      place.function = demangle(dl.dli_sname);
      place.offset = address - reinterpret_cast<std::uintptr_t>(dl.dli_saddr);
    } else {
      place.offset = address - reinterpret_cast<std::uintptr_t>(dl.dli_fbase);
    }
  }
  out.push_back(std::move(place));
  return out;
}

}  // namespace tenon::diag
