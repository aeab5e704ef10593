#include "support/waiting.hpp"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <tenon/context.hpp>
#include <tenon/go.hpp>
#include <tenon/metrics.hpp>
#include <tenon/run.hpp>

#include "platform/annotate.hpp"
#include "platform/stack.hpp"
#include "sched/goroutine.hpp"
#include "sched/scheduler.hpp"

namespace tenon_test {

namespace {

using tenon::detail::goroutine_core;
using tenon::detail::goroutine_state;

/// Whether a worker is in a call of `blocking` with it.
bool blocks(const goroutine_core& g) noexcept {
  const tenon::detail::scheduler& s = tenon::detail::the_scheduler();
  for (unsigned i = 0; i < s.worker_slots(); ++i) {
    tenon::detail::worker& w = *s.worker_at(i);
    tenon::annotate::happens_after(&w);  // its making, which the scheduler publishes
    if (w.running.load() != &g) continue;
    const tenon::detail::worker_status status = w.status.load();
    return status == tenon::detail::worker_status::blocking || status == tenon::detail::worker_status::retaken_blocking;
  }
  return false;
}

/// Whether a goroutine other than the caller can run, or is only about to wait.
bool others_run() noexcept {
  struct look {
    const goroutine_core* me;
    bool found = false;
  } l{tenon::detail::running_goroutine()};
  tenon::stacks::for_each(
      [](const tenon::stack_slot& slot, void* p) {
        auto& mine = *static_cast<look*>(p);
        const goroutine_core& g = *tenon::detail::descriptor_of(slot);
        if (mine.found || &g == mine.me) return;
        switch (g.state.load()) {
          case goroutine_state::free:
          case goroutine_state::ended: break;
          case goroutine_state::created:
          case goroutine_state::runnable: mine.found = true; break;
          case goroutine_state::running: mine.found = !blocks(g); break;
          case goroutine_state::waiting: mine.found = g.ctx.busy.load() != 0; break;
        }
      },
      &l);
  return l.found;
}

constexpr std::chrono::milliseconds settled_by{100};

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

void settle() noexcept {
  for (int i = 0; i < 100; ++i) tenon::yield();
  const auto end = std::chrono::steady_clock::now() + settled_by;
  while (others_run() && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();  // the kernel keeps one of them from running
    tenon::yield();
  }
}

void await_waiting(std::uint64_t n, const char* reason) {
  const auto enough = [&] {
    const tenon::metrics m = tenon::read_metrics();
    if (reason == nullptr) return m.waiting >= n;
    return std::ranges::any_of(m.waiting_for,
                               [&](const auto& of) { return std::strcmp(of.first, reason) == 0 && of.second >= n; });
  };
  while (!enough()) tenon::yield();
}

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
    std::atomic<bool> begun = false;
    std::thread([&] {
      begun = true;
      perform(f);
    }).detach();
    while (!begun) std::this_thread::yield();  // it may take long to start
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (expected != fate::blocks) (void)eventually([] { return false; });
  });
}

}  // namespace tenon_test
