#include "diag/symbols.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <utility>

#include "diag/symbol_table.hpp"
#include "platform/annotate.hpp"
#include "platform/fork.hpp"

#if defined(TENON_HAVE_LIBBACKTRACE)

// GCC's <backtrace.h> under the names that cmake/TenonLibbacktrace.cmake has given it. Hidden: they are not the shared
// library's to offer.
extern "C" {
struct backtrace_state;
using backtrace_error = void (*)(void* arg, const char* text, int number);
using backtrace_full = int (*)(void* arg, std::uintptr_t pc, const char* file, int line, const char* function);
using backtrace_name = void (*)(void* arg, std::uintptr_t pc, const char* name, std::uintptr_t at, std::uintptr_t size);
[[gnu::visibility("hidden")]] backtrace_state* tenon_libbacktrace_create_state(const char* executable, int threaded,
                                                                               backtrace_error error, void* arg);
[[gnu::visibility("hidden")]] int tenon_libbacktrace_pcinfo(backtrace_state* state, std::uintptr_t pc,
                                                            backtrace_full found, backtrace_error error, void* arg);
[[gnu::visibility("hidden")]] int tenon_libbacktrace_syminfo(backtrace_state* state, std::uintptr_t pc,
                                                             backtrace_name found, backtrace_error error, void* arg);
}

#endif

namespace tenon::diag {

namespace {

/// Without what compilers append where they split or specialise a function: "f() [clone .constprop.0]".
std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  if (status != 0 || text == nullptr) return name;
  const std::string_view full = text.get();
  return std::string(full.substr(0, full.find(" [clone ")));
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  for (const std::string_view beginning : beginnings) {
    if (text.starts_with(beginning)) return true;
  }
  return false;
}

/// std::invoke and what it consists of, by names without arguments.
bool only_calls(std::string_view name) {
  return starts_with_any(name, {"__invoke", "invoke", "apply", "__apply", "__call_impl"});
}

bool eat(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

/// The next <length><name> of a linkage name; empty if none stands there.
std::string_view eat_name(std::string_view& text) {
  std::size_t length = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && length < text.size(); ++digits)
    length = length * 10 + static_cast<std::size_t>(text[digits] - '0');
  if (length == 0 || length > text.size() - digits) return {};
  const std::string_view name = text.substr(digits, length);
  text.remove_prefix(digits + length);
  return name;
}

/// Where a name tells nothing, the file does.
origin origin_of_file(std::string_view function, std::string_view file) {
  constexpr std::string_view here = __FILE__;
  constexpr std::string_view sources = here.substr(0, here.size() - std::string_view("diag/symbols.cpp").size());
  const bool in_sources = !sources.empty() && file.starts_with(sources);
  if (in_sources || file.find("/include/tenon/") != std::string_view::npos) return origin::internal;
  if (file.find("/c++/") != std::string_view::npos) return only_calls(function) ? origin::internal : origin::standard;
  return function == "tenon_goroutine_start" || function == "tenon_walk_from" ? origin::internal : origin::program;
}

void name(symbol& s, const char* linkage_name) {
  bool known = false;
  s.from = origin_of(linkage_name, known);
  s.function = demangle(linkage_name);
  if (!known) s.from = origin_of_file(s.function, s.file);
}

#if defined(TENON_HAVE_LIBBACKTRACE)

// What it cannot read is looked up otherwise, or said to be unknown; it is not for it to print.
void no_error(void*, const char*, int) {}

/// GCC 12's libbacktrace puts the folder of the compilation in front of names that clang gives in full:
/// "/folder//src/a.cpp".
std::string cleaned(std::string file) {
  const std::size_t doubled = file.find("//");
  if (doubled == std::string::npos || ::access(file.c_str(), F_OK) == 0) return file;
  std::string rest = file.substr(doubled + 1);
  return ::access(rest.c_str(), F_OK) == 0 ? rest : file;
}

bool is_linkage_name(std::string_view name) { return name.starts_with("_Z"); }

/// One for the whole process, for good: it keeps what it has read. Its memory is mapped, not malloc's.
backtrace_state* debug_information() {
  static backtrace_state* const state = tenon_libbacktrace_create_state(nullptr, 1, &no_error, nullptr);
  return state;
}
const at_load debug_information_made([] { (void)debug_information(); });

std::vector<symbol> from_debug_information(std::uintptr_t address) {
  backtrace_state* const state = debug_information();
  std::vector<symbol> all;
  if (state == nullptr) return all;
  annotate::happens_after(state);  // it orders its readers itself, with atomics that ThreadSanitizer does not see
  std::string last;                // the name of the function that the others are inlined into
  struct frames {
    std::vector<symbol>& all;
    std::string& last;
  } found{all, last};
  tenon_libbacktrace_pcinfo(
      state, address,
      [](void* arg, std::uintptr_t, const char* file, int line, const char* function) {
        if (file == nullptr && function == nullptr) return 0;
        auto& to = *static_cast<frames*>(arg);
        symbol s;
        if (file != nullptr) {
          s.file = cleaned(file);
          s.line = line;
          s.from = origin_of_file("", s.file);
        }
        if (function != nullptr) name(s, function);
        to.last = function != nullptr ? function : "";
        to.all.push_back(std::move(s));
        return 0;
      },
      &no_error, &found);
  annotate::happens_before(state);
  if (all.empty()) return all;
  // In the debug information a function that no other file can call has a short name only; the symbol table has the
  // full one.
  if (!is_linkage_name(last)) {
    std::string full;
    tenon_libbacktrace_syminfo(
        state, address,
        [](void* arg, std::uintptr_t, const char* symbol_name, std::uintptr_t, std::uintptr_t) {
          if (symbol_name != nullptr) *static_cast<std::string*>(arg) = symbol_name;
        },
        &no_error, &full);
    annotate::happens_before(state);
    if (is_linkage_name(full) || (last.empty() && !full.empty())) name(all.back(), full.c_str());
  }
  return all;
}

#else

std::vector<symbol> from_debug_information(std::uintptr_t) { return {}; }

#endif

}  // namespace

