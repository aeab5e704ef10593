#pragma once

// The programs of Go's own race detector (src/runtime/race/testdata, Go 1.26), written anew: small ones in which two accesses to a plain variable
// are in no order, or are put in order by one primitive. docs/races.md lists them, with those that are left out.
//
// They are run in two ways. test/model/races_test.cpp explores them, with threads; test/races/go/race_go.cpp runs them as goroutines under
// ThreadSanitizer. Whoever includes this file says first what a `races::task` is: it is made of something to call, starts it, and its destructor
// and `join()` wait for it.
//
// Of Go's programs these differ in four things:
//  - What Go leaves behind is joined, after everything that matters: tasks are declared last, so their destructors come first. A channel
//    that was there for nothing else is gone.
//  - Where Go sleeps there is nothing, or a `moment`.
//  - A number is smaller where nothing depends on it: of tasks (the model has eight threads, with the one that begins), of rounds.
//  - A race that Go declares, between two operations of one channel or wait group, is none here: those are safe to call at any time.
//
// long: one program for each of Go's

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <type_traits>

#include <tenon/detail/atomic.hpp>
#include <tenon/tenon.hpp>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety"  // in some a lock is handed on
#endif

namespace races {

// ---- what the programs are made of

/// `stored(v = 1)` makes the store, there and then. It stands in the caller's line, which is what a report names.
template <class T>
void stored(T& v) noexcept {
  asm volatile("" : : "r"(&v) : "memory");
}

/// `loaded(v)` makes the load, likewise.
template <class T>
T loaded(T v) noexcept {
  asm volatile("" : : "r"(v) : "memory");
  return v;
}

/// Go's `recover`: whether f panicked.
template <class F>
bool panics(F f) {
  try {
    f();
  } catch (const tenon::panic&) {
    return true;
  }
  return false;
}

/// One comes to it before another goes on from it, which orders nothing: both are relaxed. ThreadSanitizer sees one order in each run, and by the
/// lock of a channel, or the count of a wait group, many orders are without the race. With its moments a race is one in every order that is
/// left. Exploration looks for the order by itself: for it there are none.
class moment {
 public:
  void reach() noexcept {
    if (!is_explored) reached_.fetch_add(1, std::memory_order_relaxed);
  }
  void await(int times = 1) const noexcept {
    while (!is_explored && reached_.load(std::memory_order_relaxed) < times) tenon::yield();
  }
  /// By each of `n`: all go on together.
  void meet(int n) noexcept {
    reach();
    await(n);
  }

 private:
#if defined(TENON_MODEL)
  static constexpr bool is_explored = true;
#else
  static constexpr bool is_explored = false;
#endif
  std::atomic<int> reached_{0};
};

/// What Go's sync/atomic works on. Explored it is the model's.
template <class T>
using atomic = tenon::detail::atomic<T>;

template <class T>
bool compare_and_swap(atomic<T>& v, std::type_identity_t<T> from, std::type_identity_t<T> to) {
  return v.compare_exchange_strong(from, to);
}

/// Tasks whose number is not one or two.
using tasks = std::list<task>;

constexpr std::string_view as_gos = "as Go's";

// ---- chan_test.go

static void chan_sync() {
  int v = 0;
  const auto c = tenon::make_chan<int>();
  task a([&] {
    stored(v = 1);
    c.send(0);
  });
  (void)c.recv();
  stored(v = 2);
}

static void chan_sync_rev() {
  int v = 0;
  const auto c = tenon::make_chan<int>();
  task a([&] {
    c.send(0);
    stored(v = 2);
  });
  stored(v = 1);
  (void)c.recv();
}

static void chan_async() {
  int v = 0;
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] {
    stored(v = 1);
    c.send(0);
  });
  (void)c.recv();
  stored(v = 2);
}

static void chan_async_rev() {
  int v = 0;
  moment sent;
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] {
    c.send(0);
    stored(v = 1);
    sent.reach();
  });
  sent.await();
  stored(v = 2);
  (void)c.recv();
}

/// Go's writes in a deferred function: it would also run if the receive panicked.
static void after_recv_of_closed(const tenon::chan<int>& c) {
  int v = 0;
  task a([&] {
    stored(v = 1);
    c.close();
  });
  const struct at_the_end {
    int& its;
    ~at_the_end() { stored(its = 2); }
  } writes{v};
  (void)c.recv();
}
static void chan_async_close_recv() { after_recv_of_closed(tenon::make_chan<int>(10, as_gos)); }
static void chan_sync_close_recv() { after_recv_of_closed(tenon::make_chan<int>()); }

static void after_recv2_of_closed(const tenon::chan<int>& c) {
  int v = 0;
  task a([&] {
    stored(v = 1);
    c.close();
  });
  if (!c.recv()) stored(v = 2);
}
static void chan_async_close_recv2() { after_recv2_of_closed(tenon::make_chan<int>(10, as_gos)); }
static void chan_sync_close_recv2() { after_recv2_of_closed(tenon::make_chan<int>()); }

static void after_range_over_closed(const tenon::chan<int>& c) {
  int v = 0;
  task a([&] {
    stored(v = 1);
    c.close();
  });
  for ([[maybe_unused]] const int got : c) {
  }
  stored(v = 2);
}
static void chan_async_close_recv3() { after_range_over_closed(tenon::make_chan<int>(10, as_gos)); }
static void chan_sync_close_recv3() { after_range_over_closed(tenon::make_chan<int>()); }

static void chan_sync_close_send() {
  int v = 0;
  const auto c = tenon::make_chan<int>();
  task a([&] {
    stored(v = 1);
    c.close();
  });
  if (panics([&] { c.send(0); })) stored(v = 2);
}

static void chan_async_close_send() {
  int v = 0;
  const auto c = tenon::make_chan<int>(2, "Go's 10 would only take longer to fill");
  task a([&] {
    stored(v = 1);
    c.close();
  });
  const bool panicked = panics([&] {
    for (;;) c.send(0);
  });
  if (panicked) stored(v = 2);
}

static void chan_close_close() {
  int v1 = 0;
  int v2 = 0;
  const auto c = tenon::make_chan<int>();
  task a([&] {
    stored(v1 = 1);
    if (panics([&] { c.close(); })) stored(v2 = 2);
  });
  task b([&] {
    stored(v2 = 1);
    if (panics([&] { c.close(); })) stored(v1 = 2);
  });
}

