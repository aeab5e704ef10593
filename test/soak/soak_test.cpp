// A process that lives long: every primitive, sockets, files and programs, in runs that follow each other, with 1, 2, 8 and 64 workers. What a lap leaves
// behind, in memory, descriptors or threads, adds up until it is seen. Environment: TENON_SOAK_SECONDS, 120 by default; `./run check soak --long` sets two
// hours.

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/net/net.hpp>
#include <tenon/os/os.hpp>
#include <tenon/tenon.hpp>

#include "stress/watchdog.hpp"
#include "support/memory.hpp"
#include "support/random.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon_test::random_source;
using steady = std::chrono::steady_clock;

error wrong(const std::string& what) { return error("soak: " + what); }

// ---- what goes on: each does one small thing to its end, and says what came out wrong ---------------------------------

error channels(const context& ctx, random_source& random) {
  const auto some = random.one_in(2) ? tenon::make_chan<std::string>() : tenon::make_chan<std::string>(1);
  const auto others = tenon::make_chan<int>();
  const int n = static_cast<int>(random.below(30));
  group g(ctx);
  g.go([=](const context& c) {
    for (int i = 0; i < n && some.send(c, std::to_string(i)); ++i) {
    }
    some.close();
  });
  g.go([=](const context& c) {
    for (int i = 0; i < n && others.send(c, i); ++i) {
    }
    others.close();
  });
  int got = 0;
  auto a = tenon::recv(some);
  auto b = tenon::recv(others);
  auto late = tenon::recv(tenon::after(1h));
  for (int open = 2; open > 0;) {
    tenon::select(a, b, late);
    if (late) return wrong("an hour has passed");
    if (a.closed()) {
      a.disable();
      --open;
    } else if (b.closed()) {
      b.disable();
      --open;
    } else {
      ++got;
    }
  }
  if (error e = g.wait()) return e;
  return got == 2 * n ? error() : wrong("values of channels are lost");
}

error locks(const context& ctx, random_source& random) {
  tenon::guarded<int> sum(0);
  tenon::guarded<int, tenon::shared_mutex> shared(0);
  tenon::mutex mu;
  tenon::cond changed;
  tenon::semaphore two(2);
  tenon::once first;
  bool ready = false;
  const int n = static_cast<int>(1 + random.below(10));
  group g(ctx);
  g.go_n(n, [&](const context& c) -> error {
    first.call([&] { sum.with([](int& s) { s += 100; }); });
    const auto permit = two.hold(c);
    if (!permit) return c.err();
    sum.with([](int& s) { ++s; });
    shared.with([](int& s) { ++s; });
    if (std::as_const(shared).with([](const int& s) { return s; }) < 1)
      return wrong("a reader sees less than it wrote");
    return nullptr;
  });
  g.go([&] {
    const std::lock_guard hold(mu);
    ready = true;
    changed.broadcast();
  });
  {
    std::unique_lock hold(mu);
    while (!ready) changed.wait(hold);
  }
  if (error e = g.wait()) return e;
  return sum.snapshot() == 100 + n && shared.snapshot() == n ? error() : wrong("a lock did not exclude");
}

error contexts(const context& ctx, random_source& random) {
  static constexpr tenon::context_key<std::shared_ptr<std::string>> key{"soak"};
  const auto value = std::make_shared<std::string>("kept");
  {
    const auto scope = tenon::with_cancel(tenon::with_value(ctx, key, value));
    const auto timed =
        tenon::with_timeout(scope.ctx(), random.one_in(2) ? tenon::time_span(1h) : tenon::time_span(20us));
    std::atomic<int> called = 0;
    {
      const auto on_end = tenon::after_func(timed.ctx(), [&] { ++called; });
      const std::stop_callback on_stop(timed.ctx().stop_token(), [&] { ++called; });
      auto waits = tenon::go(timed.ctx(), [](const context& c) { (void)c.done().recv(); });
      if (random.one_in(2)) scope.cancel();
      if (random.one_in(2)) {
        timed.cancel();
        waits.join();
      }
    }
    if (*timed.ctx().value(key) != value) return wrong("a context's value is another");
  }
  // A deadline that fires just then has hold of its context for a moment.
  return tenon_test::eventually([&] { return value.use_count() == 1; }) ? error()
                                                                        : wrong("a context outlives its scope");
}

