#include "sched/own_end.hpp"

#include <cstdio>
#include <string>

#include "base/fatal.hpp"
#include "platform/backtrace.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

void refuse_to_wait_for_own_end(const void* owner, const char* as) noexcept {
  const goroutine_core* g = running_goroutine();
  if (g != nullptr && g->owner == owner) fatal_own_end(as);
}

void fatal_own_end(const char* as) noexcept {
  const void* calls[16];
  const unsigned depth = backtrace(calls, 16);
  char head[640];
  const char* const first_line = "fatal error: tenon: a goroutine waits for its own end";
  if (const goroutine_core* g = running_goroutine()) {
    std::snprintf(head, sizeof head, "%s\n\ngoroutine %llu%s%s%s is %s\n\nstarted at\n\t%s:%u\nwaits at\n", first_line,
                  static_cast<unsigned long long>(g->id.load(std::memory_order_relaxed)),
                  g->name != nullptr ? " \"" : "", g->name != nullptr ? g->name : "", g->name != nullptr ? "\"" : "",
                  as, g->where.file_name(), static_cast<unsigned>(g->where.line()));
  } else {
    std::snprintf(head, sizeof head, "%s\n\na plain thread runs %s\n\nwaits at\n", first_line, as);
  }
  const std::string text = head + describe_calls(calls, depth);
  die_with_dump(text.c_str());
}

}  // namespace tenon::detail
