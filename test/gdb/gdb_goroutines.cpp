// Goroutines that wait, one that runs, and one that has not begun; then a trap: `gdb_goroutines`.

#include <csignal>
#include <cstdio>

#include <tenon/tenon.hpp>

extern "C" {

[[gnu::noinline]] int gdb_receives(const tenon::chan<int>& from) {
  const int got = from.recv().value_or(0);
  return got + 1;
}

[[gnu::noinline]] void gdb_locks(tenon::mutex& mu) {
  mu.lock();
  std::puts("locked");
  mu.unlock();
}

[[gnu::noinline]] int gdb_traps(int n) {
  std::raise(SIGTRAP);
  return n + 1;
}

}  // extern "C"

int main() {
  tenon::mutex mu;
  const int n = tenon::run(
      [&mu](tenon::group& root) {
        const auto numbers = tenon::make_chan<int>();
        mu.lock();
        root.go({.name = "receiver"}, [numbers] { std::printf("%d\n", gdb_receives(numbers)); });
        root.go({.name = "locker"}, [&mu] { gdb_locks(mu); });
        tenon::yield();
        tenon::yield();
        root.go({.name = "fresh"}, [] {});
        const int trapped = gdb_traps(41);
        mu.unlock();
        numbers.send(1);
        return trapped;
      },
      {.workers = 1});
  return n == 42 ? 0 : 1;
}
