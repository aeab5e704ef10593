// Locks of the standard library, which belong to a thread, held while a goroutine waits: `std_lock_over_wait <case>`, with checks that report.
// The lines are announced on stdout; each case says how often two goroutines were within the lock at once.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

#define ANNOUNCED(which, statement)                               \
  std::printf(which " at std_lock_over_wait.cpp:%d\n", __LINE__); \
  std::fflush(stdout);                                            \
  statement

namespace {

std::atomic<int> inside{0};
std::atomic<int> overlaps{0};

struct visit {
  visit() { overlaps += ++inside > 1 ? 1 : 0; }
  ~visit() { --inside; }
};

template <class Mutex>
void over_a_sleep(tenon::group& root) {
  Mutex mu;
  tenon::group g(root.ctx());
  const auto work = [&](bool first) {
    if (first) {
      ANNOUNCED("locks", const std::lock_guard hold(mu));
      const visit here;
      ANNOUNCED("waits", tenon::sleep_for(1ms));
      return;
    }
    for (int k = 0; k < 3; ++k) {
      const std::lock_guard hold(mu);
      const visit here;
      tenon::sleep_for(100us);
    }
  };
  tenon::go([&] { work(true); }).join();
  for (int i = 0; i < 6; ++i) g.go([&] { work(false); });
  (void)g.wait();
}

void twice_locked(tenon::group& root) {
  std::recursive_mutex mu;
  tenon::group g(root.ctx());
  for (int i = 0; i < 4; ++i) {
    g.go([&] {
      const std::lock_guard outer(mu);
      {
        const std::unique_lock inner(mu);
      }
      const visit here;
      tenon::sleep_for(100us);
    });
  }
  (void)g.wait();
}

void over_a_receive(tenon::group& root) {
  std::mutex mu;
  auto c = tenon::make_chan<int>();
  root.go([&] {
    while (!c.try_send(1)) tenon::yield();  // until goroutine 1 waits for it
  });
  ANNOUNCED("locks", const std::unique_lock hold(mu));
  ANNOUNCED("waits", (void)c.recv());
}

void over_a_yield(tenon::group&) {
  std::mutex mu;
  ANNOUNCED("locks", const std::unique_lock hold(mu));
  ANNOUNCED("waits", tenon::yield());
}

void shared_over_a_receive(tenon::group& root) {
  std::shared_mutex mu;
  auto c = tenon::make_chan<int>();
  root.go([&] {
    while (!c.try_send(1)) tenon::yield();  // until goroutine 1 waits for it
  });
  ANNOUNCED("locks", const std::shared_lock hold(mu));
  ANNOUNCED("waits", (void)c.recv());
}

// ---- what is no fault ---------------------------------------------------------------------------------------------

void unlocked_before(tenon::group&) {
  std::mutex mu;
  std::recursive_mutex again;
  std::shared_mutex shared;
  std::timed_mutex timed;
  for (int i = 0; i < 20; ++i) {
    {
      const std::scoped_lock all(mu, again, timed);
      const std::lock_guard twice(again);
      const std::shared_lock reads(shared);
    }
    if (std::unique_lock tried(mu, std::try_to_lock); tried) tried.unlock();
    if (timed.try_lock_for(1s)) timed.unlock();
    tenon::sleep_for(100us);
    tenon::yield();
  }
}

void on_this_thread(tenon::group&) {
  const tenon::on_this_thread here;
  std::recursive_mutex mu;
  const std::lock_guard hold(mu);
  tenon::sleep_for(1ms);
}

void in_a_blocking_call(tenon::group&) {
  std::mutex mu;
  tenon::blocking([&] {
    const std::lock_guard hold(mu);
    std::this_thread::sleep_for(1ms);
  });
  tenon::yield();
}

// By a thread that nobody sees doing it.
void unlocked_unseen(tenon::group&) {
  std::mutex mu;
  mu.lock();
  tenon::blocking([&] { std::thread([&] { mu.unlock(); }).join(); });
  tenon::sleep_for(1ms);
}

// After the report the goroutine keeps its thread, but no longer than it holds the lock: the dump of a deadlock says so.
void asleep(bool with_the_lock) {
  std::mutex mu;
  std::unique_lock hold(mu);
  tenon::sleep_for(1ms);
  if (!with_the_lock) hold.unlock();
  tenon::chan<int> nil;
  (void)nil.recv();
}

void asleep_with_it(tenon::group&) { asleep(true); }
void asleep_without_it(tenon::group&) { asleep(false); }

// The mutex is gone, and its memory with it.
void destroyed_while_locked(tenon::group&) {
  auto* mu = new std::mutex;
  mu->lock();
  delete mu;
  tenon::sleep_for(1ms);
}

struct {
  const char* name;
  void (*f)(tenon::group&);
} const cases[] = {
    {"mutex", over_a_sleep<std::mutex>},
    {"recursive_mutex", over_a_sleep<std::recursive_mutex>},
    {"timed_mutex", over_a_sleep<std::timed_mutex>},
    {"shared_mutex", over_a_sleep<std::shared_mutex>},
    {"twice_locked", twice_locked},
    {"over_a_receive", over_a_receive},
    {"over_a_yield", over_a_yield},
    {"shared_over_a_receive", shared_over_a_receive},
    {"unlocked_before", unlocked_before},
    {"on_this_thread", on_this_thread},
    {"in_a_blocking_call", in_a_blocking_call},
    {"unlocked_unseen", unlocked_unseen},
    {"asleep_with_it", asleep_with_it},
    {"asleep_without_it", asleep_without_it},
    {"destroyed_while_locked", destroyed_while_locked},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& c : cases) {
    if (argc != 2 || std::strcmp(argv[1], c.name) != 0) continue;
    const int status = tenon::run(c.f, {.workers = 2, .check_locks = true});
    std::printf("overlaps %d\ndone\n", overlaps.load());
    return status;
  }
  std::fputs("usage: std_lock_over_wait <case>\n", stderr);
  return 64;
}
