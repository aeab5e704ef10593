// Programs that end by a failure, or beside one: `failures <case>`. The lines named in failure_test.cpp are marked.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <tenon/detail/atomic.hpp>
#include <tenon/tenon.hpp>
#include <tenon/testing/run_virtual.hpp>

#include "base/fatal.hpp"
#include "platform/os_thread.hpp"
#include "sched/monitor.hpp"

namespace {

using namespace std::chrono_literals;

/// An exception is thrown between `go` and `wait`.
void wait_group_left_by_an_exception() {
  tenon::run([] {
    tenon::wait_group wg;
    const auto never = tenon::make_chan<void>();
    wg.go([never] { (void)never.recv(); });
    throw std::runtime_error("config.toml: no such file");
  });
}

/// The wait group is a member of a member, and the exception a rethrown one.
void wait_group_left_by_a_rethrown_exception() {
  struct server {
    tenon::wait_group connections;
  };
  tenon::run([] {
    const auto s = std::make_unique<server>();
    s->connections.add(1);
    try {
      throw std::out_of_range("port 70000");
    } catch (...) {
      const std::exception_ptr kept = std::current_exception();
      std::rethrow_exception(kept);
    }
  });
}

void wait_group_of_a_thread_left_by_an_exception() {
  std::thread([] {
    try {
      tenon::wait_group wg;
      wg.add(1);
      throw std::runtime_error("on a plain thread");
    } catch (const std::exception&) {  // NOLINT: it is not reached
    }
  }).join();
}

/// A member fails, another waits for what it would have sent.
void deadlock_after_a_failed_member() {
  const auto c = tenon::make_chan<int>();
  tenon::run([&](tenon::group& root) {
    root.go([c] { (void)c.recv(); });
    root.go([] { throw std::runtime_error("producer failed"); });  // line: failed member
  });
}

void deadlock_after_a_member_returned_an_error() {
  const auto c = tenon::make_chan<int>();
  tenon::run([&](tenon::group& root) {
    root.go([c] { (void)c.recv(); });
    root.go([] { return tenon::error("producer gave up"); });
  });
}

void deadlock_after_a_failed_goroutine() {
  tenon::run([] {
    const auto c = tenon::make_chan<int>();
    auto failed = tenon::go([] { throw std::runtime_error("handle failed"); });
    (void)c.recv();
    failed.join();
  });
}

void deadlock_after_a_failed_function_of_a_wait_group() {
  tenon::run([] {
    const auto c = tenon::make_chan<int>();
    tenon::wait_group wg;
    wg.go([c] { (void)c.recv(); });
    wg.go([] { throw std::runtime_error("one of two failed"); });
    wg.wait();
  });
}

/// The function of `run` itself.
void deadlock_after_the_first_function_failed() {
  const auto c = tenon::make_chan<int>();
  tenon::run([&](tenon::group& root) {
    root.go([c] { (void)c.recv(); });
    throw std::runtime_error("main failed");
  });
}

/// The group's destructor waits for its member while the exception is on its way through it.
void deadlock_while_unwinding() {
  const auto c = tenon::make_chan<int>();
  tenon::run([&](tenon::group& root) {
    tenon::group g(root.ctx());
    g.go([c] { (void)c.recv(); });
    throw std::runtime_error("on its way through a group");
  });
}

void deadlock_in_a_handler() {
  tenon::run([&] {
    const auto c = tenon::make_chan<int>();
    try {
      throw std::runtime_error("being handled");
    } catch (const std::exception&) {
      (void)c.recv();
    }
  });
}

void fatal_in_a_handler() {
  tenon::run([&] {
    try {
      throw std::runtime_error("being handled");
    } catch (const std::exception&) {
      tenon::mutex mu;
      mu.unlock();
    }
  });
}

/// What has been seen is no news.
void deadlock_after_a_failure_that_was_seen() {
  tenon::run([&](tenon::group& root) {
    const auto c = tenon::make_chan<int>();
    {
      tenon::group g(root.ctx());
      g.go([] { throw std::runtime_error("dealt with"); });
      (void)!g.wait();
      tenon::wait_group wg;
      wg.go([] { throw std::runtime_error("dealt with"); });
      try {
        wg.wait();
      } catch (const std::exception&) {  // NOLINT
      }
      try {
        tenon::go([] { throw std::runtime_error("dealt with"); }).join();
      } catch (const std::exception&) {  // NOLINT
      }
    }
    (void)c.recv();
  });
}

void unseen_failure_of_a_member() {
  tenon::run([](tenon::group& root) {
    root.go([] {
      tenon::group g(tenon::background());
      for (int i = 0; i < 3; ++i) g.go([](const tenon::context& ctx) { (void)tenon::sleep_for(ctx, 1h); });
      g.go([] { throw std::runtime_error("boom"); });  // line: unseen member
      (void)g.ctx().done().recv();
    });
  });
}

void unseen_failure_of_a_stage() {
  tenon::run([](tenon::group& root) {
    tenon::group g(root.ctx());
    const auto out =
        g.produce<int>([](tenon::sender<int>&) { throw std::runtime_error("boom"); });  // line: unseen stage
    (void)out.recv();
  });
}

void unseen_failure_in_a_wait_group() {
  tenon::testing::run_virtual([] {
    tenon::wait_group wg;
    wg.go([] {  // line: unseen wait group
      throw std::runtime_error("boom");
    });
    tenon::sleep_for(std::chrono::seconds(1));  // the clock moves when all others have ended, or wait
  });
}

/// Both are told: one line for the member's, and `run` throws the other.
void unseen_failure_beside_an_exception() {
  try {
    tenon::run([](tenon::group& root) {
      tenon::group g(root.ctx());
      g.go([] { throw std::runtime_error("the member's"); });
      (void)g.ctx().done().recv();
      throw std::runtime_error("the owner's");
    });
  } catch (const std::exception& e) {
    std::printf("run threw: %s\n", e.what());
  }
}

/// While one thread ends the process, the monitor, whose dump it waits for, is told to do the same.
void fatal_on_the_monitor_meanwhile() {
  static tenon::detail::atomic<bool> there = false;
  tenon::run([] {
    tenon::set_failures_hook([]() noexcept {
      tenon::detail::monitor::request([]() noexcept {
        there.store(true);
        tenon::fatal("the monitor's");
      });
      while (!there.load()) tenon::let_others_run();
    });
    tenon::fatal("the worker's");
  });
}

const struct {
  const char* name;
  void (*run)();
} cases[] = {
    {"wait_group_left_by_an_exception", wait_group_left_by_an_exception},
    {"wait_group_left_by_a_rethrown_exception", wait_group_left_by_a_rethrown_exception},
    {"wait_group_of_a_thread_left_by_an_exception", wait_group_of_a_thread_left_by_an_exception},
    {"deadlock_after_a_failed_member", deadlock_after_a_failed_member},
    {"deadlock_after_a_member_returned_an_error", deadlock_after_a_member_returned_an_error},
    {"deadlock_after_a_failed_goroutine", deadlock_after_a_failed_goroutine},
    {"deadlock_after_a_failed_function_of_a_wait_group", deadlock_after_a_failed_function_of_a_wait_group},
    {"deadlock_after_the_first_function_failed", deadlock_after_the_first_function_failed},
    {"deadlock_while_unwinding", deadlock_while_unwinding},
    {"deadlock_in_a_handler", deadlock_in_a_handler},
    {"fatal_in_a_handler", fatal_in_a_handler},
    {"deadlock_after_a_failure_that_was_seen", deadlock_after_a_failure_that_was_seen},
    {"unseen_failure_of_a_member", unseen_failure_of_a_member},
    {"unseen_failure_of_a_stage", unseen_failure_of_a_stage},
    {"unseen_failure_in_a_wait_group", unseen_failure_in_a_wait_group},
    {"unseen_failure_beside_an_exception", unseen_failure_beside_an_exception},
    {"fatal_on_the_monitor_meanwhile", fatal_on_the_monitor_meanwhile},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& c : cases) {
    if (argc > 1 && std::strcmp(argv[1], c.name) == 0) {
      c.run();
      return 0;
    }
  }
  std::fprintf(stderr, "usage: failures CASE\n");
  return 64;
}
