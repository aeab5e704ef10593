// Stops in a debugger, inside a goroutine, some frames deep.

#include <csignal>
#include <cstdio>

#include <tenon/tenon.hpp>

extern "C" {

[[gnu::noinline]] int gdb_user_inner(int n) {
  std::raise(SIGTRAP);
  return n + 1;
}

[[gnu::noinline]] int gdb_user_outer(int n) { return gdb_user_inner(n) * 2; }

}  // extern "C"

int main() {
  const int n = tenon::run([](tenon::context) {
    auto g = tenon::go([] {
      tenon::yield();
      return gdb_user_outer(20);
    });
    return g.join();
  });
  std::printf("%d\n", n);
  return n == 42 ? 0 : 1;
}
