// Programs that break a rule, one case each: `misuse <case>`. Every case ends the process; one that comes back is a
// failure, and says so on stdout.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

namespace {

using namespace std::chrono_literals;

struct not_a_std_exception {};

[[gnu::noinline]] void in_a_dropped_goroutine(const std::function<void()>& f) {
  tenon::run([&](tenon::context) {
    {
      std::printf("started at misuse.cpp:%d\n", __LINE__ + 1);
      auto dropped = tenon::go(f);
    }
    std::puts("came back");
  });
}

[[gnu::noinline]] void inside_run(const std::function<void()>& f) {
  tenon::run([&](tenon::context) {
    f();
    std::puts("came back");
  });
}

// ---- fatal errors -------------------------------------------------------------------------------------------------

void unlock_unlocked() {
  inside_run([] {
    tenon::mutex mu;
    mu.unlock();
  });
}

void unlock_twice() {
  inside_run([] {
    tenon::mutex mu;
    mu.lock();
    mu.unlock();
    mu.unlock();
  });
}

void unlock_twice_in_another_goroutine() {
  inside_run([] {
    tenon::mutex mu;
    mu.lock();
    mu.unlock();
    tenon::go([&] { mu.unlock(); }).join();
  });
}

void shared_unlock_unlocked() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.unlock();
  });
}
void shared_unlock_read_locked() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.lock_shared();
    mu.unlock();
  });
}
void shared_unlock_twice() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.lock();
    mu.unlock();
    mu.unlock();
  });
}
void shared_runlock_unlocked() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.unlock_shared();
  });
}
void shared_runlock_twice() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.lock_shared();
    mu.unlock_shared();
    mu.unlock_shared();
  });
}
void shared_runlock_write_locked() {
  inside_run([] {
    tenon::shared_mutex mu;
    mu.lock();
    mu.unlock_shared();
  });
}

// One goroutine waits in the middle of a change; the other comes.
void during_a_map_write(const std::function<void(tenon::checked_map<int, int>&)>& f) {
  inside_run([&] {
    tenon::checked_map<int, int> map{{1, 1}};
    const auto inside = tenon::make_chan<void>();
    const auto never = tenon::make_chan<void>();
    auto writer = tenon::go([&] {
      map.update(1, [&](int&) {
        inside.send();
        (void)never.recv();
      });
    });
    (void)inside.recv();
    f(map);
  });
}
void map_two_writers() {
  during_a_map_write([](auto& map) { map.store(2, 2); });
}
void map_read_and_write() {
  during_a_map_write([](auto& map) { (void)map.load(2); });
}
void map_iterate_and_write() {
  inside_run([] {
    tenon::checked_map<int, int> map{{1, 1}, {2, 2}};
    map.range([&](int, int) {
      auto writer = tenon::go([&] { map.store(3, 3); });
      writer.join();
    });
  });
}

void unlock_unlocked_in_a_thread() {
  std::thread([] {
    tenon::mutex mu;
    mu.unlock();
    std::puts("came back");
  }).join();
}

// Go's own misuse test recovers around the unlock: that must not help.
void unlock_unlocked_caught() {
  inside_run([] {
    tenon::mutex mu;
    try {
      mu.unlock();
    } catch (...) {
      std::puts("caught");
    }
  });
}

void go_nil_function() {
  inside_run([] {
    std::function<void()> f;
    auto g = tenon::go(f);
    g.join();
  });
}

void go_nil_pointer() {
  inside_run([] {
    void (*f)() = nullptr;
    auto g = tenon::go(f);
    g.join();
  });
}

void go_nil_with_context() {
  tenon::run([](tenon::context ctx) {
    std::function<void(tenon::context)> f;
    auto g = tenon::go(ctx, f);
    g.join();
  });
}

void go_nil_caught() {
  inside_run([] {
    std::function<void()> f;
    try {
      auto g = tenon::go(f);
      g.join();
    } catch (...) {
      std::puts("caught");
    }
  });
}

void group_nil_function() {
  tenon::run([](tenon::group& g) { g.go(std::function<void()>()); });
}
void group_nil_stage() {
  tenon::run([](tenon::group& g) { (void)g.produce<int>(std::function<void(tenon::sender<int>&)>()); });
}
void wait_group_nil_function() {
  inside_run([] {
    tenon::wait_group wg;
    wg.go(std::function<void()>());
    wg.wait();
  });
}
void run_nil_function() { tenon::run(std::function<void()>()); }
void run_nil_pointer() {
  void (*const f)(tenon::group&) = nullptr;
  tenon::run(f);
}
void blocking_nil_function() {
  inside_run([] { (void)tenon::blocking(tenon::background(), std::function<void()>()); });
}
void timer_nil_function() { const tenon::timer t(1h, nullptr); }
void after_func_nil_function() { const auto handle = tenon::after_func(tenon::background(), nullptr); }

void stop_callback_waits() {
  tenon::testing::run_virtual([] {
    const auto never = tenon::make_chan<void>();
    const auto scope = tenon::with_timeout(tenon::background(), 1ms);
    const std::stop_callback waits(scope.ctx().stop_token(), [&] { never.recv(); });
    never.recv();
  });
}

