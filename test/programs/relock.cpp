// A goroutine that locks again what it holds, where that is fatal: `relock <case>`. Another one sleeps all the time, so that it is no deadlock
// of all. The lines at which it locks are announced on stdout.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

#define ANNOUNCED(which, statement)                         \
  std::printf(which " locks at relock.cpp:%d\n", __LINE__); \
  std::fflush(stdout);                                      \
  statement

namespace {

void mutex_twice() {
  tenon::mutex mu;
  ANNOUNCED("first", mu.lock());
  ANNOUNCED("again", mu.lock());
}

// What lies between, and other locks, do not matter.
void mutex_much_later() {
  tenon::mutex mu;
  tenon::mutex others[20];
  ANNOUNCED("first", const std::lock_guard hold(mu));
  for (tenon::mutex& other : others) {
    const std::lock_guard one_of_many(other);
    tenon::yield();
  }
  tenon::go([] { tenon::sleep_for(1ms); }).join();
  ANNOUNCED("again", const std::unique_lock hold_again(mu));
}

void try_then_lock() {
  tenon::mutex mu;
  ANNOUNCED("first", const bool got = mu.try_lock());
  if (!got) return;
  ANNOUNCED("again", mu.lock());
}

void with_a_context_that_never_ends() {
  tenon::mutex mu;
  ANNOUNCED("first", const bool got = mu.lock(tenon::background()));
  if (!got) return;
  ANNOUNCED("again", if (mu.lock(tenon::background())) std::puts("came back"));
}

void in_a_named_goroutine() {
  tenon::mutex mu;
  tenon::go({.name = "twice"}, [&] {
    ANNOUNCED("first", mu.lock());
    ANNOUNCED("again", mu.lock());
  }).join();
}

void in_a_plain_thread() {
  std::thread([] {
    tenon::mutex mu;
    ANNOUNCED("first", mu.lock());
    ANNOUNCED("again", mu.lock());
  }).join();
}

// Several locks at once, taken by the standard library's own algorithm.
void scoped_lock_of_two() {
  tenon::mutex mu;
  tenon::mutex other;
  ANNOUNCED("first", const std::scoped_lock hold(mu, other));
  ANNOUNCED("again", mu.lock());
}

void write_twice() {
  tenon::shared_mutex mu;
  ANNOUNCED("first", const std::lock_guard hold(mu));
  ANNOUNCED("again", const std::lock_guard hold_again(mu));
}

void read_while_writing() {
  tenon::shared_mutex mu;
  ANNOUNCED("first", const std::lock_guard hold(mu));
  ANNOUNCED("again", const std::shared_lock hold_again(mu));
}

void upgrade() {
  tenon::shared_mutex mu;
  ANNOUNCED("first", const std::shared_lock hold(mu));
  ANNOUNCED("again", const std::lock_guard hold_again(mu));
}

void read_twice_with_a_writer_between() {
  tenon::shared_mutex mu;
  ANNOUNCED("first", const std::shared_lock hold(mu));
  const auto writer = tenon::go([&] { const std::lock_guard waits(mu); });
  while (mu.try_lock_shared()) {  // until the writer waits
    mu.unlock_shared();
    tenon::yield();
  }
  ANNOUNCED("again", const std::shared_lock hold_again(mu));
}

void guarded_in_itself() {
  tenon::guarded<int> data;
  ANNOUNCED("first", data.with([&](int&) { ANNOUNCED("again", (void)data.snapshot()); }));
}

void once_in_itself() {
  tenon::once first;
  ANNOUNCED("first", first.call([&] { ANNOUNCED("again", first.call([] {})); }));
}

struct {
  const char* name;
  void (*f)();
} const cases[] = {
    {"mutex_twice", mutex_twice},
    {"mutex_much_later", mutex_much_later},
    {"try_then_lock", try_then_lock},
    {"with_a_context_that_never_ends", with_a_context_that_never_ends},
    {"in_a_named_goroutine", in_a_named_goroutine},
    {"in_a_plain_thread", in_a_plain_thread},
    {"scoped_lock_of_two", scoped_lock_of_two},
    {"write_twice", write_twice},
    {"read_while_writing", read_while_writing},
    {"upgrade", upgrade},
    {"read_twice_with_a_writer_between", read_twice_with_a_writer_between},
    {"guarded_in_itself", guarded_in_itself},
    {"once_in_itself", once_in_itself},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& c : cases) {
    if (argc != 2 || std::strcmp(argv[1], c.name) != 0) continue;
    const auto beside_a_sleeper = [&c](tenon::group& g) {
      g.go([] { tenon::sleep_for(1h); });
      c.f();
      std::puts("came back");
    };
    return tenon::run(beside_a_sleeper, {.check_locks = true, .lock_faults_are_fatal = true});
  }
  std::fputs("usage: relock <case>\n", stderr);
  return 64;
}
