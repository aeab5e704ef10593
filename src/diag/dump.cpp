#include "diag/dump.hpp"

#include <unistd.h>

#include <algorithm>
#include <compare>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tenon/blocking.hpp>
#include <tenon/detail/atomic.hpp>
#include <tenon/dump.hpp>
#include <tenon/wait_group.hpp>

#include "base/fatal.hpp"
#include "core/chan.hpp"
#include "core/descriptor.hpp"
#include "core/held_locks.hpp"
#include "diag/freeze.hpp"
#include "diag/records.hpp"
#include "diag/stack_text.hpp"
#include "diag/symbol_table.hpp"
#include "platform/fork.hpp"
#include "platform/futex.hpp"
#include "sched/monitor.hpp"
#include "sched/scheduler.hpp"

// How a dump is taken.
//
//   1. The monitor thread stops the world (diag/freeze.hpp). Nothing can be resumed now, so a goroutine that is on no
//      CPU stays where it is.
//   2. Every slot ever carved is looked at (platform/stack.hpp, invariant 1). The stack of a parked goroutine is
//      unwound from its saved context without running on it (platform/context_switch.hpp, walk_from). Into memory
//      mapped beforehand: a frozen thread may hold malloc's lock.
//   3. The world goes on, and what was pointed to may be gone: the records hold all that is needed. Goroutines that look the
//      same are put together, addresses become names, and the text is written.
//
// Takes no lock of the layers below.

