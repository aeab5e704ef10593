#include "diag/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#if defined(TENON_HAVE_LIBDW_HEADERS)
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
                       get(lib, "dwfl_lineinfo", line_) && get(lib, "dwfl_linux_proc_find_elf", callbacks_.find_elf) &&
                       get(lib, "dwfl_standard_find_debuginfo", callbacks_.find_debuginfo);
    if (!found) return;
    Dwfl* d = begin_(&callbacks_);
    if (d == nullptr || report_(d, ::getpid()) != 0) return;
    report_end_(d, nullptr, nullptr);
    dwfl_ = d;
  }

  bool find(std::uintptr_t address, symbol& out) {
    if (dwfl_ == nullptr) return false;
    if (Dwfl_Module* m = module_(dwfl_, address)) {
      if (const char* name = name_(m, address)) out.function = demangle(name);
    }
    if (Dwfl_Line* l = source_(dwfl_, address)) {
      int line = 0;
      if (const char* file = line_(l, nullptr, &line, nullptr, nullptr, nullptr)) {
        out.file = file;
        out.line = line;
      }
    }
    return !out.function.empty();
  }

 private:
  template <class F>
  static bool get(void* lib, const char* name, F& f) {
    f = reinterpret_cast<F>(::dlsym(lib, name));
    return f != nullptr;
  }

  Dwfl_Callbacks callbacks_{};
  decltype(&dwfl_begin) begin_ = nullptr;
  decltype(&dwfl_linux_proc_report) report_ = nullptr;
  decltype(&dwfl_report_end) report_end_ = nullptr;
  decltype(&dwfl_addrmodule) module_ = nullptr;
  decltype(&dwfl_module_addrname) name_ = nullptr;
  decltype(&dwfl_getsrc) source_ = nullptr;
  decltype(&dwfl_lineinfo) line_ = nullptr;
  Dwfl* dwfl_ = nullptr;
};

#else

struct debug_info {
  bool find(std::uintptr_t, symbol&) { return false; }
};

#endif

}  // namespace

symbol symbolize(const void* pc) {
  static auto* const info = new debug_info;
  symbol out;
  const auto address = reinterpret_cast<std::uintptr_t>(pc) - 1;
  const bool named = info->find(address, out);
  Dl_info dl{};
  if (::dladdr(reinterpret_cast<void*>(address), &dl) != 0) {
    if (dl.dli_fname != nullptr) out.module = dl.dli_fname;
    if (!named && dl.dli_sname != nullptr) {
      out.function = demangle(dl.dli_sname);
      out.offset = address - reinterpret_cast<std::uintptr_t>(dl.dli_saddr);
    } else if (!named) {
      out.offset = address - reinterpret_cast<std::uintptr_t>(dl.dli_fbase);
    }
  }
  return out;
}

}  // namespace tenon::diag
