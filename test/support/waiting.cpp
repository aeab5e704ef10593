#include "support/waiting.hpp"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <tenon/context.hpp>
#include <tenon/go.hpp>
#include <tenon/run.hpp>

namespace tenon_test {

namespace {

constexpr int status_of(fate o) { return 10 + static_cast<int>(o); }

// In the child: the operation, and the answer when it has come to an end.
[[noreturn]] void perform(const std::function<void()>& f) {
  try {
    f();
  } catch (...) {
    std::_Exit(status_of(fate::throws));
  }
  std::_Exit(status_of(fate::returns));
}

fate in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    body();
    std::_Exit(status_of(fate::blocks));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  for (const fate o : {fate::blocks, fate::returns, fate::throws}) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == status_of(o)) return o;
  }
  throw std::runtime_error("the child process ended with wait status " + std::to_string(status));
}

}  // namespace

fate fate_in_goroutine(const std::function<void()>& f, fate expected) {
  return in_child([&] {
    tenon::run(
        [&](const tenon::context&) {
          const auto g = tenon::go([&] { perform(f); });
          settle();
          if (expected != fate::blocks) (void)eventually([] { return false; });
          std::_Exit(status_of(fate::blocks));
        },
        tenon::run_options{.workers = 1});
  });
}

fate fate_on_os_thread(const std::function<void()>& f, fate expected) {
  return in_child([&] {
    std::thread([&] { perform(f); }).detach();
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (expected != fate::blocks) (void)eventually([] { return false; });
  });
}

}  // namespace tenon_test