namespace tenon::diag {

namespace {

using namespace detail;

detail::atomic<std::uint64_t> dying{0};  // the goroutine that ends the process, if one does

/// Where the text goes, piece by piece.
struct sink {
  void (*write)(void* to, const std::string& text);
  void* to;
};

struct unwinding {
  const void* from;
  stack_ends stack;
};

void unwind_here(void* arg) {
  auto& u = *static_cast<unwinding*>(arg);
  backtrace_from(u.stack, u.from);
}

/// On what a parked goroutine waits, but for channels.
TENON_NO_SANITIZE void look_at_wait(record& r, const void* object) {
  if (object == nullptr) return;
  switch (r.reason) {
    case wait_reason::io_wait: {
      const descriptor_wait wait = descriptor_waited_for(object);
      r.what = wait.way == direction::read ? waited_for::reading : waited_for::writing;
      r.number = static_cast<std::uint64_t>(wait.fd);
      break;
    }
    case wait_reason::mutex_lock:
    case wait_reason::shared_mutex_lock:
    case wait_reason::shared_mutex_lock_shared:
      r.what = waited_for::lock;
      r.lock = object;
      r.generation = static_cast<const lock_holder*>(object)->generation();
      break;
    case wait_reason::wait_group_wait:
      r.what = waited_for::count;
      r.number = static_cast<std::uint64_t>(still_to_do(*static_cast<const wait_group*>(object)));
      break;
    default: break;
  }
}

/// Locks that a goroutine holds, where they are checked. It may have been stopped anywhere: what is read is memory of its own, and at worst old.
TENON_NO_SANITIZE void look_at_locks(records& all, const goroutine_core& g, std::uint64_t id) {
  const held_locks* held = g.held;
  if (held == nullptr) return;
  for (std::uint32_t i = 0; i < held->n && i < held->room; ++i) {
    const holder_record& r = held->records[i];
    if (r.how == held_as::exclusive && !all.add(holding{r.lock, r.generation, id})) return;
  }
}

/// Reads the descriptor of another goroutine. The world stands still, which ThreadSanitizer cannot know.
TENON_NO_SANITIZE void visit(const stack_slot& slot, void* arg) {
  auto& all = *static_cast<records*>(arg);
  goroutine_core* g = descriptor_of(slot);
  const goroutine_state state = g->state.load(std::memory_order_acquire);
  if (state == goroutine_state::free || state == goroutine_state::created || g->system.load(std::memory_order_relaxed))
    return;
  record* added = all.add();
  if (added == nullptr) return;
  record& r = *added;
  r.id = g->id.load(std::memory_order_relaxed);
  r.name = g->name;
  r.where = g->where;
  r.state = state;
  r.reason = g->reason.load(std::memory_order_relaxed);
  r.since = g->since.load(std::memory_order_relaxed);
  r.current = r.id == all.asked_for_by;
  r.pinned = g->pinned.load(std::memory_order_relaxed) != nullptr;
  look_at_locks(all, *g, r.id);
  if (g->ctx.busy.load(std::memory_order_acquire) != 0) {
    if (r.state != goroutine_state::ended) r.state = goroutine_state::running;
    if (const stack_ends* stack = stack_of_running(g)) r.stack = all.keep(*stack);
    r.in_call = !r.current && in_blocking_call(g);
    return;
  }
  if (state == goroutine_state::ended) return;
  if (state == goroutine_state::waiting &&
      (r.reason == wait_reason::chan_receive || r.reason == wait_reason::chan_send)) {
    if (const auto* c = static_cast<const chan_core*>(g->wait_object.load(std::memory_order_relaxed))) {
      r.has_channel = true;
      r.channel_len = c->count.load(std::memory_order_relaxed);
      r.channel_cap = c->capacity;
      r.channel_reason = c->reason ? all.keep(c->reason->c_str()) : nullptr;
    }
  }
  if (state == goroutine_state::waiting) look_at_wait(r, g->wait_object.load(std::memory_order_relaxed));
  if (!g->has_run) return;
  unwinding u{g->ctx.pc, {}};
  const void* const sp = g->ctx.sp;
  walk_from(g->ctx, &unwind_here, &u);
  // A worker that could not be stopped may have gone on with it.
  if (g->ctx.busy.load(std::memory_order_acquire) == 0 && g->ctx.sp == sp) r.stack = all.keep(u.stack);
}

void write_to_stderr(void*, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

/// What is printed of one goroutine, but for its number and how long it has waited. The one that asked for the dump
/// stays alone.
auto looks(const record& r) {
  const auto text = [](const char* s) { return std::string_view(s != nullptr ? s : ""); };
  const bool room = r.has_channel && r.channel_cap > 1;
  return std::tuple(!r.current, r.stack, r.state, r.reason, r.pinned, r.in_call, text(r.name), r.where.line(),
                    text(r.where.file_name()), room, room ? r.channel_len : 0, room ? r.channel_cap : 0,
                    text(room ? r.channel_reason : nullptr), r.what,
                    r.what == waited_for::reading || r.what == waited_for::writing ? 0 : r.number);
}

using alike = std::span<const record>;  // at least one; ascending numbers

/// How long they have waited, "1 to 12 minutes" say; empty if that is less than one.
std::string how_long(alike group, clock::nanos now, clock::nanos unit, const char* units) {
  const auto [newest, oldest] =
      std::minmax_element(group.begin(), group.end(), [](auto& a, auto& b) { return a.since > b.since; });
  const auto of = [&](const record& r) { return std::max<std::int64_t>(0, (now - r.since) / unit); };
  const std::int64_t least = of(*newest);
  const std::int64_t most = of(*oldest);
  if (most == 0) return {};
  return (least != most ? std::to_string(least) + " to " : "") + std::to_string(most) + " " + units;
}

constexpr clock::nanos second = 1'000'000'000;
constexpr clock::nanos minute = 60 * second;

std::string describe_wait(alike group, clock::nanos now) {
  const std::string minutes = how_long(group, now, minute, "minutes");  // as in Go
  return to_text(group.front().reason) + (minutes.empty() ? "" : ", " + minutes);
}

std::string describe_state(alike group, clock::nanos now) {
  const record& r = group.front();
  std::string text;
  switch (r.state) {
    case goroutine_state::runnable: text = "runnable"; break;
    case goroutine_state::running: text = r.in_call ? "blocking call" : "running"; break;
    case goroutine_state::waiting: text = describe_wait(group, now); break;
    case goroutine_state::ended: text = "ended, not joined"; break;
    default: text = "starting"; break;
  }
  if (r.pinned) text += ", locked to thread";
  return text;
}

/// "13-40, 42, 57, ...": of numbers that ascend.
std::string ranges(const std::vector<std::uint64_t>& of) {
  constexpr int most = 10;
  std::string text;
  int n = 0;
  for (std::size_t i = 0; i < of.size();) {
    if (++n > most) return text + ", ...";
    std::size_t end = i + 1;
    while (end < of.size() && of[end] == of[end - 1] + 1) ++end;
    if (!text.empty()) text += ", ";
    text += std::to_string(of[i]);
    if (end - i > 1) text += (end - i == 2 ? ", " : "-") + std::to_string(of[end - 1]);
    i = end;
  }
  return text;
}

/// What is known of the wait beyond its reason: "to read from descriptors 5-7; for 3 seconds". May be empty.
std::string describe_details(alike group, clock::nanos now) {
  const record& r = group.front();
  if (r.state != goroutine_state::waiting) return {};
  std::string text;
  if (r.has_channel && r.channel_cap > 1) {
    text = "channel: " + std::to_string(r.channel_len) + " of " + std::to_string(r.channel_cap) + " in use";
    if (r.channel_reason != nullptr) text += std::string("; ") + r.channel_reason;
  }
  switch (r.what) {
    case waited_for::nothing: break;
    case waited_for::reading:
    case waited_for::writing: {
      std::vector<std::uint64_t> descriptors;
      for (const record& one : group) descriptors.push_back(one.number);
      std::sort(descriptors.begin(), descriptors.end());
      descriptors.erase(std::unique(descriptors.begin(), descriptors.end()), descriptors.end());
      text = std::string(r.what == waited_for::reading ? "to read from" : "to write to") + " descriptor" +
             (descriptors.size() > 1 ? "s " : " ") + ranges(descriptors);
      break;
    }
    case waited_for::lock:
      if (r.number != 0) text = "held by goroutine " + std::to_string(r.number);
      break;
    case waited_for::count: text = std::to_string(r.number) + " to go"; break;
  }
  const std::string seconds = how_long(group, now, second, "s");
  if (seconds.empty()) return text;
  return text + (text.empty() ? "for " : "; for ") + seconds;
}

std::string lines_of(const record& r, const records& all, stack_text& stacks) {
  const kept_stack& s = all.stack(r.stack);
  return stacks.of({s.pcs, s.depth, s.elided, stack_ends::half, s.endless},
                   r.state == goroutine_state::running ? top::library : top::program);
}

void print(alike group, const records& all, stack_text& stacks, clock::nanos now, std::string& out) {
  const record& r = group.front();
  out += "\ngoroutine " + std::to_string(r.id);
  if (r.name != nullptr) out += std::string(" \"") + r.name + "\"";
  out += " [" + describe_state(group, now) + "]";
  if (group.size() > 1) {
    std::vector<std::uint64_t> others;
    for (const record& one : group.subspan(1)) others.push_back(one.id);
    out += " and " + std::to_string(others.size()) + (others.size() == 1 ? " other" : " others") + " like it (" +
           ranges(others) + ")";
  }
  out += ":\n";
  if (const std::string details = describe_details(group, now); !details.empty()) out += "\t(" + details + ")\n";
  out += lines_of(r, all, stacks);
  if (r.stack == 0 && r.state == goroutine_state::running) out += "\t(running; its stack could not be read)\n";
  out += std::string("created at ") + r.where.file_name() + ":" + std::to_string(r.where.line()) + "\n";
}

/// Room for what there is, and for what may be added until the world stands still.
std::size_t enough_room() noexcept {
  std::size_t slots = 0;
  stacks::for_each([](const stack_slot&, void* n) { ++*static_cast<std::size_t*>(n); }, &slots);
  return slots + 1024;
}

/// Steps 1 and 2, on the monitor thread.
void look(records& all) noexcept {
  freeze_world();
  stacks::for_each(&visit, &all);
  thaw_world();
}

/// Who holds the locks that are waited for.
void name_holders(std::span<record> list, std::span<holding> holdings) {
  std::sort(holdings.begin(), holdings.end());
  for (record& r : list) {
    if (r.what != waited_for::lock || r.generation == 0) continue;
    const auto at = std::lower_bound(holdings.begin(), holdings.end(), holding{r.lock, r.generation, 0});
    if (at != holdings.end() && at->lock == r.lock && at->generation == r.generation) r.number = at->goroutine;
  }
}

/// Stacks that read the same become one: that goroutines have come to the same wait by different ways of tenon's own says nothing.
void merge_stacks(std::span<record> list, const records& all, stack_text& stacks) {
  std::unordered_map<std::uint32_t, std::uint32_t> merged;  // by number
  std::unordered_map<std::string, std::uint32_t> first;     // that reads like this
  for (record& r : list) {
    if (r.stack == 0 || r.state == goroutine_state::running) continue;
    const auto [at, is_new] = merged.try_emplace(r.stack, r.stack);
    if (is_new) at->second = first.try_emplace(lines_of(r, all, stacks), r.stack).first->second;
    r.stack = at->second;
  }
}

/// Step 3, on any thread: while the monitor thread does it, no thread looks after the workers.
void tell(const records& all, sink out_to) {
  const std::span<record> list = all.all();
  stack_text stacks;
  name_holders(list, all.holdings());
  merge_stacks(list, all, stacks);
  std::sort(list.begin(), list.end(), [](const record& a, const record& b) {
    const auto order = looks(a) <=> looks(b);
    return order != 0 ? order < 0 : a.id < b.id;
  });
  std::vector<alike> groups;
  for (std::size_t i = 0; i < list.size();) {
    std::size_t end = i + 1;
    while (end < list.size() && looks(list[end]) == looks(list[i])) ++end;
    groups.push_back(list.subspan(i, end - i));
    i = end;
  }
  std::sort(groups.begin(), groups.end(), [](alike a, alike b) {
    return std::tuple(!a.front().current, a.front().id) < std::tuple(!b.front().current, b.front().id);
  });

  const clock::nanos now = clock::real();
  std::string out;
  for (const alike group : groups) {
    print(group, all, stacks, now, out);
    if (out.size() > 1U << 16U) {
      out_to.write(out_to.to, out);
      out.clear();
    }
  }
  out_to.write(out_to.to, out);
}

/// Held over `tell`, but for last words: the first one to ask for lines reads all debug information, and each of several at once would.
os_mutex telling;

constexpr sink to_stderr{&write_to_stderr, nullptr};

/// As last words: what cannot be said then is left out.
void dump_now() noexcept {
  try {
    records all(enough_room());
    all.asked_for_by = dying.load(std::memory_order_relaxed);
    look(all);
    tell(all, to_stderr);
  } catch (...) {
  }
}

detail::atomic<std::uint32_t> finished{0};  // released after the dump, acquired before the process ends

/// Of a dump for the program itself.
struct request {
  records all{enough_room()};
  detail::atomic<std::uint32_t> done{0};  // released with the records, acquired before they are read
};
os_mutex asking;                          // guards what is asked for: one request at a time
detail::atomic<request*> asked{nullptr};  // released with its memory, acquired by the monitor

// In the order in which they are taken.
const at_load kept_free([] {
  free_in_child(asking);
  free_in_child(telling);
  free_in_child(symbol_tables_lock());
});

void answer() noexcept {
  request* r = asked.load(std::memory_order_acquire);
  look(r->all);
  r->done.store(1, std::memory_order_release);
  futex::wake_all(r->done);
}

}  // namespace

void dump_all() noexcept {
  if (const goroutine_core* g = running_goroutine())
    dying.store(g->id.load(std::memory_order_relaxed), std::memory_order_relaxed);
  if (monitor::thread_id() == 0) return;  // there has never been a runtime
  if (monitor::is_this_thread()) return dump_now();
  finished.store(0, std::memory_order_relaxed);
  monitor::request([]() noexcept {
    dump_now();
    finished.store(1, std::memory_order_release);
    futex::wake_all(finished);
  });
  const clock::nanos deadline =
      clock::real() + 60'000'000'000;  // many goroutines on a slow machine; then the process ends anyway
  while (finished.load(std::memory_order_acquire) == 0 && clock::real() < deadline)
    futex::wait(finished, 0, 100'000'000);
}

void dump_and_go_on() noexcept {
  try {
    auto all = std::make_unique<records>(enough_room());
    look(*all);
    // It ends with its text, or with the process.
    std::thread([held = std::move(all)] {
      const std::lock_guard one_text_after_the_other(telling);
      try {
        tell(*held, to_stderr);
      } catch (...) {
      }
    }).detach();
  } catch (...) {
    print_report("tenon: no memory, or no thread, for a dump\n");
  }
}

std::string dump_text() {
  if (monitor::thread_id() == 0) return {};
  const goroutine_core* g = running_goroutine();
  const blocking_scope the_thread_waits;
  const auto r = std::make_unique<request>();
  if (g != nullptr) r->all.asked_for_by = g->id.load(std::memory_order_relaxed);
  if (monitor::is_this_thread()) {
    look(r->all);  // in a function of the user's that a cancellation calls; those whose turn it is wait for this thread
  } else {
    const std::lock_guard turn(asking);
    asked.store(r.get(), std::memory_order_release);
    monitor::request(&answer);
    while (r->done.load(std::memory_order_acquire) == 0) futex::wait(r->done, 0, 100'000'000);
  }
  std::string text;
  const std::lock_guard one_text_after_the_other(telling);
  tell(r->all, {[](void* to, const std::string& part) { static_cast<std::string*>(to)->append(part); }, &text});
  return text;
}

std::string calls_text(const void* const* pcs, unsigned n) { return stack_text().of({pcs, n}, top::caller); }

std::string place_text(const void* const* pcs, unsigned n) {
  for (unsigned i = 0; i < n; ++i) {
    for (const symbol& s : symbolize(pcs[i])) {
      if (s.from == origin::program) return short_place(s);
    }
  }
  return {};
}

}  // namespace tenon::diag

std::string tenon::dump() { return diag::dump_text(); }
