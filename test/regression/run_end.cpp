// Runs that end while others still start something: `run_end <case>`.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

namespace {

tenon::goroutine<> ticking;

/// A thread starts goroutines until the run has ended, and joins each of them.
int go_of_a_thread() {
  std::atomic<bool> begun{false};
  std::thread other([&] {
    while (!begun) std::this_thread::yield();
    for (;;) tenon::go([] {}).join();  // fatal once the run has ended
  });
  (void)tenon::run([&] { begun = true; });
  other.join();
  return 0;
}

int static_handle() {
  (void)tenon::run([] {
    ticking = tenon::go(tenon::background(), [](tenon::context ctx) {
      while (tenon::sleep_for(ctx, 1h)) {
      }
      std::puts("ended by its context");
    });
  });
  ticking.join();
  std::puts("run has returned");
  return 0;
}

/// A wait group that stands in a static variable. The thread lets its goroutine go once it has been reported.
int not_owned() {
  static tenon::wait_group wg;
  int ends[2];
  if (::pipe(ends) != 0 || ::dup2(ends[1], STDERR_FILENO) < 0) return 9;
  auto reported = tenon::make_chan<void>();
  std::thread reader([&] {
    std::string text;
    char some[512];
    while (text.find("run_end.cpp:") == std::string::npos) {
      const ssize_t n = ::read(ends[0], some, sizeof some);
      if (n <= 0) std::_Exit(8);
      text.append(some, static_cast<std::size_t>(n));
    }
    std::fputs(text.c_str(), stdout);
    reported.close();
  });
  (void)tenon::run([&] { wg.go([reported] { (void)reported.recv(); }); }, {.report_after = 10ms});
  reader.join();
  return 0;
}

}  // namespace

int main(int, char** argv) {
  const char* which = argv[1];
  if (std::strcmp(which, "go_of_a_thread") == 0) return go_of_a_thread();
  if (std::strcmp(which, "static_handle") == 0) return static_handle();
  if (std::strcmp(which, "not_owned") == 0) return not_owned();
  return 9;
}