void stop_callback_waits_outside_of_run() {
  const auto never = tenon::make_chan<void>();
  const auto self = std::this_thread::get_id();
  for (auto timeout = 1ms;; timeout *= 2) {
    const auto scope = tenon::with_timeout(tenon::background(), timeout);
    bool in_time = true;
    const std::stop_callback waits(scope.ctx().stop_token(), [&] {
      if (std::this_thread::get_id() == self) {
        in_time = false;  // the deadline had passed before
      } else {
        never.recv();
      }
    });
    if (in_time) never.recv();
  }
}

void join_of_oneself() {
  inside_run([] {
    const auto assigned = tenon::make_chan<void>();
    tenon::goroutine<> g;
    g = tenon::go([&] {
      (void)assigned.recv();
      g.join();
    });
    assigned.send();
    g.wait();
  });
}

void wait_group_destroyed() {
  inside_run([] {
    tenon::wait_group wg;
    wg.add(2);
  });
}

void cond_of_an_unlocked_mutex() {
  inside_run([] {
    tenon::mutex mu;
    tenon::cond changed;
    changed.wait(mu);
  });
}

void map_write_in_an_update() {
  tenon::checked_map<int, int> map;
  map.update(1, [&](int&) { map.store(2, 2); });
}

// No misuse but for TENON_SEED.
void virtual_run() {
  tenon::testing::run_virtual([] {});
}

void go_outside_run() {
  auto g = tenon::go([] { std::puts("ran"); });
  g.join();
}

void go_after_run() {
  tenon::run([](tenon::context) {});
  auto g = tenon::go([] { std::puts("ran"); });
  g.join();
}

// ---- panics that nobody catches -----------------------------------------------------------------------------------

void send_on_closed() {
  in_a_dropped_goroutine([] {
    auto c = tenon::make_chan<int>();
    c.close();
    c.send(1);
  });
}

void select_send_on_closed() {
  in_a_dropped_goroutine([] {
    auto c = tenon::make_chan<int>();
    c.close();
    tenon::select(tenon::send(c, 1));
  });
}

void close_of_nil() {
  in_a_dropped_goroutine([] { tenon::chan<int>().close(); });
}

void close_of_a_senders_channel() {
  tenon::run([] {
    auto c = tenon::make_chan<int>();
    const tenon::sender tx(c);
    c.close();
  });
  std::puts("came back");
}

void close_of_closed() {
  in_a_dropped_goroutine([] {
    auto c = tenon::make_chan<int>();
    c.close();
    c.close();
  });
}

void makechan_size() {
  in_a_dropped_goroutine([] { auto c = tenon::make_chan<int>(-1, "as much as is sent before anybody receives"); });
}

void negative_wait_group() {
  in_a_dropped_goroutine([] {
    tenon::wait_group wg;
    wg.add(1);
    wg.done();
    wg.done();
  });
}

void nil_parent() {
  in_a_dropped_goroutine([] { auto derived = tenon::with_cancel(nullptr); });
}

void zero_ticker() {
  in_a_dropped_goroutine([] { tenon::ticker t(0s); });
}

void zero_ticker_reset() {
  in_a_dropped_goroutine([] {
    tenon::ticker t(1s);
    t.reset(0s);
  });
}

void uninitialised_timer_stop() {
  in_a_dropped_goroutine([] { tenon::timer().stop(); });
}

void uninitialised_timer_reset() {
  in_a_dropped_goroutine([] { tenon::timer().reset(1s); });
}

void uninitialised_ticker_reset() {
  in_a_dropped_goroutine([] { tenon::ticker().reset(1s); });
}

void own_panic() {
  in_a_dropped_goroutine([] { throw tenon::panic("of my own"); });
}

void std_exception() {
  in_a_dropped_goroutine([] { throw std::runtime_error("something broke"); });
}

void odd_exception() {
  in_a_dropped_goroutine([] { throw not_a_std_exception{}; });
}

void timer_function_throw() {
  inside_run([] {
    tenon::timer t(1ms, [] { throw std::runtime_error("in the timer"); });
    tenon::sleep_for(1h);
  });
}

void after_func_throw() {
  tenon::run([](tenon::context ctx) {
    auto scope = tenon::with_cancel(ctx);
    const tenon::context child = scope.ctx();
    auto handle = tenon::after_func(child, [] { throw std::runtime_error("after the cancel"); });
    scope.cancel();
    tenon::sleep_for(1h);
    std::puts("came back");
  });
}

// Outside of a runtime there is no goroutine to run these, and they end the program all the same.
void timer_function_throw_outside() {
  const tenon::timer t(1ms, [] { throw std::runtime_error("in the timer, outside"); });
  std::this_thread::sleep_for(1h);
}

void after_func_throw_outside() {
  auto scope = tenon::with_cancel(tenon::background());
  const tenon::context ctx = scope.ctx();
  auto handle = tenon::after_func(ctx, [] { throw std::runtime_error("after the cancel, outside"); });
  scope.cancel();
}

