#pragma once

// How the tests of this folder run their programs.

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>

#include <tenon/context.hpp>

#include "base/chooser.hpp"
#include "core/relock_check.hpp"
#include "model/engine/model.hpp"
#include "platform/barrier.hpp"
#include "sched/scheduler.hpp"

namespace tenon::model {

/// Reads it.
inline void look_at(const int& v) { asm volatile("" : : "r"(v)); }

inline std::string name_of_memory(const testing::TestParamInfo<memory_model>& info) {
  switch (info.param) {
    case memory_model::interleaving: return "interleaving";
    case memory_model::tso: return "tso";
    default: return "c11";
  }
}

/// What stands still while a program is explored: the clock, chance, and what a run would have decided.
inline void prepare() {
  tenon::detail::check_locks(tenon::detail::lock_checking::off);
  barrier::symmetric.store(false);
  set_chooser(&choose);
  tenon::detail::the_scheduler().outside_waker(
      +1);  // the look for a deadlock counts threads of the system, which is none of ours
  // What is made once in a process: before the region that each execution begins anew.
  const auto scope = with_cancel(background());
  scope.cancel();
  (void)scope.ctx().err();
  (void)deadline_exceeded();
}

/// From the environment, so that the line of a report can be repeated: TENON_MODEL_REPLAY (its decisions), _RANDOM (so many executions), _SEED,
/// _PREEMPTIONS, _STALE_READS, _EXECUTIONS (at most), _WEAKEN (file:line),
/// _PLACES (any: prints where operations stand).
inline options options_for(memory_model m) {
  options o;
  o.memory = m;
  if (std::getenv("TENON_TEST_LONG") != nullptr) o.most_executions = 3'000'000;
  const auto text = [](const char* name) {
    const char* v = std::getenv(name);
    return std::string(v == nullptr ? "" : v);
  };
  const auto number = [&](const char* name, auto& into) {
    if (const std::string v = text(name); !v.empty()) into = static_cast<std::decay_t<decltype(into)>>(std::stoull(v));
  };
  o.replay = text("TENON_MODEL_REPLAY");
  o.weaken = text("TENON_MODEL_WEAKEN");
  o.tell_places = !text("TENON_MODEL_PLACES").empty();
  number("TENON_MODEL_RANDOM", o.random);
  number("TENON_MODEL_SEED", o.seed);
  number("TENON_MODEL_PREEMPTIONS", o.preemptions);
  number("TENON_MODEL_STALE_READS", o.stale_reads);
  number("TENON_MODEL_EXECUTIONS", o.most_executions);
  return o;
}

/// Every execution within the bounds, or as many as fit, and then as many random ones.
inline void expect_holds(memory_model m, const std::function<void()>& body) {
  prepare();
  options o = options_for(m);
  const auto run = [&](const char* how) {
    const result r = explore(o, body);
    EXPECT_FALSE(r.found) << r.report;
    if (o.tell_places && !r.found) std::fputs(r.report.c_str(), stdout);
    std::printf("  %s: %llu executions, %llu points, %.2f s%s\n", how, static_cast<unsigned long long>(r.executions),
                static_cast<unsigned long long>(r.points), r.seconds, r.complete ? "" : " (not all)");
    return r;
  };
  const result all = run(o.random != 0 ? "random" : "in order");
  if (all.complete || all.found || !o.replay.empty()) return;
  o.random = o.most_executions;
  (void)run("random");
}

}  // namespace tenon::model
