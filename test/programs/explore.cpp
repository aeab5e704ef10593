// Explorations that end the program: `explore CASE`. stdout says which schedule was the last, stderr how to repeat it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

namespace {

using tenon::context;
using tenon::group;
using tenon::testing::explore;
using tenon::testing::strategy;

void crossed_locks(group& g) {
  auto a = std::make_shared<tenon::mutex>();
  auto b = std::make_shared<tenon::mutex>();
  g.go([=] {
    const std::lock_guard first(*a);
    const std::lock_guard second(*b);
  });
  g.go([=] {
    const std::lock_guard first(*b);
    const std::lock_guard second(*a);
  });
  (void)g.wait();
}

// Two that add to a number under a lock, but not in one step: what is to be done about a lost one is `f`'s to say.
template <class F>
void unsafe_sum(group& g, F f) {
  struct shared {
    tenon::mutex mu;
    int n = 0;
  };
  auto s = std::make_shared<shared>();
  for (int i = 0; i < 2; ++i) {
    g.go([s] {
      s->mu.lock();
      const int n = s->n;
      s->mu.unlock();
      s->mu.lock();
      s->n = n + 1;
      s->mu.unlock();
    });
  }
  (void)g.wait();
  if (s->n != 2) f();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  if (what == "deadlock") {
    explore(crossed_locks, {.by = strategy::exhaustive});
  } else if (what == "deadlock_random") {
    explore(crossed_locks);
  } else if (what == "deadlock_priorities") {
    explore(crossed_locks, {.by = strategy::priorities});
  } else if (what == "abort") {
    explore([](group& g) { unsafe_sum(g, [] { std::abort(); }); }, {.by = strategy::exhaustive});
  } else if (what == "crash") {
    explore([](group& g) { unsafe_sum(g, [] { *static_cast<volatile int*>(nullptr) = 1; }); });
  } else if (what == "status") {
    const auto e = explore([](group& g) {
      int status = 0;
      unsafe_sum(g, [&] { status = 3; });
      return status;
    });
    std::printf("%zu schedules, %s\n", e.schedules, e.failure.c_str());
  } else if (what == "endless") {
    explore(
        [](group& g) {
          auto stop = std::make_shared<tenon::mutex>();
          g.go([stop](const context& ctx) {
            while (!ctx.is_canceled()) tenon::yield();
          });
          (void)g.wait();
        },
        {.operations = 2000});
  } else if (what == "ticker") {
    explore(
        [](group& g) {
          const tenon::ticker unrelated(std::chrono::seconds(1));
          crossed_locks(g);
        },
        {.by = strategy::exhaustive, .operations = 2000});
  } else if (what == "does_not_repeat") {
    int schedules = 0;
    explore(
        [&](group& g) {
          ++schedules;
          for (int i = 0; i < 2 + schedules % 2; ++i) g.go([] { tenon::yield(); });
          (void)g.wait();
        },
        {.by = strategy::exhaustive});
  } else {
    std::fprintf(stderr, "explore: no such case: %s\n", what.c_str());
    return 64;
  }
  std::puts("came to the end");
  return 0;
}
