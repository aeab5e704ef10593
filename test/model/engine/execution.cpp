#include "model/engine/execution.hpp"

#include <cstring>
#include <new>

namespace tenon::model {

namespace {

constexpr std::uint64_t most_points = 50'000;
constexpr unsigned most_pauses = 64;

thread_local int own_number = -1;  // of the fiber: it has its own

unsigned self() noexcept { return static_cast<unsigned>(own_number); }

std::uint32_t decide_read(std::uint32_t n) noexcept { return the_execution->decide(kind::read, n); }

alignas(execution) unsigned char room[sizeof(execution)];

}  // namespace

execution* const the_execution =
    ::new (static_cast<void*>(room)) execution;  // never destroyed: fibers may still be in it

__attribute__((noinline)) bool modelled() noexcept { return own_number >= 0; }

// ---- who runs

void execution::run(const std::function<void()>& body) {
  ++number;
  mem.begin(how.memory, number, decide_read);
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
  decisions.begin();
  reset_program_heap();
  own_number = 0;
  body();
  for (unsigned t = 1; t < made; ++t) {
    if (threads[t].now != state::done) join(t, 0, place::current());
  }
  own_number = -1;
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
    own_number = -1;  // not the program's allocations
    t.its.create(thread_main, reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
    own_number = static_cast<int>(me);
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
  if (++points > most_points) give_up("no end after %llu operations", static_cast<unsigned long long>(most_points));
}

void execution::point(unsigned me) noexcept {
  count_point();
  threads[me].has_just_paused = false;
  unsigned who[most_threads];
  const std::uint32_t n = gather(state::ready, me, who);
  if (n == 0) return;
  const std::uint32_t pick = decide(kind::preempt, n + 1);
  if (pick != 0) switch_to(me, who[pick - 1]);
}

std::uint32_t execution::arrive(variable v, unsigned me) noexcept {
  if (v.its->state != cell::alive) give_up("an atomic is used after its end");
  const std::uint32_t l = mem.location_of(v);
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

void execution::sleep_on(variable v, std::uint32_t l, std::uint32_t expected, bool timed, unsigned me,
                         const place& where) noexcept {
  mem.fence(me, std::memory_order_seq_cst);
  if (static_cast<std::uint32_t>(mem.newest(me, l, std::memory_order_relaxed)) != expected) return;
  note(action::sleep, me, l, expected, std::memory_order_seq_cst, where);
  if (timed && decide(kind::timeout, 2) == 1) return;
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

std::memory_order execution::as_asked(std::memory_order o, const place& where) const noexcept {
  const bool weakened = where.line() == weak_line && std::strcmp(file_of(where), weak_file) == 0;
  return weakened ? std::memory_order_relaxed : o;
}

// ---- what atomics do

std::uint64_t load(variable v, std::memory_order order, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  const std::uint32_t l = e.arrive(v, me);
  order = e.as_asked(order, where);
  const std::uint64_t value = e.mem.load(me, l, order);
  e.note(action::load, me, l, value, order, where);
  return value;
}

void store(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  const std::uint32_t l = e.arrive(v, me);
  order = e.as_asked(order, where);
  e.note(action::store, me, l, value, order, where);
  e.mem.store(me, l, value, order);
  e.written();
}

std::uint64_t begin_rmw(variable v, std::memory_order order, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  const std::uint32_t l = e.arrive(v, me);
  return e.mem.newest(me, l, e.as_asked(order, where));
}

void end_rmw(variable v, std::uint64_t value, std::memory_order order, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  order = e.as_asked(order, where);
  e.note(action::modify, me, v.its->location, value, order, where);
  e.mem.replace(me, v.its->location, value, order);
  e.written();
}

bool begin_exchange(variable v, std::uint64_t& expected, std::memory_order order, std::memory_order failure,
                    const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  const std::uint32_t l = e.arrive(v, me);
  const bool ok = e.mem.matches(me, l, expected, e.as_asked(order, where), e.as_asked(failure, where));
  if (!ok) e.note(action::fail, me, l, expected, failure, where);
  return ok;
}

void fence(std::memory_order order, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  e.point(me);
  order = e.as_asked(order, where);
  e.note(action::fence, me, no_location, 0, order, where);
  e.mem.fence(me, order);
}

void fence_everywhere(const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  e.point(me);
  const std::memory_order order = e.as_asked(std::memory_order_seq_cst, where);
  e.note(action::fence, me, no_location, 0, order, where);
  if (order == std::memory_order_seq_cst) e.mem.fence_everywhere(me, e.made);
}

void pause(const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  modelled_thread& t = e.threads[me];
  if (t.has_just_paused) return;  // nothing has happened since
  e.note(action::pause, me, no_location, 0, std::memory_order_relaxed, where);
  t.now = state::paused;
  e.leave(me);
  t.now = state::ready;
  t.has_just_paused = true;
}

void futex_wait(variable v, std::uint32_t expected, std::int64_t timeout_ns, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  e.shared_next.add(v.bytes);  // its waker may know no more of it than its address
  const std::uint32_t l = e.arrive(v, me);
  e.sleep_on(v, l, expected, timeout_ns >= 0, me, where);
}

void futex_wake(variable v, bool all, const place& where) noexcept {
  execution& e = *the_execution;
  const unsigned me = self();
  e.point(me);  // the variable may be gone: only its address counts
  e.mem.fence(me, std::memory_order_seq_cst);
  e.note(action::wake, me, no_location, 0, std::memory_order_seq_cst, where);
  e.wake(v.bytes, all);
}

// ---- what programs do

thread::thread(std::function<void()> f, const place& where) : id_(the_execution->start(std::move(f), self(), where)) {}

thread::~thread() {
  if (!joined_) join();
}

void thread::join(const place& where) {
  joined_ = true;
  the_execution->join(id_, self(), where);
}

void failed(const char* what, const place& where) {
  give_up("%s, at %s:%u", what, file_of(where), static_cast<unsigned>(where.line()));
}

std::uint32_t choose(std::uint32_t n) noexcept { return the_execution->decide(kind::outcome, n); }

namespace detail {

namespace {
void in_order(const accesses& a, unsigned me, bool writes, const place& where) noexcept {
  const memory& mem = the_execution->mem;
  if (mem.model() != memory_model::c11) return;
  bool ordered = a.write == 0 || mem.knows(me, a.written_by, a.write);
  for (unsigned t = 0; writes && t < most_threads; ++t) ordered &= a.reads[t] == 0 || mem.knows(me, t, a.reads[t]);
  if (ordered) return;
  give_up("a race: %s at %s:%u in no order with %s:%u", writes ? "written" : "read", file_of(where),
          static_cast<unsigned>(where.line()), file_of(a.where), static_cast<unsigned>(a.where.line()));
}
}  // namespace

void plain_read(accesses& a, const place& where) noexcept {
  if (!modelled()) return;
  const unsigned me = self();
  in_order(a, me, false, where);
  a.reads[me] = the_execution->mem.epoch(me);
  if (a.write == 0) a.where = where;
}

void plain_write(accesses& a, const place& where) noexcept {
  if (!modelled()) return;
  const unsigned me = self();
  in_order(a, me, true, where);
  a.written_by = static_cast<std::uint16_t>(me);
  a.write = the_execution->mem.epoch(me);
  a.where = where;
}

}  // namespace detail

}  // namespace tenon::model