error timers(const context& ctx, random_source& random) {
  std::atomic<int> fired = 0;
  tenon::timer once(tenon::time_span(std::chrono::microseconds(random.below(100))), [&] { ++fired; });
  tenon::ticker often(50us);
  for (int i = 0; i < 3; ++i) {
    if (!often.c().recv(ctx)) return ctx.err();
  }
  if (random.one_in(2)) (void)once.stop();
  if (random.one_in(3)) (void)once.reset(10us);
  if (!tenon::sleep_for(ctx, std::chrono::microseconds(random.below(100)))) return ctx.err();
  return nullptr;
}

error errgroups(const context& ctx, random_source& random) {
  group g(ctx);
  if (random.one_in(3)) g.set_limit(2);
  const int bad = static_cast<int>(random.below(16));
  for (int i = 0; i < 8; ++i) {
    g.go([i, bad](const context& c) -> error {
      if (i == bad) throw std::runtime_error("the bad one");
      if (i % 3 == 0) tenon::yield();
      if (i % 5 == 0) (void)tenon::sleep_for(c, 20us);
      return nullptr;
    });
  }
  const error e = g.wait();
  tenon::wait_group wg;
  for (int i = 0; i < 4; ++i) wg.go([] { tenon::yield(); });
  wg.wait();
  return static_cast<bool>(e) == (bad < 8) ? error() : wrong("a group's failure is lost, or made up");
}

error pipelines(const context& ctx, random_source& random) {
  const auto scope = tenon::with_cancel(ctx);
  tenon::pipeline p(scope.ctx());
  std::vector<int> numbers(random.below(50));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
  std::size_t seen = 0;
  const bool given_up = random.one_in(4);
  const auto squares =
      p.transform({.workers = 3, .ordered = random.one_in(2)}, p.generate(numbers), [](int v) { return v * v; });
  p.for_each(p.batch(squares, 4, 1ms), [&](const std::vector<int>& some) {
    seen += some.size();
    if (given_up) scope.cancel();
  });
  const error e = p.wait();
  if (given_up) return nullptr;
  if (e) return e;
  return seen == numbers.size() ? error() : wrong("a pipeline has lost values");
}

/// Objects that live as long as the lap.
struct library {
  tenon::pool<std::string> strings;
  tenon::concurrent_map<int, std::string> map;
  tenon::singleflight<int, std::string> flights;
  tenon::rate_limiter limit{tenon::rate(1e6), 100};

  error use(const context& ctx, random_source& random) {
    const int key = static_cast<int>(random.below(20));
    {
      const auto s = strings.get();
      s->assign(100, 'x');
      map.store(key, *s);
    }
    if (random.one_in(2)) map.erase(static_cast<int>(random.below(20)));
    const auto r = flights.call(ctx, key, [key] {
      tenon::yield();
      return std::to_string(key);
    });
    if (r && r->value != std::to_string(key)) return wrong("a flight for another key");
    const auto from = flights.call_chan(key, [key] { return std::to_string(key); });
    if (random.one_in(2)) flights.forget(key);
    (void)from.recv(ctx);
    if (error e = limit.wait(ctx)) return e;
    tenon::promise<int> later;
    const auto set = later.setter();
    auto setter = tenon::go([set] { (void)set(7); });
    const auto seven = later.wait(ctx);
    setter.join();
    return seven && *seven != 7 ? wrong("a promise of something else") : error();
  }
};

error threads(const context&, random_source& random) {
  const auto c = tenon::make_chan<int>();
  std::thread outside([=] {
    for (int i = 0; i < 5; ++i) c.send(i);
    c.close();
  });
  int sum = 0;
  for (const int v : c) sum += v;
  tenon::blocking([&] { outside.join(); });
  if (random.one_in(2)) {
    auto pinned = tenon::go([] {
      const tenon::on_this_thread stays;
      tenon::yield();
    });
    pinned.join();
  }
  if (random.one_in(50) && tenon::dump().empty()) return wrong("an empty dump");
  return sum == 10 ? error() : wrong("a thread's values are lost");
}

