#include "diag/stack_text.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace tenon::diag {

namespace {

/// A frame, or the gap where frames have been left out.
struct entry {
  const symbol* frame = nullptr;

  [[nodiscard]] bool is_gap() const { return frame == nullptr; }
  [[nodiscard]] bool is_of(origin from) const { return frame != nullptr && frame->from == from; }
};

bool asks_for_dump(std::string_view function) {
  return function.starts_with("tenon::die_with_dump") || function.starts_with("tenon::fatal");
}

/// As addr2line reads it.
std::string place(const symbol& s) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(s.address));
  return s.module.empty() ? text : s.module + "+" + text;
}

void print(const symbol& s, std::string& out) {
  out += s.function.empty() ? place(s) : s.function;
  out += '\n';
  if (!s.file.empty()) {
    out += "\t" + s.file + ":" + std::to_string(s.line) + (s.near ? " (or near it)\n" : "\n");
  } else if (!s.function.empty()) {
    out += "\t" + place(s) + "\n";
  }
}

void print_gap(const stack_view& stack, std::string& out) {
  out += stack.endless ? "... more than " : "... ";
  out += std::to_string(stack.elided) + " frames elided ...\n";
}

}  // namespace

std::string short_place(const symbol& s) {
  if (!s.file.empty()) return s.file + ":" + std::to_string(s.line);
  return s.function.empty() ? place(s) : s.function;
}

const std::vector<symbol>& stack_text::look_up(const void* pc) {
  const auto [at, fresh] = known_.try_emplace(pc);
  if (fresh) at->second = symbolize(pc);
  return at->second;
}

std::string stack_text::of(const stack_view& stack, top starts) {
  std::vector<entry> all;
  for (unsigned i = 0; i < stack.depth; ++i) {
    if (stack.elided != 0 && i == stack.before_gap) all.emplace_back();
    for (const symbol& s : look_up(stack.pcs[i])) {
      all.push_back({&s});
      if (asks_for_dump(s.function)) all.clear();  // what follows from there is the dump's own doing
    }
  }
  if (stack.endless) all.emplace_back();

  const auto is_program = [](const entry& e) { return e.is_of(origin::program); };
  auto first = std::find_if(all.begin(), all.end(), is_program);
  auto last =
      std::find_if(all.rbegin(), all.rend(), [&](const entry& e) { return e.is_gap() || is_program(e); }).base();
  if (first == all.end()) {
    // None of the program's: the end of a run, which waits for the root group's members. What has been called is the outermost.
    const auto is_tenons = [](const entry& e) { return e.is_of(origin::tenon); };
    const auto called = std::find_if(all.rbegin(), all.rend(), is_tenons);
    first = called == all.rend() ? all.begin() : std::prev(called.base());
    last = all.end();
  } else if (starts == top::library) {
    while (first != all.begin() && std::prev(first)->is_of(origin::standard)) --first;
  }

  std::string out;
  for (auto e = first; e < last; ++e) {
    if (e->is_gap()) {
      print_gap(stack, out);
    } else if (e->frame->from != origin::internal) {
      print(*e->frame, out);
    }
  }
  if (out.empty() && starts == top::caller) {
    for (const entry& e : all) print(*e.frame, out);
  }
  return out;
}

}  // namespace tenon::diag