static void chan_send_len() {
  int v = 0;
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] {
    stored(v = 1);
    c.send(1);
  });
  while (c.len() == 0) tenon::yield();
  stored(v = 2);
}

static void chan_recv_len() {
  int v = 0;
  const auto c = tenon::make_chan<int>(10, as_gos);
  c.send(1);
  task a([&] {
    stored(v = 1);
    (void)c.recv();
  });
  while (c.len() != 0) tenon::yield();
  stored(v = 2);
}

static void chan_send_send() {
  int v1 = 0;
  int v2 = 0;
  moment filled;
  const auto c = tenon::make_chan<int>(1);
  task a([&] {
    stored(v1 = 1);
    auto to_c = tenon::send(c, 1);
    tenon::select(to_c, tenon::otherwise);
    if (!to_c) stored(v2 = 2);
    filled.reach();
  });
  task b([&] {
    filled.await();
    stored(v2 = 1);
    auto to_c = tenon::send(c, 1);
    tenon::select(to_c, tenon::otherwise);
    if (!to_c) stored(v1 = 2);
  });
}

static void chan_ptr() {
  struct message {
    int x;
  };
  const auto c = tenon::make_chan<std::unique_ptr<message>>();
  task a([&] { c.send(std::make_unique<message>(message{1})); });
  const auto m = *c.recv();
  stored(m->x = 2);
}

static void chan_wrong_send() {
  int v1 = 0;
  int v2 = 0;
  moment written;
  const auto c = tenon::make_chan<int>(2, as_gos);
  task a([&] {
    stored(v1 = 1);
    c.send(1);
  });
  task b([&] {
    stored(v2 = 2);
    written.await();
    c.send(2);
  });
  if (c.recv() == 1) {
    stored(v2 = 3);
  } else {
    stored(v1 = 3);
  }
  written.reach();
}

static void chan_wrong_close() {
  int v1 = 0;
  int v2 = 0;
  moment written;
  const auto c = tenon::make_chan<int>(1);
  task a([&] {
    stored(v1 = 1);
    (void)panics([&] { c.send(1); });
  });
  task b([&] {
    stored(v2 = 2);
    written.await();
    c.close();
  });
  if (c.recv()) {
    stored(v2 = 2);
  } else {
    stored(v1 = 2);
  }
  written.reach();
}

static void chan_send_close() {
  const auto c = tenon::make_chan<int>(1);
  task a([&] { (void)panics([&] { c.send(1); }); });
  task b([&] { c.close(); });
}

static void chan_send_select_close() {
  const auto c = tenon::make_chan<int>(1);
  const auto c1 = tenon::make_chan<int>();
  task a([&] {
    auto to_c = tenon::send(c, 1);
    auto from_c1 = tenon::recv(c1);
    (void)panics([&] { tenon::select(to_c, from_c1); });
  });
  task b([&] { c.close(); });
}

static void select_read_write_async_race() {
  int x = 0;
  const auto c1 = tenon::make_chan<int>(10, as_gos);
  const auto c2 = tenon::make_chan<int>(10, as_gos);
  const auto c3 = tenon::make_chan<int>();
  c2.send(1);
  task a([&] {
    auto to_c1 = tenon::send(c1, loaded(x));
    auto to_c3 = tenon::send(c3, 1);
    tenon::select(to_c1, to_c3);
  });
  auto from_c2 = tenon::recv(c2);
  auto to_c3 = tenon::send(c3, 1);
  tenon::select(from_c2, to_c3);
  stored(x = *from_c2);
}

static void select_read_write_sync() {
  int x = 0;
  moment written;
  const auto c1 = tenon::make_chan<int>();
  const auto c2 = tenon::make_chan<int>();
  const auto c3 = tenon::make_chan<int>();
  task takes([&] { (void)c1.recv(); });
  task gives([&] { c2.send(1); });
  task a([&] {
    written.await();
    auto to_c1 = tenon::send(c1, loaded(x));
    auto to_c3 = tenon::send(c3, 1);
    tenon::select(to_c1, to_c3);
  });
  auto from_c2 = tenon::recv(c2);
  auto to_c3 = tenon::send(c3, 1);
  tenon::select(from_c2, to_c3);
  stored(x = *from_c2);
  written.reach();
}

static void select_read_write_async() {
  int x = 0;
  const auto c1 = tenon::make_chan<int>();
  const auto c2 = tenon::make_chan<int>();
  task a([&] {
    auto to_c1 = tenon::send(c1, loaded(x));
    auto to_c2 = tenon::send(c2, 1);
    tenon::select(to_c1, to_c2);
  });
  auto from_c1 = tenon::recv(c1);
  auto to_c2 = tenon::send(c2, 1);
  tenon::select(from_c1, to_c2);
  stored(x = *from_c1);
}

static void chan_read_write_async_race() {
  int x = 0;
  const auto c1 = tenon::make_chan<int>(10, as_gos);
  const auto c2 = tenon::make_chan<int>(10, as_gos);
  c2.send(10);
  task a([&] { c1.send(loaded(x)); });
  const int got = *c2.recv();
  stored(x = got);
}

static void chan_read_write_sync() {
  int x = 0;
  const auto c1 = tenon::make_chan<int>();
  const auto c2 = tenon::make_chan<int>();
  task takes([&] { (void)c1.recv(); });
  task gives([&] { c2.send(10); });
  task a([&] { c1.send(loaded(x)); });
  const int got = *c2.recv();
  stored(x = got);
}

static void chan_read_write_async() {
  int x = 0;
  const auto c1 = tenon::make_chan<int>(10, as_gos);
  task a([&] { c1.send(loaded(x)); });
  const int got = *c1.recv();
  stored(x = got);
}

/// Something to do, and who is told when it is done.
struct job {
  std::function<void()> f;
  tenon::chan<void> done;
};

static void producer_consumer_unbuffered() {
  int x = 0;
  const auto queue = tenon::make_chan<job>();
  task a([&] {
    const job next = *queue.recv();
    next.f();
    next.done.send();
  });
  const auto done = tenon::make_chan<void>(1);
  queue.send({[&] { stored(x = 1); }, done});
  done.recv();
  loaded(x);
}

// The race is for the handle. The channel that it held is kept by another one: whoever got hold of it may go on.

static void chan_itself_send() {
  auto c = tenon::make_chan<int>(10, as_gos);
  const auto kept = c;
  task a([&] { c.send(0); });
  stored(c = tenon::make_chan<int>(20, as_gos));
}

