#pragma once

// An owner that has waited long for what it owns says for whom, once. Owners wait in destructors and at the end of a run, where a
// goroutine that ignores its context would otherwise only show as a program that does not end.

#include <tenon/detail/atomic.hpp>

#include "sched/goroutine.hpp"
#include "sched/timer_heap.hpp"

namespace tenon::detail {

/// Those waited for: one goroutine, all that run under a group's context, or all that there are.
struct join_target {
  const goroutine_core* goroutine = nullptr;
  const ctx_node* group = nullptr;
  bool everything = false;
};

/// While it is there, its maker waits. After the run's `report_after` the monitor thread reports it. Never under a virtual clock.
class slow_join_watch {
 public:
  enum class begins : std::uint8_t { now, later };
  explicit slow_join_watch(join_target whom, begins when = begins::now) noexcept;
  slow_join_watch(const slow_join_watch&) = delete;
  slow_join_watch& operator=(const slow_join_watch&) = delete;
  ~slow_join_watch();
  /// Once, if it begins later. From any thread.
  void begin() noexcept;

 private:
  struct alarm : timer_node {
    const goroutine_core* who = nullptr;  // null: a plain thread
    join_target whom;
    detail::atomic<bool> left{false};  // released when the timer has done with it, acquired before its memory goes
  };
  static void report(const alarm& a) noexcept;
  alarm alarm_;
  bool on_ = false;
};

}  // namespace tenon::detail
