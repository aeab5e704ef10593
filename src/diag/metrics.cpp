#include <tenon/metrics.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// Read from the same descriptors as a dump, of a world that does not stand still: each field is an atomic of its own.

namespace tenon {

namespace {

using namespace detail;

struct counting {
  metrics m;
  std::array<std::uint64_t, wait_reasons> waiting{};
};

TENON_NO_SANITIZE void count(const stack_slot& slot, void* arg) {
  auto& c = *static_cast<counting*>(arg);
  const goroutine_core* g = descriptor_of(slot);
  const goroutine_state state = g->state.load(std::memory_order_acquire);
  if (state == goroutine_state::free || state == goroutine_state::created || state == goroutine_state::ended ||
      g->system.load(std::memory_order_relaxed))
    return;
  ++c.m.stacks;
  c.m.stack_bytes += slot.size;
  if (g->ctx.busy.load(std::memory_order_acquire) !=
      0) {  // it may be about to wait: it is on a thread until it has switched away
    ++c.m.running;
    return;
  }
  switch (state) {
    case goroutine_state::waiting:
      ++c.m.waiting;
      ++c.waiting[std::min(static_cast<std::size_t>(g->reason.load(std::memory_order_relaxed)), c.waiting.size() - 1)];
      break;
    default: ++c.m.runnable; break;
  }
}

}  // namespace

metrics read_metrics() {
  counting c;
  stacks::for_each(&count, &c);
  metrics m = std::move(c.m);
  for (std::size_t i = 0; i < c.waiting.size(); ++i) {
    if (c.waiting[i] != 0) m.waiting_for.emplace_back(to_text(static_cast<wait_reason>(i)), c.waiting[i]);
  }
  const scheduler& s = the_scheduler();
  if (s.started()) {
    m.processors = s.procs();
    m.threads = s.threads();
    m.idle_threads = s.idle();
  }
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    const worker& w = *s.worker_at(i);
    const worker_status now = w.status.load(std::memory_order_relaxed);
    if (now == worker_status::blocking || now == worker_status::retaken_blocking) ++m.in_calls;
    m.timers += w.timers.size();
    m.switches_total += w.tick.load(std::memory_order_relaxed);
    m.steals_total += w.steals.load(std::memory_order_relaxed);
  }
  m.timers += monitor::timers().size();
  m.started_total = s.created();
  m.wakes_total = s.wakes();
  return m;
}

std::string to_prometheus(const metrics& m) {
  std::string out;
  const auto family = [&out](const char* name, const char* type, const char* help) {
    out += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
  };
  const auto sample = [&out](const char* name, std::uint64_t value, const char* label = nullptr,
                             const char* of = nullptr) {
    out += name;
    if (label != nullptr) out += std::string("{") + label + "=\"" + of + "\"}";
    out += ' ' + std::to_string(value) + '\n';
  };
  const auto one = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    family(name, type, help);
    sample(name, value);
  };
  family("tenon_goroutines", "gauge", "Goroutines that have not ended, by state.");
  sample("tenon_goroutines", m.running, "state", "running");
  sample("tenon_goroutines", m.runnable, "state", "runnable");
  sample("tenon_goroutines", m.waiting, "state", "waiting");
  family("tenon_goroutines_waiting", "gauge", "Waiting goroutines, by what they wait for.");
  for (const auto& [reason, n] : m.waiting_for) sample("tenon_goroutines_waiting", n, "reason", reason);
  one("tenon_goroutines_in_calls", "gauge", "Running goroutines that are in a blocking call.", m.in_calls);
  one("tenon_goroutines_started_total", "counter", "Goroutines started.", m.started_total);
  one("tenon_processors", "gauge", "How many threads may run goroutines at once.", m.processors);
  one("tenon_threads", "gauge", "Threads that run goroutines, are in their calls or sleep.", m.threads);
  one("tenon_threads_idle", "gauge", "Threads that sleep.", m.idle_threads);
  one("tenon_timers", "gauge", "Pending timers.", m.timers);
  one("tenon_stacks", "gauge", "Stacks in use.", m.stacks);
  one("tenon_stack_address_space_bytes", "gauge", "Address space of the stacks in use.", m.stack_bytes);
  one("tenon_switches_total", "counter", "Switches between goroutines.", m.switches_total);
  one("tenon_steals_total", "counter", "Times that a thread took goroutines from another.", m.steals_total);
  one("tenon_thread_wakes_total", "counter", "Times that a sleeping thread was woken.", m.wakes_total);
  return out;
}

}  // namespace tenon