static void chan_itself_recv() {
  auto c = tenon::make_chan<int>(10, as_gos);
  const auto kept = c;
  c.send(1);
  task a([&] { (void)c.try_recv(); });  // there is nothing to receive from the other one
  stored(c = tenon::make_chan<int>(20, as_gos));
}

static void chan_itself_nil() {
  auto c = tenon::make_chan<int>(10, as_gos);
  const auto kept = c;
  task a([&] { (void)c.try_send(0); });
  stored(c = nullptr);
}

static void chan_itself_close() {
  auto c = tenon::make_chan<int>();
  const auto kept = c;
  task a([&] { c.close(); });
  stored(c = tenon::make_chan<int>());
}

static void chan_itself_len() {
  auto c = tenon::make_chan<int>();
  const auto kept = c;
  task a([&] { (void)c.len(); });
  stored(c = tenon::make_chan<int>());
}

static void chan_itself_cap() {
  auto c = tenon::make_chan<int>();
  const auto kept = c;
  task a([&] { (void)c.cap(); });
  stored(c = tenon::make_chan<int>());
}

static void chan_close_len() {
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] { (void)c.len(); });
  task b([&] { c.close(); });
}

static void chan_close_cap() {
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] { (void)c.cap(); });
  task b([&] { c.close(); });
}

static void chan_close_send() {
  const auto c = tenon::make_chan<int>(10, as_gos);
  task a([&] { c.close(); });
  (void)panics([&] { c.send(0); });
}

static void chan_mutex() {
  int data = 0;
  const auto mu = tenon::make_chan<void>(1);
  const auto write = [&](int x) {
    mu.send();
    stored(data = x);
    mu.recv();
  };
  task a([&] { write(42); });
  write(43);
}

static void select_mutex() {
  int data = 0;
  const auto mu = tenon::make_chan<void>(1);
  const auto aux = tenon::make_chan<void>();
  const auto write = [&](int x) {
    auto lock = tenon::send(mu);
    auto never = tenon::recv(aux);
    tenon::select(lock, never);
    stored(data = x);
    auto unlock = tenon::recv(mu);
    tenon::select(unlock, never);
  };
  task a([&] { write(42); });
  write(43);
}

static void chan_sem() {
  int data = 0;
  moment inside;
  const auto mu = tenon::make_chan<void>(2, "a semaphore of two is no lock");
  const auto write = [&](int x) {
    mu.send();
    stored(data = x);
    inside.meet(2);
    mu.recv();
  };
  task a([&] { write(42); });
  write(43);
}

static void chan_wait_group() {
  constexpr int n = 4;  // Go's 10 are more than the model has threads
  int data[n] = {};
  const auto running = tenon::make_chan<void>(n / 2, "those that run at a time");
  tasks all;
  for (int i = 0; i < n; ++i) {
    running.send();
    all.emplace_back([&, i] {
      stored(data[i] = 42);
      running.recv();
    });
  }
  for (int i = 0; i < n / 2; ++i) running.send();
  for (const int& d : data) loaded(d);
}

static void blocked_send_sync() {
  int i = 0;
  const auto c = tenon::make_chan<int*>(1);
  c.send(nullptr);
  task a([&] {
    stored(i = 42);
    c.send(&i);
  });
  (void)c.recv();
  const int* p = *c.recv();
  loaded(*p);
}

static void blocked_select_send_sync() {
  int i = 0;
  const auto c = tenon::make_chan<int*>(1);
  c.send(nullptr);
  task a([&] {
    stored(i = 42);
    c.send(&i);
  });
  (void)c.recv();
  auto from_c = tenon::recv(c);
  auto never = tenon::recv(tenon::make_chan<int>());
  tenon::select(from_c, never);
  loaded(**from_c);
}

static void close_happens_before_read() {
  int at = 0;
  const auto write = tenon::make_chan<void>();
  const auto read = tenon::make_chan<void>();
  task a([&] {
    auto is_written = tenon::recv(write);
    tenon::select(is_written, tenon::otherwise);
    if (is_written) loaded(at);
    read.close();
  });
  task b([&] {
    stored(at = 1);
    write.close();
  });
  read.recv();
}

static void elem_size0() {
  int x = 0;
  int y = 0;
  const auto c = tenon::make_chan<void>(2, as_gos);
  c.send();
  c.send();
  task a([&] {
    stored(x += 1);
    c.recv();
  });
  task b([&] {
    stored(y += 1);
    c.recv();
  });
  c.send();
  c.send();
  stored(x += 1);
  stored(y += 1);
}

// ---- two receivers of a channel that is closed: each knows what was done before the close, and nothing of the other. None of Go's.

static void closed_chan_two_receivers() {
  int v = 0;
  const auto c = tenon::make_chan<int>(1);
  c.close();
  const auto receive_and_write = [&] {
    (void)c.recv();
    stored(v = 1);
  };
  task a(receive_and_write);
  task b(receive_and_write);
}

static void closed_chan_two_receivers_again() {
  int v = 0;
  moment received;
  const auto c = tenon::make_chan<int>(1);
  c.close();
  task a([&] {
    (void)c.recv();
    stored(v = 1);
    received.await();
    (void)c.recv();  // whoever receives later knows of the write, by the channel's lock
  });
  task b([&] {
    (void)c.recv();
    received.reach();
    stored(v = 2);
  });
}

// ---- select_test.go

static void select1() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    auto to_c = tenon::send(c, true);
    auto to_c1 = tenon::send(c1, true);
    tenon::select(to_c, to_c1);
  });
  auto from_c = tenon::recv(c);
  auto to_c1 = tenon::send(c1, true);
  tenon::select(from_c, to_c1);
  stored(x = 2);
}

static void select2() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    auto from_c = tenon::recv(c);
    auto from_c1 = tenon::recv(c1);
    tenon::select(from_c, from_c1);
    stored(x = 1);
  });
  stored(x = 2);
  c.close();
}

static void select3() {
  int x = 0;
  const auto c = tenon::make_chan<bool>(10, as_gos);
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    auto to_c = tenon::send(c, true);
    auto from_c1 = tenon::recv(c1);
    tenon::select(to_c, from_c1);
  });
  (void)c.recv();
  stored(x = 2);
}

