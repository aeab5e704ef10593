#pragma once

/// One test body for every kind of caller: goroutines, plain OS threads without a `run`, and the two mixtures.
///
///     class Cancel : public testing::TestWithParam<tenon_test::callers> {};
///     TEST_P(Cancel, EndsABlockedReceive) {
///       tenon_test::as(GetParam(), [&] {
///         auto other = tenon_test::start(GetParam(), [&] { … });
///         …
///         other.join();
///       });
///     }
///     INSTANTIATE_TEST_SUITE_P(By, Cancel, tenon_test::every_caller, tenon_test::caller_name);
///
/// A failed ASSERT leaves its lambda, not the test.

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include <tenon/blocking.hpp>
#include <tenon/chan.hpp>
#include <tenon/go.hpp>
#include <tenon/run.hpp>

#include "support/waiting.hpp"

namespace tenon_test {

enum class callers {
  goroutines,                // the body and what it starts
  os_threads,                // both, and no runtime is there
  goroutine_and_os_threads,  // the body is a goroutine, what it starts are OS threads
  os_thread_and_goroutines,  // the other way round
};

inline const auto every_caller = testing::Values(callers::goroutines, callers::os_threads,
                                                 callers::goroutine_and_os_threads, callers::os_thread_and_goroutines);

inline std::string caller_name(const testing::TestParamInfo<callers>& info) {
  switch (info.param) {
    case callers::goroutines: return "Goroutines";
    case callers::os_threads: return "OsThreads";
    case callers::goroutine_and_os_threads: return "GoroutineAndOsThreads";
    case callers::os_thread_and_goroutines: return "OsThreadAndGoroutines";
  }
  return "";
}

/// An OS thread that is joined like a goroutine: `join` rethrows what left its function and may be called by a goroutine.
class os_thread {
 public:
  template <class F>
  explicit os_thread(F f)
      : thread_([this, f = std::move(f)]() mutable {
          try {
            f();
          } catch (...) {
            failure_ = std::current_exception();
          }
        }) {}
  os_thread(const os_thread&) = delete;
  os_thread& operator=(const os_thread&) = delete;
  ~os_thread() { wait(); }

  void join() {
    wait();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void wait() {
    if (thread_.joinable()) tenon::blocking([this] { thread_.join(); });
  }
  std::exception_ptr failure_;
  std::thread thread_;  // the last member: its function uses the others
};

/// A goroutine or an OS thread.
class companion {
 public:
  explicit companion(tenon::goroutine<> g) : task_(std::move(g)) {}
  explicit companion(std::unique_ptr<os_thread> t) : task_(std::move(t)) {}

  void join() {
    if (auto* g = std::get_if<tenon::goroutine<>>(&task_)) {
      g->join();
    } else {
      std::get<std::unique_ptr<os_thread>>(task_)->join();
    }
  }

 private:
  std::variant<tenon::goroutine<>, std::unique_ptr<os_thread>> task_;
};

/// Starts `f` beside the body of a test of `kind`.
template <class F>
[[nodiscard]] companion start(callers kind, F f) {
  if (kind == callers::goroutines || kind == callers::os_thread_and_goroutines) {
    return companion(tenon::go([f = std::move(f)]() mutable { f(); }));
  }
  return companion(std::make_unique<os_thread>(std::move(f)));
}

/// Runs `body` as the caller that `kind` says; where that takes a run, with these options.
template <class F>
void as(callers kind, F&& body, const tenon::run_options& options = {.workers = 2}) {
  switch (kind) {
    case callers::goroutines:
    case callers::goroutine_and_os_threads: tenon::run([&](const tenon::context&) { body(); }, options); break;
    case callers::os_threads: body(); break;
    case callers::os_thread_and_goroutines: {
      const auto over = tenon::make_chan<void>();
      os_thread host([&] { tenon::run([&](const tenon::context&) { (void)over.recv(); }, options); });
      EXPECT_TRUE(eventually([] { return tenon::worker_count() != 0; }));
      try {
        body();
      } catch (...) {
        over.close();
        host.join();
        throw;
      }
      over.close();
      host.join();
      break;
    }
  }
}

}  // namespace tenon_test
