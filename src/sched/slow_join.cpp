#include "sched/slow_join.hpp"

#include <unistd.h>

#include <cstdio>
#include <new>

#include "platform/compiler.hpp"
#include "platform/stack.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

namespace {

constexpr int most_members_named = 10;

/// "goroutine 7 "walker" [chan receive], started at walk.cpp:12"
int describe(const goroutine_core& g, char* out, std::size_t room) noexcept {
  const bool waits = g.state.load(std::memory_order_relaxed) == goroutine_state::waiting;
  return std::snprintf(out, room, "goroutine %llu%s%s%s [%s], started at %s:%u",
                       static_cast<unsigned long long>(g.id.load(std::memory_order_relaxed)),
                       g.name != nullptr ? " \"" : "", g.name != nullptr ? g.name : "", g.name != nullptr ? "\"" : "",
                       waits ? to_text(g.reason.load(std::memory_order_relaxed)) : "running", g.where.file_name(),
                       static_cast<unsigned>(g.where.line()));
}

void put(const char* text, int length) noexcept {
  if (length > 0) (void)!::write(STDERR_FILENO, text, static_cast<std::size_t>(length));
}

struct members {
  const join_target& whom;
  int n = 0;
};

void name_member(const stack_slot& slot, void* p) noexcept {
  auto& m = *static_cast<members*>(p);
  const goroutine_core& g = *descriptor_of(slot);
  const goroutine_state state = g.state.load(std::memory_order_acquire);
  if (state == goroutine_state::free || state == goroutine_state::created || state == goroutine_state::ended) return;
  if (!m.whom.everything && (g.under != m.whom.group || g.own.load(std::memory_order_relaxed) != nullptr)) return;
  if (++m.n > most_members_named) return;
  char line[512];
  int n = std::snprintf(line, sizeof line, "  ");
  n += describe(g, line + n, sizeof line - static_cast<std::size_t>(n) - 1);
  n = n < static_cast<int>(sizeof line) - 1 ? n : static_cast<int>(sizeof line) - 2;
  line[n++] = '\n';
  put(line, n);
}

}  // namespace

slow_join_watch::slow_join_watch(join_target whom, begins when) noexcept {
  alarm_.who = running_goroutine();
  alarm_.whom = whom;
  if (when == begins::now) begin();
}

void slow_join_watch::begin() noexcept {
  const scheduler& s = the_scheduler();
  const std::int64_t after = s.options().report_after.count();
  if (!s.started() || s.simulated() || after <= 0) return;
  alarm_.fire = [](timer_node* t, clock::nanos) noexcept {
    auto* a = static_cast<alarm*>(t);
    report(*a);
    a->left.store(true, std::memory_order_release);
  };
  try {
    const clock::nanos now = clock::real();
    monitor::watch(&alarm_, after > clock::never - now ? clock::never : now + after);
    on_ = true;
  } catch (const std::bad_alloc&) {  // then nothing is reported
  }
}

slow_join_watch::~slow_join_watch() {
  if (!on_ || stop_timer(&alarm_)) return;
  while (!alarm_.left.load(std::memory_order_acquire)) let_others_run();
}

void slow_join_watch::report(const alarm& a) noexcept {
  char text[1024];
  int n = std::snprintf(text, sizeof text, "tenon: ");
  const auto room = [&] { return sizeof text - static_cast<std::size_t>(n) - 2; };
  const char* const thread = a.whom.everything ? "the end of run" : "a plain thread";
  n += a.who != nullptr ? describe(*a.who, text + n, room()) : std::snprintf(text + n, room(), "%s", thread);
  if (n > 500) n = 500;
  const double seconds = static_cast<double>(the_scheduler().options().report_after.count()) / 1e9;
  n += std::snprintf(text + n, room(), ", has waited %g s for %s", seconds,
                     a.whom.everything ? "goroutines that none of its groups owns:\n" : "the end of ");
  if (a.whom.goroutine != nullptr) {
    n += describe(*a.whom.goroutine, text + n, room());
    n = n < static_cast<int>(sizeof text) - 1 ? n : static_cast<int>(sizeof text) - 2;
    text[n++] = '\n';
    put(text, n);
    return;
  }
  if (!a.whom.everything) n += std::snprintf(text + n, room(), "its group's goroutines:\n");
  put(text, n);
  members m{a.whom};
  stacks::for_each(&name_member, &m);
  if (m.n > most_members_named) {
    n = std::snprintf(text, sizeof text, "  and %d more\n", m.n - most_members_named);
    put(text, n);
  }
}

}  // namespace tenon::detail
