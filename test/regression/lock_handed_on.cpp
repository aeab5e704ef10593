// Locks that one goroutine takes and another one unlocks, with checks that report: `lock_handed_on <case>`. Each ends with "done".

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

namespace {

// The lock goes with the message; the sender waits until it has been unlocked.
void with_a_message() {
  tenon::mutex mu;
  int value = 0;
  auto hand = tenon::make_chan<std::unique_lock<tenon::mutex>>();
  auto other = tenon::go([&] {
    while (auto held = hand.recv()) {
      tenon::sleep_for(100us);
      ++value;
      held->unlock();
    }
  });
  for (int i = 0; i < 100; ++i) {
    hand.send(std::unique_lock(mu));
  }
  hand.close();
  other.join();
  std::printf("value %d\n", value);
}

// A mutex as a signal, in as many places as there are Ns: where each is its own function.
template <std::size_t N>
[[gnu::noinline]] void signaled() {
  tenon::mutex mu;
  mu.lock();
  const auto signaler = tenon::go([&] {
    while (tenon::read_metrics().waiting == 0) tenon::yield();  // until goroutine 1 waits for it
    mu.unlock();
  });
  mu.lock();
  mu.unlock();
}

void one() { signaled<0>(); }

template <std::size_t... N>
void all(std::index_sequence<N...>) {
  for (int round = 0; round < 2; ++round) (signaled<N>(), ...);
}

void many() { all(std::make_index_sequence<40>()); }

struct {
  const char* name;
  void (*f)();
} const cases[] = {{"with_a_message", with_a_message}, {"one", one}, {"many", many}};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& c : cases) {
    if (argc == 2 && std::strcmp(argv[1], c.name) == 0) {
      const int status = tenon::run(c.f, {.check_locks = true});
      std::puts("done");
      return status;
    }
  }
  std::fputs("usage: lock_handed_on <case>\n", stderr);
  return 64;
}
