#include "sched/thread_exhaustion.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "platform/thread_activity.hpp"
#include "sched/scheduler.hpp"

namespace tenon::detail {

namespace {

constexpr unsigned most_threads_named = 10;

void put(const char* text, int length, std::size_t room) noexcept {
  const int end = std::min(length, static_cast<int>(room) - 1);
  if (end > 0) (void)!::write(STDERR_FILENO, text, static_cast<std::size_t>(end));
}

}  // namespace

void thread_exhaustion::observe(const scheduler& s, clock::nanos now, bool starving) noexcept {
  const clock::nanos after = s.options().report_after.count();
  if (!starving || reported_ || after <= 0 || s.simulated() || s.idle() != 0 || !s.out_of_threads()) {
    since_ = 0;
    return;
  }
  if (since_ == 0) since_ = now;
  if (now - since_ < after) return;
  reported_ = true;
  report(s, now - since_);
}

void thread_exhaustion::report(const scheduler& s, clock::nanos for_how_long) noexcept {
  char text[768];
  unsigned stuck = 0;
  unsigned in_blocking = 0;
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    const worker_status status = s.worker_at(i)->status.load(std::memory_order_relaxed);
    if (status == worker_status::blocking || status == worker_status::retaken_blocking) {
      ++in_blocking;
    } else if (s.worker_at(i)->running.load(std::memory_order_relaxed) != nullptr) {
      ++stuck;
    }
  }
  int n = std::snprintf(
      text, sizeof text,
      "tenon: for %.1f s goroutines have been waiting for a thread, and all %u are taken (run_options::max_threads is %u): "
      "%u by goroutines that do not give theirs back, %u by tenon::blocking. Put what blocks into tenon::blocking, use tenon's "
      "locks instead of std::mutex, or raise max_threads.\n",
      static_cast<double>(for_how_long) / 1e9, s.threads(), s.options().max_threads, stuck, in_blocking);
  put(text, n, sizeof text);
  unsigned named = 0;
  for (unsigned i = 0; i < s.worker_slots() && named < most_threads_named; ++i) {
    const worker& w = *s.worker_at(i);
    const worker_status status = w.status.load(std::memory_order_relaxed);
    const goroutine_core* g = w.running.load(std::memory_order_relaxed);
    if (g == nullptr || status == worker_status::blocking || status == worker_status::retaken_blocking) continue;
    char doing[96];
    describe_activity(w.tid.load(std::memory_order_relaxed), doing, sizeof doing);
    n = std::snprintf(text, sizeof text, "  goroutine %llu%s%s%s is %s, started at %s:%u\n",
                      static_cast<unsigned long long>(g->id.load(std::memory_order_relaxed)),
                      g->name != nullptr ? " \"" : "", g->name != nullptr ? g->name : "",
                      g->name != nullptr ? "\"" : "", doing, g->where.file_name(),
                      static_cast<unsigned>(g->where.line()));
    put(text, n, sizeof text);
    ++named;
  }
  if (stuck > named) {
    n = std::snprintf(text, sizeof text, "  and %u more\n", stuck - named);
    put(text, n, sizeof text);
  }
}

}  // namespace tenon::detail