error files(const context& ctx, random_source& random, const std::filesystem::path& dir) {
  const std::string path = dir / std::to_string(random.below(4));
  const std::string text(1 + random.below(100'000), 'f');
  if (error e = tenon::os::write_file(ctx, path, text)) return e;
  const auto back = tenon::os::read_file(ctx, path);
  return back ? error() : back.err();
}

error programs(const context& ctx, random_source& random) {
  const auto scope = tenon::with_cancel(ctx);
  if (random.one_in(2)) {
    auto out = tenon::os::command(scope.ctx(), {"cat"}).output("through a program");
    if (!out) return out.err();
    return *out == "through a program" ? error() : wrong("a program's output is cut");
  }
  auto p = tenon::os::command(scope.ctx(), {"sleep", "1000"}, {.grace = 1h}).start();
  if (!p) return p.err();
  scope.cancel();
  return p->wait() ? error() : wrong("a program's end is not known");
}

/// An echo server for the lap, and one client after the other.
class echo {
 public:
  error open() {
    auto at = tenon::net::tcp_listener::listen("127.0.0.1:0");
    if (!at) return at.err();
    at_ = std::make_unique<tenon::net::tcp_listener>(std::move(*at));
    const auto local = at_->local();
    if (!local) return local.err();
    address_ = local->to_string();
    return nullptr;
  }
  error serve(const context& ctx) {
    group connections(ctx);
    return tenon::net::serve(ctx, connections, *at_,
                             [](const context& c, tenon::net::tcp_stream s) {
                               std::array<char, 1000> block{};
                               for (;;) {
                                 const auto n = s.read_some(c, block);
                                 if (!n || s.write_all(c, {block.data(), *n})) return;
                               }
                             },
                             {.max_connections = 50});
  }
  error call(const context& ctx, random_source& random) {
    auto s = tenon::net::dial(ctx, address_);
    if (!s) return s.err();
    const std::string text(1 + random.below(3000), 'e');
    group g(ctx);
    g.go([&](const context& c) { return s->write_all(c, text); });
    std::string back(text.size(), ' ');
    if (error e = s->read_exactly(ctx, back)) return e;
    if (error e = g.wait()) return e;
    if (random.one_in(4)) {  // a read is given up
      const auto soon = tenon::with_timeout(ctx, 50us);
      std::array<char, 1> one{};
      if (s->read_some(soon.ctx(), one)) return wrong("an echo of nothing");
    }
    if (random.one_in(2)) (void)s->close();
    return back == text ? error() : wrong("an echo of something else");
  }

 private:
  std::unique_ptr<tenon::net::tcp_listener> at_;
  std::string address_;
};

error datagrams(const context& ctx, random_source& random) {
  auto pair = tenon::net::socket_pair();
  if (!pair) return pair.err();
  auto& [a, b] = *pair;
  group g(ctx);
  const std::string text(1 + random.below(200'000), 'p');
  g.go([&, &a = a](const context& c) { return a.write_all(c, text); });
  std::string back(text.size(), ' ');
  if (error e = b.read_exactly(ctx, back)) return e;
  return g.wait();
}

// ---- a lap ------------------------------------------------------------------------------------------------------------

void lap(unsigned workers, steady::time_point until, std::uint64_t seed, const std::filesystem::path& dir,
         std::atomic<std::uint64_t>& done) {
  tenon::run(
      [&](const context& root) {
        library lib;
        echo server;
        const error opened = server.open();
        ASSERT_FALSE(opened) << opened.message();
        const auto serving = tenon::with_cancel(root);
        auto serve = tenon::go([&] { return server.serve(serving.ctx()); });
        group all(root);
        std::uint64_t who = 0;
        const auto repeat = [&](auto one) {
          for (int twice = 0; twice < 2; ++twice) {
            all.go([&, one, mine = seed + ++who](const context& ctx) -> error {
              random_source random(mine);
              while (steady::now() < until) {
                if (error e = one(ctx, random)) return e;
                ++done;
                tenon_test::watchdog::step();
              }
              return nullptr;
            });
          }
        };
        repeat(channels);
        repeat(locks);
        repeat(contexts);
        repeat(timers);
        repeat(errgroups);
        repeat(pipelines);
        repeat([&](const context& ctx, random_source& random) { return lib.use(ctx, random); });
        repeat(threads);
        repeat([&](const context& ctx, random_source& random) { return files(ctx, random, dir); });
        repeat(programs);
        repeat([&](const context& ctx, random_source& random) { return server.call(ctx, random); });
        repeat(datagrams);
        const error e = all.wait();
        EXPECT_FALSE(e) << e.message();
        serving.cancel();
        (void)serve.join();
      },
      {.workers = workers, .idle_stack_bytes = 1U << 20U});
}

// ---- what it leaves behind --------------------------------------------------------------------------------------------

std::size_t entries(const char* folder) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++n;
  return n;
}

/// The least of some laps: what a lap needs for itself comes and goes.
struct left_behind {
  static constexpr std::size_t unknown = std::numeric_limits<std::size_t>::max();
  std::size_t heap = unknown;    // bytes in use
  std::size_t memory = unknown;  // bytes
  std::size_t descriptors = unknown;
  std::size_t threads = unknown;
  void look() {
    ::malloc_trim(0);  // memory that is free, but lies between what is not, is no leak
    heap = std::min(heap, ::mallinfo2().uordblks);
    memory = std::min(memory, tenon_test::resident_bytes());
    descriptors = std::min(descriptors, entries("/proc/self/fd"));
    threads = std::min(threads, entries("/proc/self/task"));
  }
};

TEST(Soak, LeavesNothingBehind) {
  const tenon_test::seed_in_use seed;
  const tenon_test::watchdog dog;
  const char* const wanted = std::getenv("TENON_SOAK_SECONDS");
  const std::chrono::seconds goes_on(wanted == nullptr ? 120 : std::atoi(wanted));
  const auto one_lap = std::clamp<steady::duration>(goes_on / 120, 100ms, 10s);
  const std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("tenon_soak." + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  std::atomic<std::uint64_t> done = 0;
  std::size_t laps = 0;
  const auto began = steady::now();
  // A third to warm up, and two that are compared.
  std::array<left_behind, 3> thirds;
  for (std::size_t third = 0; third < thirds.size() && !HasFailure(); ++third) {
    constexpr std::array<unsigned, 4> workers{1, 2, 8, 64};
    const auto until = began + (third + 1) * goes_on / thirds.size();
    left_behind& now = thirds[third];
    for (std::size_t n = 0; (n < workers.size() || steady::now() < until) && !HasFailure(); ++n, ++laps) {
      lap(workers[n % workers.size()], steady::now() + one_lap, seed.of(laps), dir, done);
      now.look();
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(steady::now() - began).count();
    std::printf(
        "after %lld s, %zu runs, %llu turns: %.1f MB, %zu bytes of the heap in use, %zu descriptors, %zu threads\n",
        static_cast<long long>(seconds), laps, static_cast<unsigned long long>(done.load()),
        static_cast<double>(now.memory) / 1e6, now.heap, now.descriptors, now.threads);
    std::fflush(stdout);
  }
  std::filesystem::remove_all(dir);
  if (HasFailure()) return;
  const left_behind& before = thirds[1];
  const left_behind& after = thirds[2];
  const auto more = [](std::size_t then, std::size_t now) { return static_cast<std::ptrdiff_t>(now - then); };
  std::printf("figures: %zu runs, %llu turns; later %+.1f MB, %+td bytes of the heap, %+td descriptors, %+td threads\n",
              laps, static_cast<unsigned long long>(done.load()),
              static_cast<double>(more(before.memory, after.memory)) / 1e6, more(before.heap, after.heap),
              more(before.descriptors, after.descriptors), more(before.threads, after.threads));
  EXPECT_LE(after.memory, before.memory + (4U << 20U));
  EXPECT_LE(after.heap, before.heap + (256U << 10U));  // what threads keep for themselves counts as in use
  EXPECT_LE(after.descriptors, before.descriptors);
  EXPECT_LE(after.threads, before.threads);
}

}  // namespace