static void select4() {
  int x = 0;
  const auto queue = tenon::make_chan<job>();
  const auto dummy = tenon::make_chan<void>();
  task a([&] {
    for (auto next = tenon::recv(queue);;) {
      tenon::select(next);
      if (next.closed()) return;
      next->f();
      next->done.send();
    }
  });
  const auto done = tenon::make_chan<void>(1);
  auto put = tenon::send(queue, {[&] { stored(x = 1); }, done});
  auto never = tenon::recv(dummy);
  tenon::select(put, never);
  auto end = tenon::recv(done);
  tenon::select(end, never);
  loaded(x);
  queue.close();
}

// Go's, with and without a select; whoever yields first is for exploration to decide.

static void select5() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    auto to_c = tenon::send(c, true);
    auto from_c1 = tenon::recv(c1);
    tenon::select(to_c, from_c1);
  });
  task b([&] {
    auto from_c = tenon::recv(c);
    auto from_c1 = tenon::recv(c1);
    tenon::select(from_c, from_c1);
    stored(x = 1);
  });
}

static void select5_without() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    c.send(true);
  });
  task b([&] {
    (void)c.recv();
    stored(x = 1);
  });
}

static void select1_race() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task takes([&] {
    (void)c.recv();
    (void)c.recv();
  });
  const auto send_and_write = [&] {
    auto to_c = tenon::send(c, true);
    auto to_c1 = tenon::send(c1, true);
    tenon::select(to_c, to_c1);
    stored(x = 1);
  };
  task a(send_and_write);
  task b(send_and_write);
}

static void select2_race() {
  int x = 0;
  moment closed;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    closed.await();
    auto from_c = tenon::recv(c);
    auto from_c1 = tenon::recv(c1);
    tenon::select(from_c, from_c1);
  });
  c.close();
  stored(x = 2);
  closed.reach();
}

static void select3_race() {
  int x = 0;
  const auto c = tenon::make_chan<bool>();
  const auto c1 = tenon::make_chan<bool>();
  task a([&] {
    stored(x = 1);
    auto to_c = tenon::send(c, true);
    auto to_c1 = tenon::send(c1, true);
    tenon::select(to_c, to_c1);
  });
  stored(x = 2);
  auto from_c = tenon::recv(c);
  tenon::select(from_c);
}

static void select4_race() {
  int x = 0;
  task a([&] {
    tenon::select(tenon::otherwise);
    stored(x = 2);
  });
  loaded(x);
}

static void select5_race() {
  int x = 0;
  int y = 0;
  const auto c1 = tenon::make_chan<bool>(1);
  const auto c2 = tenon::make_chan<bool>();
  task a([&] {
    auto to_c1 = tenon::send(c1, true);
    auto to_c2 = tenon::send(c2, true);
    tenon::select(to_c1, to_c2);
    if (to_c1) stored(x = 1);
    if (to_c2) stored(y = 1);
  });
  loaded(x);
  loaded(y);
}

// ---- waitgroup_test.go

static void wait_group() {
  int x = 0;
  tenon::wait_group wg;
  wg.add(1);
  task a([&] {
    stored(x = 1);
    wg.done();
  });
  wg.wait();
}

static void wait_group_race() {
  int x = 0;
  moment started;
  tenon::wait_group wg;
  tasks all;
  for (int i = 0; i < 2; ++i) {
    wg.add(1);
    all.emplace_back([&, i] {
      started.await();  // else the second `add` may come after the first `done`
      stored(x = i);
      wg.done();
    });
  }
  started.reach();
  wg.wait();
}

static void wait_group2() {
  int x = 0;
  tenon::wait_group wg;
  wg.add(1);
  task a([&] {
    stored(x = 1);
    wg.done();
  });
  wg.wait();
  stored(x = 2);
}

static void wait_group_as_mutex() {
  int x = 0;
  moment waited;
  moment inside;
  tenon::wait_group wg;
  const auto write = [&](int v) {
    wg.wait();
    waited.meet(2);
    wg.add(+1);
    stored(x = v);
    inside.meet(2);
    wg.add(-1);
  };
  task a([&] { write(1); });
  task b([&] { write(2); });
}

static void wait_group_wrong_wait() {
  int x = 0;
  moment inside;
  tenon::wait_group wg;
  const auto write = [&](int v) {
    wg.add(1);
    stored(x = v);
    inside.meet(2);
    wg.done();
  };
  task a([&] { write(1); });
  task b([&] { write(2); });
  (void)panics([&] { wg.wait(); });  // it may be reused too early
}

static void wait_group_wrong_add() {
  tenon::wait_group wg;
  const auto add = [&] {
    wg.add(1);
    wg.done();
  };
  task a(add);
  task b(add);
  (void)panics([&] { wg.wait(); });
}

static void wait_group_multiple_wait() {
  tenon::wait_group wg;
  task a([&] { wg.wait(); });
  task b([&] { wg.wait(); });
  wg.wait();
}

static void wait_group_multiple_wait2() {
  tenon::wait_group wg;
  wg.add(2);
  const auto done_and_wait = [&] {
    wg.done();
    wg.wait();
  };
  task a(done_and_wait);
  task b(done_and_wait);
  wg.wait();
}

static void wait_group_multiple_wait3() {
  constexpr int n = 2;
  int data[n] = {};
  tenon::wait_group wg;
  wg.add(n);
  tasks all;
  for (int i = 0; i < n; ++i) {
    all.emplace_back([&, i] {
      stored(data[i] = 42);
      wg.done();
    });
  }
  for (int i = 0; i < n; ++i) {
    all.emplace_back([&] {
      wg.wait();
      for (const int& d : data) loaded(d);
    });
  }
}

static void wait_group2_race() {
  int x = 0;
  tenon::wait_group wg;
  wg.add(2);
  task a([&] {
    stored(x = 1);
    wg.done();
  });
  task b([&] {
    stored(x = 2);
    wg.done();
  });
  wg.wait();
}

static void wait_group_panic_recover() {
  int x = 0;
  tenon::wait_group wg;
  stored(x = 1);
  if (panics([&] { wg.add(-1); })) stored(x = 2);
}

static void wait_group_panic_recover2() {
  int x = 0;
  tenon::wait_group wg;
  const auto c = tenon::make_chan<void>(1);
  task a([&] {
    stored(x = 1);
    if (!panics([&] { wg.add(-1); })) return;
    task f([&] {
      stored(x = 2);
      c.send();
    });
  });
  c.recv();
}

