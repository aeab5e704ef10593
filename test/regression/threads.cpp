// Programs whose goroutines keep threads: `threads <case>`. Each prints "done" once all of it has gone on.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

namespace {

struct pipe_ends {
  int ends[2];
  pipe_ends() {
    if (::pipe(ends) != 0) std::_Exit(8);
  }
  void read_one() const {
    char c = 0;
    if (::read(ends[0], &c, 1) != 1) std::_Exit(8);
  }
  void feed(int n) const {
    for (int i = 0; i < n; ++i) {
      if (::write(ends[1], "x", 1) != 1) std::_Exit(8);
    }
  }
};

int done() {
  std::puts("done");
  return 0;
}

/// Goroutines in blocking calls, and those that wait for a thread to make theirs on.
std::uint64_t in_calls_or_about_to() {
  const tenon::metrics m = tenon::read_metrics();
  std::uint64_t n = m.in_calls;
  for (const auto& [reason, waiting] : m.waiting_for) {
    if (std::strcmp(reason, "waiting for a thread") == 0) n += waiting;
  }
  return n;
}

/// 40 reads, far fewer threads, and a goroutine that feeds them once as many as can be are reading.
int blocking() {
  const pipe_ends p;
  (void)tenon::run(
      [&](tenon::group& root) {
        root.go_n(40, [&] { tenon::blocking([&] { p.read_one(); }); });
        root.go([&] {
          while (in_calls_or_about_to() < 40) tenon::sleep_for(1ms);
          p.feed(40);
        });
      },
      {.max_threads = 8});
  return done();
}

int nested() {
  const pipe_ends p;
  (void)tenon::run(
      [&](tenon::group& root) {
        root.go_n(20, [&] { tenon::blocking([&] { tenon::blocking([&] { p.read_one(); }); }); });
        root.go([&] { p.feed(20); });
      },
      {.max_threads = 3});
  return done();
}

int pinned() {
  (void)tenon::run(
      [](tenon::group& root) {
        // Each waits for all: none may have to wait for another to let go of its thread.
        auto all_there = std::make_shared<tenon::wait_group>();
        all_there->add(20);
        root.go_n(20, [all_there] {
          const tenon::on_this_thread here;
          all_there->done();
          all_there->wait();
          tenon::sleep_for(1ms);
        });
      },
      {.max_threads = 2});
  return done();
}

int pinned_and_blocking() {
  const pipe_ends p;
  (void)tenon::run(
      [&](tenon::group& root) {
        root.go_n(10, [&] {
          const tenon::on_this_thread here;
          tenon::blocking([&] { p.read_one(); });
          tenon::sleep_for(1ms);
        });
        root.go_n(10, [&] { tenon::blocking([&] { p.read_one(); }); });
        root.go([&] { p.feed(20); });
      },
      {.max_threads = 3});
  return done();
}

/// The sleeper's timer is on the worker that blocks until the sleeper has woken up; others always have something to run. Seconds later, when the
/// monitor has looked at them thousands of times, is too late.
int timer_of_a_blocked_worker() {
  constexpr int too_many = 50'000'000;
  const pipe_ends p;
  (void)tenon::run([&] {
    std::atomic<bool> stop{false};
    tenon::wait_group wg;
    wg.go([&] {
      tenon::sleep_for(50ms);
      p.feed(1);
    });
    tenon::yield();
    tenon::yield();
    for (unsigned i = 0; i < 2 * tenon::worker_count(); ++i) {
      wg.go([&] {
        for (int yields = 0; !stop; ++yields) {
          if (yields == too_many) std::_Exit(3);
          tenon::yield();
        }
      });
    }
    tenon::blocking([&] { p.read_one(); });
    stop = true;
    wg.wait();
  });
  return done();
}

/// What it has woken has to run while it computes.
void send_and_compute(const tenon::chan<int>& c, const std::atomic<bool>& received) {
  c.send(1);
  while (!received.load(std::memory_order_relaxed)) {
  }
}

int woken_after_blocking() {
  (void)tenon::run([] {
    std::atomic<bool> received{false};
    auto c = tenon::make_chan<int>();
    auto receiver = tenon::go([&] {
      (void)c.recv();
      received = true;
    });
    while (tenon::read_metrics().waiting == 0) tenon::yield();    // until the receiver does
    tenon::blocking([] { std::this_thread::sleep_for(200ms); });  // long enough for the monitor to go to sleep
    send_and_compute(c, received);
    receiver.join();
  });
  return done();
}

int woken_after_pinned_wait() {
  (void)tenon::run([] {
    std::atomic<bool> received{false};
    auto c = tenon::make_chan<int>();
    auto first = tenon::make_chan<void>();
    auto receiver = tenon::go([&] {
      (void)c.recv();
      received = true;
    });
    std::thread outside([&] {
      std::this_thread::sleep_for(200ms);
      first.send();
    });
    {
      const tenon::on_this_thread here;
      (void)first.recv();
    }
    send_and_compute(c, received);
    receiver.join();
    outside.join();
  });
  return done();
}

/// Bare reads take all threads; the report says so, and a thread outside then lets them go on.
int bare_reads() {
  const pipe_ends p;
  const pipe_ends report;
  if (::dup2(report.ends[1], STDERR_FILENO) < 0) return 9;
  std::thread reader([&] {
    std::string text;
    char some[512];
    while (text.find("is in the system call read") == std::string::npos) {
      const ssize_t n = ::read(report.ends[0], some, sizeof some);
      if (n <= 0) std::_Exit(8);
      text.append(some, static_cast<std::size_t>(n));
    }
    std::fputs(text.c_str(), stdout);
    p.feed(10);
  });
  (void)tenon::run([&](tenon::group& root) { root.go_n(10, [&] { p.read_one(); }); },
                   {.max_threads = 3, .report_after = 100ms});
  reader.join();
  return 0;
}

/// A run in the parent, then one in a child: there the monitor is needed for what `woken_after_blocking` shows.
int child() {
  (void)tenon::run([] {});
  const pid_t pid = ::fork();
  if (pid == 0) {
    (void)woken_after_blocking();
    std::fflush(stdout);
    std::_Exit(0);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return 7;
  return WEXITSTATUS(status);
}

constexpr std::pair<const char*, int (*)()> cases[] = {
    {"blocking", blocking},
    {"nested", nested},
    {"pinned", pinned},
    {"pinned_and_blocking", pinned_and_blocking},
    {"timer_of_a_blocked_worker", timer_of_a_blocked_worker},
    {"woken_after_blocking", woken_after_blocking},
    {"woken_after_pinned_wait", woken_after_pinned_wait},
    {"bare_reads", bare_reads},
    {"child", child},
};

}  // namespace

int main(int, char** argv) {
  for (const auto& [name, body] : cases) {
    if (std::strcmp(name, argv[1]) == 0) return body();
  }
  return 9;
}
