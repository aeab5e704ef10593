#include "model/engine/execution.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "model/engine/statics.hpp"

namespace tenon::model {

namespace {

constexpr std::uint64_t most_points = 50'000;
constexpr unsigned most_pauses = 64;
// In nanoseconds.
constexpr std::int64_t time_of_an_operation = 10;
constexpr std::int64_t time_of_a_pause = 4'000;

constexpr std::int64_t first_moment = 1'000'000'000'000;

thread_local int own_number = -1;  // of the fiber: it has its own

unsigned self() noexcept { return static_cast<unsigned>(own_number); }

/// While it lives, what the fiber does is the engine's and not the program's.
class within {
 public:
  within() noexcept : me(self()) { own_number = -1; }
  ~within() { own_number = static_cast<int>(me); }
  within(const within&) = delete;
  within& operator=(const within&) = delete;

  const unsigned me;
};

std::uint32_t decide_read(std::uint32_t n) noexcept { return the_execution->decide(kind::read, n); }

}  // namespace

// Not among the variables of static storage, which each execution puts back.
execution* const the_execution = [] {
  void* p = ::mmap(nullptr, sizeof(execution), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) std::abort();
  return ::new (p) execution;
}();

__attribute__((noinline)) bool modelled() noexcept { return own_number >= 0; }

// ---- who runs

void execution::run(const std::function<void()>& body) {
  ++number;
  mem.begin(how.memory, number, decide_read);
  accesses.begin(number);
  for (modelled_thread& t : threads) {
    t.now = state::unused;
    t.has_just_paused = false;
  }
  made = 1;
  threads[0].now = state::ready;
  if (!threads[0].its.exists()) threads[0].its.adopt_caller();
  user = {};
  events.clear();
  points = 0;
  pauses = 0;
  time = 0;
  decisions.begin();
  reset_program_heap();
  put_back_statics();
  own_number = 0;
  body();
  own_number = -1;
  for (unsigned t = 1; t < made; ++t) {
    if (threads[t].now != state::done) join(t, 0, place::current());
  }
  mem.end();
}

void execution::thread_main(void* number) {
  const auto me = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(number));
  execution& e = *the_execution;
  for (;;) {
    own_number = static_cast<int>(me);
    e.threads[me].run();
    e.threads[me].run = nullptr;
    own_number = -1;
    e.note(action::end, me, no_location, 0, std::memory_order_relaxed, place::current());
    e.threads[me].now = state::done;
    for (unsigned t = 0; t < e.made; ++t) {
      if (e.threads[t].now == state::joining && e.threads[t].awaits == me) e.threads[t].now = state::ready;
    }
    e.pauses = 0;
    e.leave(me);  // until it is started again
  }
}