static void wait_group_transitive() {
  int x = 0;
  int y = 0;
  tenon::wait_group wg;
  wg.add(2);
  task a([&] {
    stored(x = 42);
    wg.done();
  });
  task b([&] {
    stored(y = 42);
    wg.done();
  });
  wg.wait();
  loaded(x);
  loaded(y);
}

static void wait_group_reuse() {
  constexpr int n = 2;
  int data[n] = {};
  tenon::wait_group wg;
  tasks all;
  for (int round = 0; round < 2; ++round) {
    wg.add(n);
    for (int i = 0; i < n; ++i) {
      all.emplace_back([&, i] {
        stored(data[i] += 1);
        wg.done();
      });
    }
    wg.wait();
    for (int& d : data) stored(d += 1);
  }
}

static void wait_group_reuse2() {
  constexpr int n = 2;
  int data[n] = {};
  tenon::wait_group wg;
  const auto done = tenon::make_chan<void>();
  tasks all;
  for (int round = 0; round < 2; ++round) {
    wg.add(n);
    for (int i = 0; i < n; ++i) {
      all.emplace_back([&, i] {
        stored(data[i] += 1);
        wg.done();
      });
    }
    all.emplace_back([&] {
      wg.wait();
      for (int& d : data) stored(d += 1);
      done.send();
    });
    wg.wait();
    done.recv();
    for (int& d : data) stored(d += 1);
  }
}

static void wait_group_reuse_race() {
  constexpr int n = 2;
  int data[2][n] = {};
  tenon::wait_group wg;
  tasks all;
  for (int(&its)[n] : data) {
    wg.add(n);
    for (int& d : its) {
      all.emplace_back([&] {
        stored(d += 1);
        wg.done();
      });
    }
    all.emplace_back([&] {
      if (panics([&] { wg.wait(); })) return;  // the next round has begun
      for (int& d : its) stored(d += 1);
    });
    wg.wait();
  }
}

static void wait_group_concurrent_add() {
  constexpr int n = 3;
  tenon::wait_group wg;
  const auto waiting = tenon::make_chan<void>(n, "one for each");
  tasks all;
  for (int i = 0; i < n; ++i) {
    all.emplace_back([&] {
      wg.add(1);
      waiting.send();
      wg.done();
    });
  }
  for (int i = 0; i < n; ++i) waiting.recv();
  wg.wait();
}

// ---- mutex_test.go

static void mutex() {
  std::int16_t x = 0;
  tenon::mutex mu;
  task a([&] {
    const std::lock_guard hold(mu);
    stored(x = 1);
  });
  task b([&] {
    mu.lock();
    stored(x = 2);
    mu.unlock();
  });
}

static void mutex_race() {
  std::int16_t x = 0;
  tenon::mutex mu;
  task a([&] {
    stored(x = 1);
    const std::lock_guard hold(mu);
  });
  task b([&] {
    stored(x = 2);
    mu.lock();
    mu.unlock();
  });
}

static void mutex2() {
  std::int8_t x = 0;
  tenon::mutex mu1;
  tenon::mutex mu2;
  task a([&] {
    const std::lock_guard hold(mu1);
    stored(x = 1);
  });
  task b([&] {
    mu2.lock();
    stored(x = 2);
    mu2.unlock();
  });
}

static void mutex_pure_happens_before() {
  std::int16_t x = 0;
  bool written = false;
  tenon::mutex mu;
  task a([&] {
    stored(x = 1);
    mu.lock();
    stored(written = true);
    mu.unlock();
  });
  task b([&] {
    mu.lock();
    while (!loaded(written)) {
      mu.unlock();
      tenon::yield();
      mu.lock();
    }
    mu.unlock();
    stored(x = 1);
  });
}

static void mutex_semaphore() {
  int x = 0;
  tenon::mutex mu;
  mu.lock();
  task a([&] {
    stored(x = 1);
    mu.unlock();
  });
  task b([&] {
    mu.lock();
    stored(x = 2);
    mu.unlock();
  });
}

static void mutex_example_from_html() {
  const char* text = "";
  tenon::mutex mu;
  mu.lock();
  task a([&] {
    stored(text = "hello, world");
    mu.unlock();
  });
  mu.lock();
  loaded(text);
  mu.unlock();
}

// ---- rwmutex_test.go

static void mutex_rw_mutex() {
  std::int16_t x = 0;
  tenon::mutex mu1;
  tenon::shared_mutex mu2;
  task a([&] {
    const std::lock_guard hold(mu1);
    stored(x = 1);
  });
  task b([&] {
    mu2.lock();
    stored(x = 2);
    mu2.unlock();
  });
}

static void rw_mutex() {
  std::int64_t x = 0;
  std::int64_t y = 1;
  tenon::shared_mutex mu;
  task a([&] {
    const std::lock_guard hold(mu);
    stored(x = 2);
  });
  task b([&] {
    mu.lock_shared();
    stored(y = loaded(x));
    mu.unlock_shared();
  });
}

static void rw_mutex_multiple_readers_race() {
  std::int64_t x = 0;
  std::int64_t y = 1;
  moment written;
  moment inside;
  tenon::shared_mutex mu;
  task w([&] {
    {
      const std::lock_guard hold(mu);
      stored(x = 2);
    }
    written.reach();  // one that waits would keep the last of the readers out
  });
  tasks readers;
  for (int i = 1; i <= 3; ++i) {
    readers.emplace_back([&, i] {
      written.await();
      const std::shared_lock hold(mu);
      stored(y = loaded(x) + i);
      inside.meet(3);
    });
  }
}

static void rw_mutex_multiple_readers() {
  std::int64_t x = 0;
  tenon::shared_mutex mu;
  task w([&] {
    const std::lock_guard hold(mu);
    stored(x = 2);
  });
  tasks readers;
  for (int i = 1; i <= 3; ++i) {
    readers.emplace_back([&, i] {
      const std::shared_lock hold(mu);
      std::int64_t y = 0;
      stored(y = loaded(x) + i);
    });
  }
}

static void rw_mutex_transitive() {
  std::int64_t x = 0;
  tenon::shared_mutex mu;
  const auto read = [&] {
    const std::shared_lock hold(mu);
    loaded(x);
  };
  task a(read);
  task b(read);
  mu.lock();
  stored(x = 42);
  mu.unlock();
}

// ---- sync_test.go