origin origin_of(std::string_view linkage_name, bool& known) {
  known = true;
  std::string_view rest = linkage_name;
  if (!eat(rest, "_Z")) {
    known = false;
    return origin::program;
  }
  // What stands in front of the name of a thunk: how far the object is moved.
  if (rest.size() > 1 && rest[0] == 'T' && (rest[1] == 'h' || rest[1] == 'v' || rest[1] == 'c')) {
    const std::size_t digit = rest.find_first_of("0123456789");
    std::size_t end = rest.find('_', digit);
    if (rest[1] == 'v' && end != std::string_view::npos) end = rest.find('_', end + 1);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  // What is local to a function has its name in front.
  while (eat(rest, "Z")) {
  }
  if (eat(rest, "N")) rest.remove_prefix(std::min(rest.find_first_not_of("rVKRO"), rest.size()));
  while (eat(rest, "L")) {
  }
  if (rest.size() > 1 && rest[0] == 'S' && std::string_view("absiodt").find(rest[1]) != std::string_view::npos) {
    rest.remove_prefix(2);
    return only_calls(eat_name(rest)) ? origin::internal : origin::standard;
  }
  const std::string_view outermost = eat_name(rest);
  if (outermost == "std" || outermost == "__gnu_cxx" || outermost == "__cxxabiv1") return origin::standard;
  if (outermost == "tenon") {
    const std::string_view next = eat_name(rest);
    for (const std::string_view inside :
         {"detail", "diag", "futex", "scheduler", "clock", "stacks", "annotate", "_GLOBAL__N_1", "die_with_dump",
          "fatal", "switch_context", "walk_from", "backtrace", "throw_panic", "assert_failed"}) {
      if (next == inside) return origin::internal;
    }
    return origin::tenon;
  }
  known = !outermost.empty() && outermost != "_GLOBAL__N_1";
  return origin::program;
}

std::vector<symbol> symbolize(const void* pc) {
  const auto address = reinterpret_cast<std::uintptr_t>(pc) - 1;
  std::vector<symbol> all = from_debug_information(address);
  const bool named = !all.empty() && !all.back().function.empty();
  if (named && !all.back().file.empty()) return all;
  // There is none, or it is such as GCC 12's libbacktrace does not find: of a template or an inline function that lies
  // between some that other files have, too.
  if (all.empty()) all.emplace_back();
  table_entry entry =
      look_up(address, [](std::string_view file) { return origin_of_file("", file) == origin::program; });
  symbol& outermost = all.back();
  outermost.module = std::move(entry.module);
  outermost.address = entry.address;
  if (outermost.file.empty()) {
    outermost.file = std::move(entry.file);
    outermost.line = entry.line;
    outermost.near = entry.near;
  }
  if (!named && !entry.linkage_name.empty()) name(outermost, entry.linkage_name.c_str());
  if (entry.wanted) outermost.from = origin::program;  // it is inlined into one of the library's
  return all;
}

}  // namespace tenon::diag
