// Programs in which every goroutine waits: `deadlock <case> [workers]`. The cases from "awake" on only look like it:
// somebody can still wake the sleepers, so they end with "done".

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

// External linkage, so that their names can be found at run time, and not inlined, so that they have a frame.
extern "C" {

[[gnu::noinline]] void deadlock_user_recv(tenon::chan<int>& c) {
  (void)c.recv();
  std::puts("came back");
}

[[gnu::noinline]] void deadlock_user_send(tenon::chan<int>& c) {
  c.send(1);
  std::puts("came back");
}

}  // extern "C"

namespace {

unsigned workers = 0;

// That a goroutine waits for itself is reported before, where locks are checked: test/programs/relock.cpp.
void in_run(const std::function<void(tenon::context)>& f) { tenon::run(f, {.workers = workers, .check_locks = false}); }

/// Until so many goroutines wait, so that what comes next finds them asleep.
void until_waiting(std::uint64_t n) {
  while (tenon::read_metrics().waiting < n) tenon::yield();
}

void recv() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    deadlock_user_recv(c);
  });
}

void send() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    deadlock_user_send(c);
  });
}

void send_full() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>(2, "the test fills it up");
    c.send(1);
    c.send(2);
    deadlock_user_send(c);
  });
}

void recv_nil() {
  in_run([](tenon::context) {
    tenon::chan<int> c;
    deadlock_user_recv(c);
  });
}

void send_nil() {
  in_run([](tenon::context) {
    tenon::chan<int> c;
    deadlock_user_send(c);
  });
}

void range() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    for (int v : c) std::printf("came back with %d\n", v);
  });
}

void recv_ctx() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    (void)c.recv(tenon::background());
  });
}

void select_two() {
  in_run([](tenon::context) {
    auto a = tenon::make_chan<int>();
    auto b = tenon::make_chan<int>();
    tenon::select(tenon::recv(a), tenon::send(b, 1));
  });
}

void select_none() {
  in_run([](tenon::context) { tenon::select(std::span<tenon::select_case* const>()); });
}

void select_nil_only() {
  in_run([](tenon::context) {
    tenon::chan<int> a;
    tenon::chan<int> b;
    tenon::select(tenon::recv(a), tenon::recv(b));
  });
}

void mutex_twice() {
  in_run([](tenon::context) {
    tenon::mutex mu;
    mu.lock();
    mu.lock();
  });
}

void once_in_itself() {
  in_run([](tenon::context) {
    tenon::once first;
    first.call([&] { first.call([] {}); });
  });
}

void guarded_in_itself() {
  in_run([](tenon::context) {
    tenon::guarded<int> data;
    data.with([&](int&) { (void)data.snapshot(); });
  });
}

void flight_for_its_own_key() {
  in_run([](tenon::context) {
    tenon::singleflight<int, int> flights;
    (void)flights.call(1, [&] { return flights.call(1, [] { return 1; }).value; });
  });
}

void limit_of_zero() {
  in_run([](tenon::context ctx) {
    tenon::group g(ctx);
    g.set_limit(0);
    g.go([] {});
  });
}

void more_than_a_semaphore_has() {
  in_run([](tenon::context) {
    tenon::semaphore s(2);
    s.acquire(3);
  });
}

void wait_group_never_done() {
  in_run([](tenon::context) {
    tenon::wait_group wg;
    wg.add(1);
    wg.wait();
  });
}

void join() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    std::printf("started at deadlock.cpp:%d\n", __LINE__ + 1);
    auto g = tenon::go([&] { deadlock_user_recv(c); });
    g.join();
  });
}

void in_blocking() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    tenon::blocking([&] { deadlock_user_recv(c); });
  });
}

void locked() {
  in_run([](tenon::context) {
    tenon::on_this_thread here;
    auto c = tenon::make_chan<int>();
    deadlock_user_recv(c);
  });
}

void locked_other() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] {
      tenon::on_this_thread here;
      deadlock_user_recv(c);
    });
    until_waiting(1);
    tenon::select(std::span<tenon::select_case* const>());
  });
}

// The last one that could have woken the others leaves without doing so.
void all_reasons() {
  in_run([](tenon::context) {
    auto a = tenon::make_chan<int>();
    auto b = tenon::make_chan<int>();
    tenon::chan<int> nil;
    tenon::mutex mu;
    mu.lock();
    tenon::wait_group wg;
    wg.add(1);
    std::vector<tenon::goroutine<>> all;
    all.push_back(tenon::go([&] { deadlock_user_recv(a); }));
    all.push_back(tenon::go([&] { deadlock_user_send(b); }));
    all.push_back(tenon::go([&] { deadlock_user_recv(nil); }));
    all.push_back(tenon::go([&] { deadlock_user_send(nil); }));
    all.push_back(tenon::go([&] { tenon::select(tenon::recv(a), tenon::send(b, 1)); }));
    all.push_back(tenon::go([&] { tenon::select(std::span<tenon::select_case* const>()); }));
    all.push_back(tenon::go([&] { mu.lock(); }));
    all.push_back(tenon::go([&] { wg.wait(); }));
    all.push_back(tenon::go({.name = "patient"}, [&] { deadlock_user_recv(nil); }));
    auto last = tenon::go([] { until_waiting(10); });  // with goroutine 1
    all.front().join();
  });
}