static void cond() {
  int x = 0;
  int condition = 0;
  tenon::mutex mu;
  tenon::cond changed;
  task a([&] {
    stored(x = 1);
    const std::lock_guard hold(mu);
    stored(condition = 1);
    changed.signal();
  });
  {
    std::unique_lock hold(mu);
    while (loaded(condition) != 1) changed.wait(hold);
  }
  stored(x = 2);
}

static void cond_race() {
  int x = 0;
  int condition = 0;
  moment written;
  tenon::mutex mu;
  tenon::cond changed;
  task a([&] {
    stored(x = 1);
    {
      const std::lock_guard hold(mu);
      stored(condition = 1);
      changed.signal();
    }
    written.await();
    const std::lock_guard hold(mu);
    stored(x = 3);
  });
  {
    std::unique_lock hold(mu);
    while (loaded(condition) != 1) changed.wait(hold);
  }
  stored(x = 2);
  written.reach();
}

static void announce_threads() {
  int x = 0;
  const auto write = [&] { stored(x = 1); };
  const auto g = [&] {
    task one(write);
    task two(write);
  };
  const auto f = [&] {
    stored(x = 1);
    task its_g(g);
    task another(write);
    stored(x = 2);
  };
  task h([&] {
    stored(x = 1);
    stored(x = 2);
    task its_f(f);
  });
}

static void goroutine_creation_stack() {
  int x = 0;
  const auto f1 = [&] { stored(x = 1); };
  const auto f2 = [&] { task t(f1); };
  const auto f3 = [&] { task t(f2); };
  const auto f4 = [&] { task t(f3); };
  task t(f4);
  stored(x = 2);
}

// ---- atomic_test.go

/// Each writes its own variable, and the one who finds `count` also the other's.
template <class T>
static void add_and_write(T count) {
  std::int8_t x1 = 0;
  std::int8_t x2 = 0;
  atomic<T> s{0};
  task a([&] {
    stored(x1 = 1);
    if (s.fetch_add(1) + 1 == count) stored(x2 = 1);
  });
  task b([&] {
    stored(x2 = 1);
    if (s.fetch_add(1) + 1 == count) stored(x1 = 1);
  });
}
static void atomic_add_int64() { add_and_write<std::int64_t>(2); }
static void atomic_add_int64_race() { add_and_write<std::int64_t>(1); }
static void atomic_add_int32() { add_and_write<std::int32_t>(2); }

/// One writes x and then tells; the other looks until it has been told, and writes x.
template <class T, class V, class Tell, class IsTold>
static void tell(V told, Tell tells, IsTold is_told) {
  T x = 0;
  atomic<V> s{V{}};
  task a([&] {
    stored(x = 2);
    tells(s, told);
  });
  while (!is_told(s, told)) tenon::yield();
  stored(x = 1);
}
inline constexpr auto by_add = [](auto& s, auto v) { s.fetch_add(v); };
inline constexpr auto by_store = [](auto& s, auto v) { s.store(v); };
inline constexpr auto by_cas = [](auto& s, auto v) { (void)compare_and_swap(s, {}, v); };
inline constexpr auto seen_by_load = [](auto& s, auto v) { return s.load() == v; };
inline constexpr auto seen_by_cas = [](auto& s, auto v) { return compare_and_swap(s, v, {}); };

static void atomic_load_add_int32() { tell<std::int64_t, std::int32_t>(1, by_add, seen_by_load); }
static void atomic_load_store_int32() { tell<std::int64_t, std::int32_t>(1, by_store, seen_by_load); }
static void atomic_store_cas_int32() { tell<std::int64_t, std::int32_t>(1, by_store, seen_by_cas); }
static void atomic_cas_load_int32() { tell<std::int64_t, std::int32_t>(1, by_cas, seen_by_load); }
static void atomic_cas_cas_int32() { tell<std::int64_t, std::int32_t>(1, by_cas, seen_by_cas); }
static void atomic_load_int64() { tell<std::int32_t, std::int64_t>(1, by_add, seen_by_load); }
static void atomic_cas_cas_uint64() { tell<std::int64_t, std::uint64_t>(1, by_cas, seen_by_cas); }
static void atomic_store_cas_uint64() { tell<std::int64_t, std::uint64_t>(1, by_store, seen_by_cas); }
static void atomic_load_store_pointer() {
  static int y = 2;
  tell<std::int64_t, int*>(&y, by_store, seen_by_load);
}

static void atomic_cas_cas_int32_2() {
  std::int8_t x1 = 0;
  std::int8_t x2 = 0;
  atomic<std::int32_t> s{0};
  task a([&] {
    stored(x1 = 1);
    if (!compare_and_swap(s, 0, 1)) stored(x2 = 1);
  });
  task b([&] {
    stored(x2 = 1);
    if (!compare_and_swap(s, 0, 1)) stored(x1 = 1);
  });
}

// One variable used both as an atomic and as a plain one.

using atomic_view = std::atomic_ref<std::uint64_t>;

static void atomic_store_load() {
  std::uint64_t v = 0;
  task a([&] { atomic_view(v).store(1); });
  loaded(v);
}

static void atomic_load_store() {
  std::uint64_t v = 0;
  task a([&] { (void)atomic_view(v).load(); });
  stored(v = 1);
}

static void atomic_add_load() {
  std::uint64_t v = 0;
  task a([&] { atomic_view(v).fetch_add(1); });
  loaded(v);
}

static void atomic_add_store() {
  std::uint64_t v = 0;
  task a([&] { atomic_view(v).fetch_add(1); });
  stored(v = 42);
}

// ---- all of them

struct race_case {
  const char* name;
  bool is_a_race;  // with tenon; of Go, `go_name` says it
  void (*run)();
  const char* go_name;  // null: none of Go's
  const char* file;     // of Go's
};