// Many at once: exactly one is reported, whole.
void many_throw() {
  inside_run([] {
    std::vector<tenon::goroutine<>> all;
    for (int i = 0; i < 20; ++i) all.push_back(tenon::go([] { throw std::runtime_error("one of many"); }));
    tenon::group g(tenon::background());
    for (auto& one : all) g.go([&one] { const auto dropped = std::move(one); });
    (void)g.wait();
  });
}

// A member that does not end: the grace period is over, and so is the program.
void grace_over() {
  tenon::run(
      [](tenon::group& g) {
        g.go([](const tenon::context&) {
          for (;;) tenon::sleep_for(1h);
        });
        while (tenon::read_metrics().waiting == 0) tenon::yield();
        g.cancel();
      },
      {.grace = 1ms});
}

void exit_within_a_static_once() {
  static const auto value = tenon::once_value([]() -> int { std::exit(3); });
  std::printf("%d\n", value());
}

void group_limit_while_a_caller_waits() {
  tenon::run(
      [](tenon::group& root) {
        tenon::group g(root.ctx());
        g.set_limit(0);
        const auto waits = tenon::go([&] { g.go([] {}); });
        tenon::yield();
        try {
          g.set_limit(1);
          std::puts("came back");
        } catch (const tenon::panic& p) {
          std::puts(p.what());
        }
        std::fflush(stdout);
        std::_Exit(0);
      },
      {.workers = 1});
}

struct named_case {
  const char* name;
  void (*run)();
};

constexpr named_case cases[] = {
    {"unlock_unlocked", unlock_unlocked},
    {"shared_unlock_unlocked", shared_unlock_unlocked},
    {"shared_unlock_read_locked", shared_unlock_read_locked},
    {"shared_unlock_twice", shared_unlock_twice},
    {"shared_runlock_unlocked", shared_runlock_unlocked},
    {"shared_runlock_twice", shared_runlock_twice},
    {"shared_runlock_write_locked", shared_runlock_write_locked},
    {"map_two_writers", map_two_writers},
    {"map_read_and_write", map_read_and_write},
    {"map_iterate_and_write", map_iterate_and_write},
    {"unlock_twice", unlock_twice},
    {"unlock_twice_in_another_goroutine", unlock_twice_in_another_goroutine},
    {"unlock_unlocked_in_a_thread", unlock_unlocked_in_a_thread},
    {"unlock_unlocked_caught", unlock_unlocked_caught},
    {"go_nil_function", go_nil_function},
    {"go_nil_pointer", go_nil_pointer},
    {"go_nil_with_context", go_nil_with_context},
    {"go_nil_caught", go_nil_caught},
    {"group_nil_function", group_nil_function},
    {"group_nil_stage", group_nil_stage},
    {"wait_group_nil_function", wait_group_nil_function},
    {"run_nil_function", run_nil_function},
    {"run_nil_pointer", run_nil_pointer},
    {"blocking_nil_function", blocking_nil_function},
    {"timer_nil_function", timer_nil_function},
    {"after_func_nil_function", after_func_nil_function},
    {"stop_callback_waits", stop_callback_waits},
    {"stop_callback_waits_outside_of_run", stop_callback_waits_outside_of_run},
    {"join_of_oneself", join_of_oneself},
    {"wait_group_destroyed", wait_group_destroyed},
    {"cond_of_an_unlocked_mutex", cond_of_an_unlocked_mutex},
    {"map_write_in_an_update", map_write_in_an_update},
    {"virtual_run", virtual_run},
    {"go_outside_run", go_outside_run},
    {"go_after_run", go_after_run},
    {"send_on_closed", send_on_closed},
    {"select_send_on_closed", select_send_on_closed},
    {"close_of_nil", close_of_nil},
    {"close_of_closed", close_of_closed},
    {"close_of_a_senders_channel", close_of_a_senders_channel},
    {"makechan_size", makechan_size},
    {"negative_wait_group", negative_wait_group},
    {"nil_parent", nil_parent},
    {"zero_ticker", zero_ticker},
    {"zero_ticker_reset", zero_ticker_reset},
    {"uninitialised_timer_stop", uninitialised_timer_stop},
    {"uninitialised_timer_reset", uninitialised_timer_reset},
    {"uninitialised_ticker_reset", uninitialised_ticker_reset},
    {"own_panic", own_panic},
    {"std_exception", std_exception},
    {"odd_exception", odd_exception},
    {"timer_function_throw", timer_function_throw},
    {"after_func_throw", after_func_throw},
    {"timer_function_throw_outside", timer_function_throw_outside},
    {"after_func_throw_outside", after_func_throw_outside},
    {"many_throw", many_throw},
    {"grace_over", grace_over},
    {"group_limit_while_a_caller_waits", group_limit_while_a_caller_waits},
    {"exit_within_a_static_once", exit_within_a_static_once},
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const named_case& c : cases) {
    if (argc == 2 && std::strcmp(argv[1], c.name) == 0) {
      c.run();
      std::puts("came back");
      return 0;
    }
  }
  std::fprintf(stderr, "usage: misuse <case>\n");
  for (const named_case& c : cases) std::fprintf(stderr, "  %s\n", c.name);
  return 64;
}