// Traffic first: whatever was awake, timers included, has gone to sleep for good.
void after_work() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    {
      auto g = tenon::go([&] {
        for (int i = 0; i < 1000; ++i) c.send(i);
      });
      for (int i = 0; i < 1000; ++i) (void)c.recv();
      tenon::blocking([] { std::this_thread::sleep_for(2ms); });
      (void)tenon::after(2ms).recv();
      g.join();
    }
    deadlock_user_recv(c);
  });
}

void stopped_timer() {
  in_run([](tenon::context) {
    tenon::timer t(1h);
    t.stop();
    (void)t.c().recv();
  });
}

// A thread that ran and ended is nobody to wait for.
void gone_thread() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>(1);
    std::thread([&] { c.send(1); }).join();
    (void)c.recv();
    deadlock_user_recv(c);
  });
}

// ---- not deadlocks ------------------------------------------------------------------------------------------------

void awake_timer() {
  in_run([](tenon::context) { (void)tenon::after(300ms).recv(); });
}

void awake_sleep() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] {
      until_waiting(1);
      tenon::sleep_for(300ms);
      c.send(1);
    });
    (void)c.recv();
  });
}

void awake_timer_function() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    tenon::timer t(300ms, [&] { c.send(1); });
    (void)c.recv();
  });
}

void awake_ticker() {
  in_run([](tenon::context) {
    tenon::ticker t(100ms);
    for (int i = 0; i < 3; ++i) (void)t.c().recv();
  });
}

void awake_deadline() {
  in_run([](tenon::context root) {
    auto scope = tenon::with_timeout(root, 300ms);
    const tenon::context ctx = scope.ctx();
    tenon::chan<int> nil;
    (void)nil.recv(ctx);
  });
}

void awake_blocking() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    auto g = tenon::go([&] {
      until_waiting(1);
      tenon::blocking([] { std::this_thread::sleep_for(300ms); });
      c.send(1);
    });
    (void)c.recv();
  });
}

void awake_thread() {
  in_run([](tenon::context) {
    auto c = tenon::make_chan<int>();
    std::thread t([&] {
      until_waiting(1);
      std::this_thread::sleep_for(300ms);
      c.send(1);
    });
    (void)c.recv();
    t.join();
  });
}

// The thread was there before run began and waits for the runtime itself now and then.
void awake_old_thread() {
  auto c = tenon::make_chan<int>();
  auto back = tenon::make_chan<int>();
  std::thread t([&] {
    for (int i = 0; i < 3; ++i) {
      until_waiting(1);
      std::this_thread::sleep_for(100ms);
      c.send(i);
      (void)back.recv();
    }
  });
  in_run([&](tenon::context) {
    for (int i = 0; i < 3; ++i) {
      (void)c.recv();
      back.send(i);
    }
  });
  t.join();
}

// Another program writes to the pipe; in this one everybody waits.
void awake_descriptor() {
  in_run([](tenon::context) {
    FILE* pipe = ::popen("sleep 0.3; echo", "r");
    if (pipe == nullptr || tenon::wait_readable(::fileno(pipe))) std::abort();
    ::pclose(pipe);
  });
}

struct named_case {
  const char* name;
  void (*run)();
};

constexpr named_case cases[] = {
    {"recv", recv},
    {"send", send},
    {"send_full", send_full},
    {"recv_nil", recv_nil},
    {"send_nil", send_nil},
    {"range", range},
    {"recv_ctx", recv_ctx},
    {"select_two", select_two},
    {"select_none", select_none},
    {"select_nil_only", select_nil_only},
    {"mutex_twice", mutex_twice},
    {"once_in_itself", once_in_itself},
    {"guarded_in_itself", guarded_in_itself},
    {"flight_for_its_own_key", flight_for_its_own_key},
    {"limit_of_zero", limit_of_zero},
    {"more_than_a_semaphore_has", more_than_a_semaphore_has},
    {"wait_group_never_done", wait_group_never_done},
    {"join", join},
    {"in_blocking", in_blocking},
    {"locked", locked},
    {"locked_other", locked_other},
    {"all_reasons", all_reasons},
    {"after_work", after_work},
    {"stopped_timer", stopped_timer},
    {"gone_thread", gone_thread},
    {"awake_timer", awake_timer},
    {"awake_sleep", awake_sleep},
    {"awake_timer_function", awake_timer_function},
    {"awake_ticker", awake_ticker},
    {"awake_deadline", awake_deadline},
    {"awake_blocking", awake_blocking},
    {"awake_thread", awake_thread},
    {"awake_old_thread", awake_old_thread},
    {"awake_descriptor", awake_descriptor},
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc > 2) workers = static_cast<unsigned>(std::atoi(argv[2]));
  for (const named_case& c : cases) {
    if (argc > 1 && std::strcmp(argv[1], c.name) == 0) {
      c.run();
      std::puts("done");
      return 0;
    }
  }
  std::fprintf(stderr, "usage: deadlock <case> [workers]\n");
  return 64;
}