inline constexpr race_case race_cases[] = {
    {"chan_sync", false, chan_sync, "TestNoRaceChanSync", "chan_test.go"},
    {"chan_sync_rev", false, chan_sync_rev, "TestNoRaceChanSyncRev", "chan_test.go"},
    {"chan_async", false, chan_async, "TestNoRaceChanAsync", "chan_test.go"},
    {"chan_async_rev", true, chan_async_rev, "TestRaceChanAsyncRev", "chan_test.go"},
    {"chan_async_close_recv", false, chan_async_close_recv, "TestNoRaceChanAsyncCloseRecv", "chan_test.go"},
    {"chan_sync_close_recv", false, chan_sync_close_recv, "TestNoRaceChanSyncCloseRecv", "chan_test.go"},
    {"chan_async_close_recv2", false, chan_async_close_recv2, "TestNoRaceChanAsyncCloseRecv2", "chan_test.go"},
    {"chan_sync_close_recv2", false, chan_sync_close_recv2, "TestNoRaceChanSyncCloseRecv2", "chan_test.go"},
    {"chan_async_close_recv3", false, chan_async_close_recv3, "TestNoRaceChanAsyncCloseRecv3", "chan_test.go"},
    {"chan_sync_close_recv3", false, chan_sync_close_recv3, "TestNoRaceChanSyncCloseRecv3", "chan_test.go"},
    {"chan_sync_close_send", false, chan_sync_close_send, "TestRaceChanSyncCloseSend", "chan_test.go"},
    {"chan_async_close_send", false, chan_async_close_send, "TestRaceChanAsyncCloseSend", "chan_test.go"},
    {"chan_close_close", false, chan_close_close, "TestRaceChanCloseClose", "chan_test.go"},
    {"chan_send_len", true, chan_send_len, "TestRaceChanSendLen", "chan_test.go"},
    {"chan_recv_len", true, chan_recv_len, "TestRaceChanRecvLen", "chan_test.go"},
    {"chan_send_send", true, chan_send_send, "TestRaceChanSendSend", "chan_test.go"},
    {"chan_ptr", false, chan_ptr, "TestNoRaceChanPtr", "chan_test.go"},
    {"chan_wrong_send", true, chan_wrong_send, "TestRaceChanWrongSend", "chan_test.go"},
    {"chan_wrong_close", true, chan_wrong_close, "TestRaceChanWrongClose", "chan_test.go"},
    {"chan_send_close", false, chan_send_close, "TestRaceChanSendClose", "chan_test.go"},
    {"chan_send_select_close", false, chan_send_select_close, "TestRaceChanSendSelectClose", "chan_test.go"},
    {"select_read_write_async_race", true, select_read_write_async_race, "TestRaceSelectReadWriteAsync",
     "chan_test.go"},
    {"select_read_write_sync", true, select_read_write_sync, "TestRaceSelectReadWriteSync", "chan_test.go"},
    {"select_read_write_async", false, select_read_write_async, "TestNoRaceSelectReadWriteAsync", "chan_test.go"},
    {"chan_read_write_async_race", true, chan_read_write_async_race, "TestRaceChanReadWriteAsync", "chan_test.go"},
    {"chan_read_write_sync", true, chan_read_write_sync, "TestRaceChanReadWriteSync", "chan_test.go"},
    {"chan_read_write_async", false, chan_read_write_async, "TestNoRaceChanReadWriteAsync", "chan_test.go"},
    {"producer_consumer_unbuffered", false, producer_consumer_unbuffered, "TestNoRaceProducerConsumerUnbuffered",
     "chan_test.go"},
    {"chan_itself_send", true, chan_itself_send, "TestRaceChanItselfSend", "chan_test.go"},
    {"chan_itself_recv", true, chan_itself_recv, "TestRaceChanItselfRecv", "chan_test.go"},
    {"chan_itself_nil", true, chan_itself_nil, "TestRaceChanItselfNil", "chan_test.go"},
    {"chan_itself_close", true, chan_itself_close, "TestRaceChanItselfClose", "chan_test.go"},
    {"chan_itself_len", true, chan_itself_len, "TestRaceChanItselfLen", "chan_test.go"},
    {"chan_itself_cap", true, chan_itself_cap, "TestRaceChanItselfCap", "chan_test.go"},
    {"chan_close_len", false, chan_close_len, "TestNoRaceChanCloseLen", "chan_test.go"},
    {"chan_close_cap", false, chan_close_cap, "TestNoRaceChanCloseCap", "chan_test.go"},
    {"chan_close_send", false, chan_close_send, "TestRaceChanCloseSend", "chan_test.go"},
    {"chan_mutex", false, chan_mutex, "TestNoRaceChanMutex", "chan_test.go"},
    {"select_mutex", false, select_mutex, "TestNoRaceSelectMutex", "chan_test.go"},
    {"chan_sem", true, chan_sem, "TestRaceChanSem", "chan_test.go"},
    {"chan_wait_group", false, chan_wait_group, "TestNoRaceChanWaitGroup", "chan_test.go"},
    {"blocked_send_sync", false, blocked_send_sync, "TestNoRaceBlockedSendSync", "chan_test.go"},
    {"blocked_select_send_sync", false, blocked_select_send_sync, "TestNoRaceBlockedSelectSendSync", "chan_test.go"},
    {"close_happens_before_read", false, close_happens_before_read, "TestNoRaceCloseHappensBeforeRead", "chan_test.go"},
    {"elem_size0", false, elem_size0, "TestNoRaceElemSize0", "chan_test.go"},
    {"closed_chan_two_receivers", true, closed_chan_two_receivers, nullptr, nullptr},
    {"closed_chan_two_receivers_again", true, closed_chan_two_receivers_again, nullptr, nullptr},
    {"select1", false, select1, "TestNoRaceSelect1", "select_test.go"},
    {"select2", false, select2, "TestNoRaceSelect2", "select_test.go"},
    {"select3", false, select3, "TestNoRaceSelect3", "select_test.go"},
    {"select4", false, select4, "TestNoRaceSelect4", "select_test.go"},
    {"select5", false, select5, "TestNoRaceSelect5", "select_test.go"},
    {"select5_without", false, select5_without, "TestNoRaceSelect5", "select_test.go"},
    {"select1_race", true, select1_race, "TestRaceSelect1", "select_test.go"},
    {"select2_race", true, select2_race, "TestRaceSelect2", "select_test.go"},
    {"select3_race", true, select3_race, "TestRaceSelect3", "select_test.go"},
    {"select4_race", true, select4_race, "TestRaceSelect4", "select_test.go"},
    {"select5_race", true, select5_race, "TestRaceSelect5", "select_test.go"},
    {"wait_group", false, wait_group, "TestNoRaceWaitGroup", "waitgroup_test.go"},
    {"wait_group_race", true, wait_group_race, "TestRaceWaitGroup", "waitgroup_test.go"},
    {"wait_group2", false, wait_group2, "TestNoRaceWaitGroup2", "waitgroup_test.go"},
    {"wait_group_as_mutex", true, wait_group_as_mutex, "TestRaceWaitGroupAsMutex", "waitgroup_test.go"},
    {"wait_group_wrong_wait", true, wait_group_wrong_wait, "TestRaceWaitGroupWrongWait", "waitgroup_test.go"},
    {"wait_group_wrong_add", false, wait_group_wrong_add, "TestRaceWaitGroupWrongAdd", "waitgroup_test.go"},
    {"wait_group_multiple_wait", false, wait_group_multiple_wait, "TestNoRaceWaitGroupMultipleWait",
     "waitgroup_test.go"},
    {"wait_group_multiple_wait2", false, wait_group_multiple_wait2, "TestNoRaceWaitGroupMultipleWait2",
     "waitgroup_test.go"},
    {"wait_group_multiple_wait3", false, wait_group_multiple_wait3, "TestNoRaceWaitGroupMultipleWait3",
     "waitgroup_test.go"},
    {"wait_group2_race", true, wait_group2_race, "TestRaceWaitGroup2", "waitgroup_test.go"},
    {"wait_group_panic_recover", false, wait_group_panic_recover, "TestNoRaceWaitGroupPanicRecover",
     "waitgroup_test.go"},
    {"wait_group_panic_recover2", false, wait_group_panic_recover2, "TestNoRaceWaitGroupPanicRecover2",
     "waitgroup_test.go"},
    {"wait_group_transitive", false, wait_group_transitive, "TestNoRaceWaitGroupTransitive", "waitgroup_test.go"},
    {"wait_group_reuse", false, wait_group_reuse, "TestNoRaceWaitGroupReuse", "waitgroup_test.go"},
    {"wait_group_reuse2", false, wait_group_reuse2, "TestNoRaceWaitGroupReuse2", "waitgroup_test.go"},
    {"wait_group_reuse_race", false, wait_group_reuse_race, "TestRaceWaitGroupReuse", "waitgroup_test.go"},
    {"wait_group_concurrent_add", false, wait_group_concurrent_add, "TestNoRaceWaitGroupConcurrentAdd",
     "waitgroup_test.go"},
    {"mutex", false, mutex, "TestNoRaceMutex", "mutex_test.go"},
    {"mutex_race", true, mutex_race, "TestRaceMutex", "mutex_test.go"},
    {"mutex2", true, mutex2, "TestRaceMutex2", "mutex_test.go"},
    {"mutex_pure_happens_before", false, mutex_pure_happens_before, "TestNoRaceMutexPureHappensBefore",
     "mutex_test.go"},
    {"mutex_semaphore", false, mutex_semaphore, "TestNoRaceMutexSemaphore", "mutex_test.go"},
    {"mutex_example_from_html", false, mutex_example_from_html, "TestNoRaceMutexExampleFromHtml", "mutex_test.go"},
    {"mutex_rw_mutex", true, mutex_rw_mutex, "TestRaceMutexRWMutex", "rwmutex_test.go"},
    {"rw_mutex", false, rw_mutex, "TestNoRaceRWMutex", "rwmutex_test.go"},
    {"rw_mutex_multiple_readers_race", true, rw_mutex_multiple_readers_race, "TestRaceRWMutexMultipleReaders",
     "rwmutex_test.go"},
    {"rw_mutex_multiple_readers", false, rw_mutex_multiple_readers, "TestNoRaceRWMutexMultipleReaders",
     "rwmutex_test.go"},
    {"rw_mutex_transitive", false, rw_mutex_transitive, "TestNoRaceRWMutexTransitive", "rwmutex_test.go"},
    {"cond", false, cond, "TestNoRaceCond", "sync_test.go"},
    {"cond_race", true, cond_race, "TestRaceCond", "sync_test.go"},
    {"announce_threads", true, announce_threads, "TestRaceAnnounceThreads", "sync_test.go"},
    {"goroutine_creation_stack", true, goroutine_creation_stack, "TestRaceGoroutineCreationStack", "sync_test.go"},
    {"atomic_add_int64", false, atomic_add_int64, "TestNoRaceAtomicAddInt64", "atomic_test.go"},
    {"atomic_add_int64_race", true, atomic_add_int64_race, "TestRaceAtomicAddInt64", "atomic_test.go"},
    {"atomic_add_int32", false, atomic_add_int32, "TestNoRaceAtomicAddInt32", "atomic_test.go"},
    {"atomic_load_add_int32", false, atomic_load_add_int32, "TestNoRaceAtomicLoadAddInt32", "atomic_test.go"},
    {"atomic_load_store_int32", false, atomic_load_store_int32, "TestNoRaceAtomicLoadStoreInt32", "atomic_test.go"},
    {"atomic_store_cas_int32", false, atomic_store_cas_int32, "TestNoRaceAtomicStoreCASInt32", "atomic_test.go"},
    {"atomic_cas_load_int32", false, atomic_cas_load_int32, "TestNoRaceAtomicCASLoadInt32", "atomic_test.go"},
    {"atomic_cas_cas_int32", false, atomic_cas_cas_int32, "TestNoRaceAtomicCASCASInt32", "atomic_test.go"},
    {"atomic_load_int64", false, atomic_load_int64, "TestNoRaceAtomicLoadInt64", "atomic_test.go"},
    {"atomic_cas_cas_uint64", false, atomic_cas_cas_uint64, "TestNoRaceAtomicCASCASUInt64", "atomic_test.go"},
    {"atomic_store_cas_uint64", false, atomic_store_cas_uint64, "TestNoRaceAtomicStoreCASUint64", "atomic_test.go"},
    {"atomic_load_store_pointer", false, atomic_load_store_pointer, "TestNoRaceAtomicLoadStorePointer",
     "atomic_test.go"},
    {"atomic_cas_cas_int32_2", false, atomic_cas_cas_int32_2, "TestNoRaceAtomicCASCASInt32_2", "atomic_test.go"},
    {"atomic_store_load", true, atomic_store_load, "TestRaceAtomicStoreLoad", "atomic_test.go"},
    {"atomic_load_store", true, atomic_load_store, "TestRaceAtomicLoadStore", "atomic_test.go"},
    {"atomic_add_load", true, atomic_add_load, "TestRaceAtomicAddLoad", "atomic_test.go"},
    {"atomic_add_store", true, atomic_add_store, "TestRaceAtomicAddStore", "atomic_test.go"},
};

}  // namespace races
