#pragma once

/// A test that stands still says so and ends the program, instead of hanging.
///
///     TEST_P(Churn, …) {
///       const tenon_test::seed_in_use seed;
///       tenon_test::watchdog dog;
///       while (…) { …; dog.step(); }
///
/// It is an interval timer's signal and no thread: a further thread could still wake somebody, so there would never be a look
/// for a deadlock. One at a time, on the test's own thread.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <tenon/run.hpp>

#include "diag/dump.hpp"

namespace tenon_test {

class watchdog {
 public:
  /// Without a step for so long, the test has failed.
  static constexpr int seconds = 60;

  watchdog() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const char* seed = std::getenv("TENON_TEST_SEED");
    std::snprintf(text, sizeof text, "%s.%s: no progress for %d seconds; TENON_TEST_SEED is %s\n",
                  test->test_suite_name(), test->name(), seconds, seed == nullptr ? "not set" : seed);
    steps = 0;
    looks = 0;
    struct sigaction action{};
    action.sa_handler = &look;
    action.sa_flags = SA_RESTART;
    (void)::sigaction(SIGALRM, &action, &before_);
    set_timer(looks_each);
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog() {
    set_timer(0);
    (void)::sigaction(SIGALRM, &before_, nullptr);
  }

  static void step() noexcept { steps.fetch_add(1, std::memory_order_relaxed); }

 private:
  static constexpr int looks_each = 10;  // seconds

  static void set_timer(int s) noexcept {
    const itimerval each{.it_interval = {.tv_sec = s, .tv_usec = 0}, .it_value = {.tv_sec = s, .tv_usec = 0}};
    (void)::setitimer(ITIMER_REAL, &each, nullptr);
  }

  static void look(int) noexcept {
    const std::uint64_t now = steps.load(std::memory_order_relaxed);
    if (now != seen.exchange(now, std::memory_order_relaxed)) looks = 0;
    if (++looks <= seconds / looks_each) return;
    const std::string_view said(text);
    (void)!::write(STDERR_FILENO, said.data(), said.size());
    if (tenon::worker_count() != 0) tenon::diag::dump_all();
    ::_exit(EXIT_FAILURE);
  }

  static inline std::atomic<std::uint64_t> steps{0};
  static inline std::atomic<std::uint64_t> seen{0};
  static inline std::atomic<int> looks{0};
  static inline char text[512];
  struct sigaction before_{};
};

}  // namespace tenon_test