unsigned execution::start(std::function<void()> f, unsigned me, const place& where) {
  if (made == most_threads) give_up("more than %u threads", most_threads);
  const unsigned id = made++;
  modelled_thread& t = threads[id];
  t.run = std::move(f);
  t.now = state::ready;
  mem.start_thread(me, id);
  note(action::start, me, no_location, 0, std::memory_order_relaxed, where);
  if (!t.its.exists()) {
    t.its.create(thread_main, reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
  }
  return id;
}

void execution::join(unsigned id, unsigned me, const place& where) noexcept {
  if (threads[id].now != state::done) {
    threads[me].now = state::joining;
    threads[me].awaits = id;
    leave(me);
  }
  mem.join_thread(me, id);
  note(action::join, me, no_location, 0, std::memory_order_relaxed, where);
}

std::uint32_t execution::decide(kind what, std::uint32_t n) noexcept {
  const std::uint32_t taken = decisions.decide(what, n, points);
  if (taken > n) give_up("the program does not do the same when it is repeated");
  return taken;
}

void execution::switch_to(unsigned me, unsigned t) noexcept {
  if (t != me) threads[me].its.switch_to(threads[t].its);
}

std::uint32_t execution::gather(state wanted, unsigned but, unsigned (&out)[most_threads]) const noexcept {
  std::uint32_t n = 0;
  for (unsigned t = 0; t < made; ++t) {
    if (t != but && threads[t].now == wanted) out[n++] = t;
  }
  return n;
}

/// Who goes on when the one that runs cannot.
unsigned execution::next_thread() noexcept {
  unsigned who[most_threads];
  std::uint32_t n = gather(state::ready, most_threads, who);
  if (n == 0) {
    n = gather(state::paused, most_threads, who);
    if (n > 0 && ++pauses > most_pauses) give_up("a thread spins, and no other can do anything about it");
    for (std::uint32_t i = 0; i < n; ++i) threads[who[i]].now = state::ready;
  }
  if (n == 0) {  // time passes
    for (unsigned t = 0; t < made; ++t) {
      if (threads[t].now == state::asleep && threads[t].timed) who[n++] = t;
    }
    if (n == 0) give_up("everybody sleeps: a wake-up was lost, or nobody was to give it");
    const unsigned t = who[decide(kind::forced, n)];
    time = std::max(time, threads[t].until);
    threads[t].now = state::ready;
    return t;
  }
  return who[decide(kind::forced, n)];
}

void execution::leave(unsigned me) noexcept { switch_to(me, next_thread()); }

void execution::written() noexcept {
  pauses = 0;
  for (unsigned t = 0; t < made; ++t) {
    if (threads[t].now == state::paused) threads[t].now = state::ready;
  }
}

void execution::count_point() noexcept {
  time += time_of_an_operation;
  if (++points > most_points) give_up("no end after %llu operations", static_cast<unsigned long long>(most_points));
}

void execution::point(unsigned me) noexcept {
  count_point();
  threads[me].has_just_paused = false;
  unsigned who[most_threads];
  std::uint32_t n = 0;
  for (unsigned t = 0; t < made; ++t) {  // also one that pauses: it may look again although nothing was written
    if (t != me && (threads[t].now == state::ready || threads[t].now == state::paused)) who[n++] = t;
  }
  if (n == 0) return;
  const std::uint32_t pick = decide(kind::preempt, n + 1);
  if (pick == 0) return;
  threads[who[pick - 1]].now = state::ready;
  switch_to(me, who[pick - 1]);
}

std::uint32_t execution::arrive(variable v, unsigned me) noexcept {
  if (v.its->state != cell::alive) give_up("an atomic is used after its end");
  const std::uint32_t l = mem.location_of(v);
  mem.uses(me, l);
  if (user[l] != me + 1) {
    if (user[l] != 0) shared_next.add(v.bytes);
    user[l] = static_cast<std::uint8_t>(me + 1);
  }
  if (!shared.has(v.bytes)) {
    count_point();
    threads[me].has_just_paused = false;
    return l;
  }
  point(me);
  // Others have been here meanwhile.
  if (v.its->state != cell::alive || v.its->execution != number) give_up("an atomic is used after its end");
  user[l] = static_cast<std::uint8_t>(me + 1);
  return l;
}

void execution::sleep_on(variable v, std::uint32_t l, std::uint32_t expected, std::int64_t timeout_ns, unsigned me,
                         const place& where) noexcept {
  const bool timed = timeout_ns >= 0;
  mem.fence(me, std::memory_order_seq_cst);
  if (static_cast<std::uint32_t>(mem.newest(me, l, std::memory_order_relaxed)) != expected) return;
  note(action::sleep, me, l, expected, std::memory_order_seq_cst, where);
  threads[me].until = time + timeout_ns;
  if (timed && decide(kind::timeout, 2) == 1) {
    time = std::max(time, threads[me].until);
    return;
  }
  threads[me].timed = timed;
  threads[me].word = v.bytes;
  threads[me].now = state::asleep;
  leave(me);
  mem.fence(me, std::memory_order_seq_cst);
  note(action::woken, me, l, 0, std::memory_order_seq_cst, where);
}

void execution::wake(const void* word, bool all) noexcept {
  unsigned who[most_threads];
  std::uint32_t n = 0;
  for (unsigned t = 0; t < made; ++t) {
    if (threads[t].now == state::asleep && threads[t].word == word) who[n++] = t;
  }
  if (n == 0) return;
  pauses = 0;
  if (!all) {
    threads[who[decide(kind::outcome, n)]].now = state::ready;
    return;
  }
  for (std::uint32_t i = 0; i < n; ++i) threads[who[i]].now = state::ready;
}

void place_set::add(const char* file, std::uint_least32_t line, std::memory_order order) noexcept {
  std::size_t at = (reinterpret_cast<std::uintptr_t>(file) + line * 0x9e3779b1U) % entries_.size();
  while (entries_[at].file != nullptr &&
         (entries_[at].file != file || entries_[at].line != line || entries_[at].order != order)) {
    at = (at + 1) % entries_.size();
  }
  entries_[at] = {file, line, order};
}

std::memory_order execution::as_asked(std::memory_order o, const place& where) noexcept {
  if (how.tell_places) places.add(where.file_name(), where.line(), o);
  const bool weakened = where.line() == weak_line && std::strcmp(file_of(where), weak_file) == 0;
  return weakened ? std::memory_order_relaxed : o;
}

// ---- what atomics do

void ends(const cell& its) noexcept {
  const within engine;
  const execution& e = *the_execution;
  if (e.mem.model() != memory_model::c11 || its.execution != e.number) return;
  const unsigned other = e.mem.unordered_user(engine.me, its.location);
  if (other == most_threads) return;
  give_up("thread %u ends an atomic that thread %u has used, in no order", engine.me, other);
}

std::uint64_t load(variable v, std::memory_order order, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  const std::uint32_t l = e.arrive(v, me);
  order = e.as_asked(order, where);
  const std::uint64_t value = e.mem.load(me, l, order);
  e.note(action::load, me, l, value, order, where);
  return value;
}

void store(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  const std::uint32_t l = e.arrive(v, me);
  order = e.as_asked(order, where);
  e.note(action::store, me, l, value, order, where);
  e.mem.store(me, l, value, order);
  e.written();
}

std::uint64_t begin_rmw(variable v, std::memory_order order, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  const std::uint32_t l = e.arrive(v, me);
  return e.mem.newest(me, l, e.as_asked(order, where));
}

void end_rmw(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  order = e.as_asked(order, where);
  e.note(action::modify, me, v.its->location, value, order, where);
  e.mem.replace(me, v.its->location, value, order);
  e.written();
}

bool begin_exchange(variable v, std::uint64_t& expected, std::memory_order order, std::memory_order failure,
                    const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  const std::uint32_t l = e.arrive(v, me);
  const bool ok = e.mem.matches(me, l, expected, e.as_asked(order, where), e.as_asked(failure, where));
  if (!ok) e.note(action::fail, me, l, expected, failure, where);
  return ok;
}

void fence(std::memory_order order, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  e.point(me);
  order = e.as_asked(order, where);
  e.note(action::fence, me, no_location, 0, order, where);
  e.mem.fence(me, order);
}

void fence_everywhere(const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  e.point(me);
  const std::memory_order order = e.as_asked(std::memory_order_seq_cst, where);
  e.note(action::fence, me, no_location, 0, order, where);
  if (order == std::memory_order_seq_cst) e.mem.fence_everywhere(me, e.made);
}

void pause(const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  modelled_thread& t = e.threads[me];
  if (t.has_just_paused) return;  // nothing has happened since
  e.note(action::pause, me, no_location, 0, std::memory_order_relaxed, where);
  e.time += time_of_a_pause;
  t.now = state::paused;
  e.leave(me);
  t.now = state::ready;
  t.has_just_paused = true;
}

void futex_wait(variable v, std::uint32_t expected, std::int64_t timeout_ns, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  e.shared_next.add(v.bytes);  // its waker may know no more of it than its address
  const std::uint32_t l = e.arrive(v, me);
  e.sleep_on(v, l, expected, timeout_ns, me, where);
}

void futex_wake(variable v, bool all, const place& where) noexcept {
  const within engine;
  execution& e = *the_execution;
  const unsigned me = engine.me;
  e.point(me);  // the variable may be gone: only its address counts
  e.mem.fence(me, std::memory_order_seq_cst);
  e.note(action::wake, me, no_location, 0, std::memory_order_seq_cst, where);
  e.wake(v.bytes, all);
}

// ---- what programs do

std::int64_t now() noexcept { return first_moment + the_execution->time; }

thread::thread(std::function<void()> f, const place& where) : id_(the_execution->start(std::move(f), self(), where)) {}

thread::~thread() {
  if (!joined_) join();
}

void thread::join(const place& where) {
  joined_ = true;
  const within engine;
  the_execution->join(id_, engine.me, where);
}

void failed(const char* what, const place& where) {
  own_number = -1;
  give_up("%s, at %s:%u", what, file_of(where), static_cast<unsigned>(where.line()));
}

std::uint32_t choose(std::uint32_t n) noexcept {
  if (!modelled()) return 0;
  const within engine;
  return the_execution->decide(kind::outcome, n);
}

void observed(const void* p, std::size_t n, bool writes, const void* code) noexcept {
  if (own_number < 0 || the_execution->how.memory != memory_model::c11) return;
  const within engine;
  the_execution->accesses.access(engine.me, reinterpret_cast<std::uintptr_t>(p), n, writes, access_table::by::plain,
                                 code);
}

void synchronize(void* p, std::size_t n, bool writes, const void* code) noexcept {
  if (own_number < 0 || the_execution->how.memory != memory_model::c11) return;
  const within engine;
  the_execution->mem.take_over(engine.me, p);
  the_execution->accesses.access(engine.me, reinterpret_cast<std::uintptr_t>(p), n, writes, access_table::by::atomic,
                                 code);
  the_execution->mem.hand_on(engine.me, p);
}

}  // namespace tenon::model
