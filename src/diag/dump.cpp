#include "diag/dump.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "core/chan.hpp"
#include "diag/symbols.hpp"
#include "platform/backtrace.hpp"
#include "platform/futex.hpp"
#include "sched/scheduler.hpp"
#include "sched/service.hpp"

// How a dump is taken.
//
//   1. The service thread stops the world: a signal holds every worker thread in a handler, where it also writes down its own
//      stack. Nothing can be resumed now, so a goroutine that is on no CPU stays where it is.
//   2. Every slot ever carved is looked at (platform/stack.hpp, invariant 1). The stack of a parked goroutine is unwound from its saved
//      context without running on it (platform/context_switch.hpp, walk_from). Into memory mapped beforehand: a frozen thread may
//      hold malloc's lock.
//   3. The world goes on, or rather stands by; addresses become names, and the text is written.
//
// Takes no lock of the rooms below.

namespace tenon::diag {

namespace {

using namespace detail;

constexpr int freeze_signal = SIGURG;  // ignored by default and hardly used: Go's runtime chose it for the same reasons
constexpr unsigned most_frames = 48;

struct trace {
  unsigned depth = 0;
  const void* pcs[most_frames];
};

struct record {
  std::uint64_t id;
  const char* name;
  std::source_location where;
  goroutine_state state;
  wait_reason reason;
  std::int64_t since;
  bool has_channel;
  std::size_t channel_len;
  std::size_t channel_cap;
  const char* channel_reason;
  bool current;
  bool pinned;
  trace stack;
};

std::atomic<std::uint32_t> frozen_round{0};  // odd: freeze; the handler waits for it to change
std::atomic<std::uint32_t> frozen_workers{0};
trace worker_traces[most_threads];
std::atomic<bool> worker_traced[most_threads];
std::atomic<std::uint64_t> requested_by{0};  // the goroutine that asked for the dump, if one did

void unwind_here(void* arg) {
  auto& t = *static_cast<trace*>(arg);
  t.depth = backtrace(t.pcs, most_frames);
}

void on_freeze(int) {
  const int saved = errno;
  const std::uint32_t round = frozen_round.load(std::memory_order_acquire);
  const worker* w = this_worker();
  if ((round & 1U) != 0 && w != nullptr) {
    trace& t = worker_traces[w->number];
    t.depth = 0;
    unwind_here(&t);
    worker_traced[w->number].store(true, std::memory_order_release);
    frozen_workers.fetch_add(1, std::memory_order_release);
    while (frozen_round.load(std::memory_order_acquire) == round) futex::wait(frozen_round, round, 100'000'000);
  }
  errno = saved;
}

void freeze_world() noexcept {
  scheduler& s = the_scheduler();
  frozen_workers.store(0, std::memory_order_relaxed);
  frozen_round.fetch_add(1, std::memory_order_release);
  std::uint32_t asked = 0;
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    worker_traced[i].store(false, std::memory_order_relaxed);
    const pid_t tid = s.worker_at(i)->tid.load(std::memory_order_acquire);
    if (tid != 0 && ::syscall(SYS_tgkill, ::getpid(), tid, freeze_signal) == 0) ++asked;
  }
  // A thread in uninterruptible sleep must not keep us for ever; its goroutine is then shown without a stack.
  const clock::nanos deadline = clock::real() + 1'000'000'000;
  while (frozen_workers.load(std::memory_order_acquire) < asked && clock::real() < deadline) cpu_relax();
}

void thaw_world() noexcept {
  frozen_round.fetch_add(1, std::memory_order_release);
  futex::wake_all(frozen_round);
}

struct collection {
  record* records = nullptr;
  std::size_t room = 0;
  std::size_t n = 0;
};

/// Reads a descriptor that belongs to somebody else. The world stands still, which ThreadSanitizer cannot know.
TENON_NO_SANITIZE void visit(const stack_slot& slot, void* arg) {
  auto& all = *static_cast<collection*>(arg);
  goroutine_core* g = descriptor_of(slot);
  const goroutine_state state = g->state.load(std::memory_order_acquire);
  if (state == goroutine_state::free || state == goroutine_state::created || g->system.load(std::memory_order_relaxed))
    return;
  if (all.n == all.room) return;
  record& r = all.records[all.n++];
  r.id = g->id.load(std::memory_order_relaxed);
  r.name = g->name;
  r.where = g->where;
  r.state = state;
  r.reason = g->reason.load(std::memory_order_relaxed);
  r.since = g->since.load(std::memory_order_relaxed);
  r.current = r.id == requested_by.load(std::memory_order_relaxed);
  r.pinned = g->pinned.load(std::memory_order_relaxed) != nullptr;
  r.stack.depth = 0;
  scheduler& s = the_scheduler();
  if (g->ctx.busy.load(std::memory_order_acquire) != 0) {
    if (r.state != goroutine_state::ended) r.state = goroutine_state::running;
    for (unsigned i = 0; i < s.worker_slots(); ++i) {
      if (s.worker_at(i)->running.load(std::memory_order_relaxed) == g &&
          worker_traced[i].load(std::memory_order_acquire)) {
        r.stack.depth = worker_traces[i].depth;
        std::copy_n(worker_traces[i].pcs, r.stack.depth, r.stack.pcs);
      }
    }
    return;
  }
  if (state == goroutine_state::ended) return;
  if (state == goroutine_state::waiting &&
      (r.reason == wait_reason::chan_receive || r.reason == wait_reason::chan_send)) {
    if (const auto* c = static_cast<const chan_core*>(g->wait_object.load(std::memory_order_relaxed))) {
      r.has_channel = true;
      r.channel_len = c->count.load(std::memory_order_relaxed);
      r.channel_cap = c->capacity;
      r.channel_reason = c->reason ? c->reason->c_str() : nullptr;
    }
  }
  if (g->has_run) walk_from(g->ctx, &unwind_here, &r.stack);
}

void write_out(const std::string& text) noexcept {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

bool asks_for_dump(std::string_view function) {
  return function.starts_with("tenon::die_with_dump") || function.starts_with("tenon::fatal");
}

/// Where compilers leave a function's name without its namespace, its file tells whose it is.
bool in_tenon(const std::string& file) {
  constexpr std::string_view here = __FILE__;
  constexpr std::string_view sources = here.substr(0, here.size() - std::string_view("diag/dump.cpp").size());
  return file.starts_with(sources) || file.find("/include/tenon/") != std::string::npos;
}

bool ours(const symbol& s) {
  const std::string_view name = std::string_view(s.function).substr(0, s.function.find_first_of("<("));
  if (name.find("::") == std::string_view::npos && in_tenon(s.file)) return true;
  for (const char* prefix : {"tenon::detail::", "tenon::futex::", "tenon::diag::", "tenon::scheduler",
                             "tenon_goroutine_start", "tenon_walk_from", "tenon::die_with_dump", "tenon::fatal",
                             "void tenon::detail::", "bool tenon::detail::", "tenon::(anonymous namespace)",
                             "tenon::switch_context", "std::__invoke", "std::invoke", "auto tenon::detail::"}) {
    if (s.function.starts_with(prefix)) return true;
  }
  return false;
}

/// What stands between the program's own code and the primitive it has called.
bool of_a_library(const symbol& s) {
  std::string_view function = s.function;
  for (const std::string_view result : {"void ", "bool ", "auto "}) {
    if (function.starts_with(result)) function.remove_prefix(result.size());
  }
  return ours(s) || function.starts_with("tenon::") || function.starts_with("std::");
}

std::string describe_state(const record& r, clock::nanos now) {
  std::string text;
  switch (r.state) {
    case goroutine_state::runnable: text = "runnable"; break;
    case goroutine_state::running: text = "running"; break;
    case goroutine_state::waiting: text = to_text(r.reason); break;
    case goroutine_state::ended: text = "ended, not joined"; break;
    default: text = "starting"; break;
  }
  if (r.state == goroutine_state::waiting) {
    const std::int64_t minutes = (now - r.since) / 60'000'000'000;
    if (minutes >= 1) text += ", " + std::to_string(minutes) + " minutes";
  }
  if (r.pinned) text += ", locked to thread";
  return text;
}

void print(const symbol& s, std::string& out) {
  out += s.function.empty() ? "??" : s.function;
  out += '\n';
  if (!s.file.empty()) {
    out += "\t" + s.file + ":" + std::to_string(s.line) + "\n";
  } else {
    out += "\t" + s.module + "+" + std::to_string(s.offset) + "\n";
  }
}

void print(const record& r, clock::nanos now, std::string& out) {
  out += "\ngoroutine " + std::to_string(r.id);
  if (r.name != nullptr) out += std::string(" \"") + r.name + "\"";
  out += " [" + describe_state(r, now) + "]:\n";
  if (r.has_channel && r.channel_cap > 1) {
    out += "\t(channel: " + std::to_string(r.channel_len) + " of " + std::to_string(r.channel_cap) + " in use";
    if (r.channel_reason != nullptr) out += std::string("; ") + r.channel_reason;
    out += ")\n";
  }
  std::string calls;
  for (unsigned i = 0; i < r.stack.depth; ++i) {
    for (const symbol& s : symbolize(r.stack.pcs[i])) {
      if (asks_for_dump(s.function)) calls.clear();  // what follows from there is the dump's own doing
      if (!ours(s)) print(s, calls);
    }
  }
  out += calls;
  if (r.stack.depth == 0 && r.state == goroutine_state::running) out += "\t(running; its stack could not be read)\n";
  out += std::string("created at ") + r.where.file_name() + ":" + std::to_string(r.where.line()) + "\n";
}

void dump_now() noexcept {
  std::size_t slots = 0;
  stacks::for_each([](const stack_slot&, void* n) { ++*static_cast<std::size_t*>(n); }, &slots);
  const std::size_t room = slots + 1024;
  void* memory = ::mmap(nullptr, room * sizeof(record), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  collection all{static_cast<record*>(memory), room, 0};
  freeze_world();
  stacks::for_each(&visit, &all);
  thaw_world();

  const clock::nanos now = clock::real();
  std::sort(all.records, all.records + all.n,
            [](const record& a, const record& b) { return a.current != b.current ? a.current : a.id < b.id; });
  std::string out;
  for (std::size_t i = 0; i < all.n; ++i) {
    print(all.records[i], now, out);
    if (out.size() > 1U << 16U) {
      write_out(out);
      out.clear();
    }
  }
  write_out(out);
  ::munmap(memory, room * sizeof(record));
}

std::atomic<std::uint32_t> finished{0};

}  // namespace

void dump_all() noexcept {
  if (const goroutine_core* g = running_goroutine())
    requested_by.store(g->id.load(std::memory_order_relaxed), std::memory_order_relaxed);
  if (service::thread_id() == 0) return;  // there has never been a runtime
  if (static_cast<int>(::syscall(SYS_gettid)) == service::thread_id()) return dump_now();
  finished.store(0, std::memory_order_relaxed);
  service::request([]() noexcept {
    dump_now();
    finished.store(1, std::memory_order_release);
    futex::wake_all(finished);
  });
  const clock::nanos deadline =
      clock::real() + 60'000'000'000;  // many goroutines on a slow machine; then the process ends anyway
  while (finished.load(std::memory_order_acquire) == 0 && clock::real() < deadline)
    futex::wait(finished, 0, 100'000'000);
}

std::string calls_text(const void* const* pcs, unsigned n) {
  std::string all;
  std::string from_caller;
  std::size_t last = 0;  // the end of the program's own outermost call
  for (unsigned i = 0; i < n; ++i) {
    for (const symbol& s : symbolize(pcs[i])) {
      print(s, all);
      const bool own = !of_a_library(s);
      if (own || !from_caller.empty()) print(s, from_caller);
      if (own) last = from_caller.size();
    }
  }
  if (from_caller.empty()) return all;
  from_caller.resize(last);
  return from_caller;
}

void install_freezer() {
  struct sigaction action{};
  action.sa_handler = &on_freeze;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(freeze_signal, &action, nullptr);
}

}  // namespace tenon::diag
