// Looking in without stopping: dumps of a program that goes on.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <tenon/tenon.hpp>

#include "support/subprocess.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::program;
using tenon_test::program_command;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class LookIn : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, LookIn, testing::Values(1U, 2U, 8U), testing::PrintToStringParamName());

// Go: runtime.Stack(buf, true)
TEST_P(LookIn, ShowsEveryGoroutineAndTheProgramGoesOn) {
  tenon::run(
      [](tenon::group& root) {
        const auto in = tenon::make_chan<int>();
        const auto out = tenon::make_chan<int>();
        root.go({.name = "adder"}, [in, out] {
          for (int v : in) out.send(v + 1);
        });
        for (int i = 0; i < 50; ++i) {
          in.send(i);
          EXPECT_EQ(out.recv(), i + 1);
          const std::string text = tenon::dump();
          EXPECT_TRUE(has(text, "\ngoroutine 1 [running]:")) << text;
          EXPECT_TRUE(has(text, "\"adder\" [")) << text;
          EXPECT_TRUE(has(text, "look_in_test.cpp:")) << text;
        }
        in.close();
      },
      {.workers = GetParam()});
}

TEST_P(LookIn, SaysWhatAParkedGoroutineWaitsFor) {
  tenon::mutex mu;
  tenon::shared_mutex shared;
  tenon::wait_group wg;
  int ends[2] = {-1, -1};
  int full[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  ASSERT_EQ(::pipe2(full, O_CLOEXEC | O_NONBLOCK), 0);
  std::string page(4096, 'x');
  while (::write(full[1], page.data(), page.size()) > 0) continue;
  tenon::run(
      [&](tenon::group& root) {
        mu.lock();
        shared.lock();
        wg.add(3);
        root.go({.name = "locks"}, [&] {
          mu.lock();
          mu.unlock();
        });
        root.go({.name = "shares"}, [&] {
          shared.lock_shared();
          shared.unlock_shared();
        });
        root.go({.name = "waits"}, [&] { wg.wait(); });
        root.go({.name = "reads"}, [&] { EXPECT_FALSE(tenon::wait_readable(ends[0])); });
        root.go({.name = "writes"}, [&] { EXPECT_FALSE(tenon::wait_writable(full[1])); });
        tenon_test::await_waiting(5);
        std::ostringstream to;
        tenon::dump(to);
        const auto shows = [text = to.str()](const std::string& lines) {
          EXPECT_TRUE(has(text, lines)) << lines << text;
        };
        shows("\"locks\" [sync.Mutex.Lock]:\n\t(held by goroutine 1");
        shows("\"shares\" [sync.RWMutex.RLock]:\n\t(held by goroutine 1");
        shows("\"waits\" [sync.WaitGroup.Wait]:\n\t(3 to go");
        shows("\"reads\" [IO wait]:\n\t(to read from descriptor " + std::to_string(ends[0]));
        shows("\"writes\" [IO wait]:\n\t(to write to descriptor " + std::to_string(full[1]));
        mu.unlock();
        shared.unlock();
        while (::read(full[0], page.data(), page.size()) > 0) continue;
        for (int i = 0; i < 3; ++i) wg.done();
        EXPECT_EQ(::write(ends[1], "x", 1), 1);
        EXPECT_FALSE(root.wait());
      },
      {.workers = GetParam(), .check_locks = true});
  for (const int fd : {ends[0], ends[1], full[0], full[1]}) ::close(fd);
}

// Those that wait for descriptors in the same place are alike, whichever descriptors those are.
TEST(LookInTo, ReadersAreOneEntryWithTheirDescriptors) {
  int first[2] = {-1, -1};
  int second[2] = {-1, -1};
  ASSERT_EQ(::pipe2(first, O_CLOEXEC | O_NONBLOCK), 0);
  ASSERT_EQ(::pipe2(second, O_CLOEXEC | O_NONBLOCK), 0);
  tenon::run([&](tenon::group& root) {
    for (const int fd : {second[0], first[0]}) root.go([fd] { EXPECT_FALSE(tenon::wait_readable(fd)); });
    tenon_test::await_waiting(2, "IO wait");
    const std::string text = tenon::dump();
    EXPECT_TRUE(has(text, "[IO wait] and 1 other like it")) << text;
    EXPECT_TRUE(has(text, "(to read from descriptors " + std::to_string(std::min(first[0], second[0])) + ", " +
                              std::to_string(std::max(first[0], second[0]))))
        << text;
    for (const int fd : {first[1], second[1]}) EXPECT_EQ(::write(fd, "x", 1), 1);
    EXPECT_FALSE(root.wait());
  });
  for (const int fd : {first[0], first[1], second[0], second[1]}) ::close(fd);
}

TEST(LookInFrom, AThreadWhileGoroutinesRunWaitAndCall) {
  std::atomic<bool> over = false;
  std::atomic<int> rounds = 0;
  std::atomic<bool> in_call = false;
  tenon::run(
      [&](tenon::group& root) {
        root.go({.name = "computes"}, [&] {
          while (!over) {
            ++rounds;
            tenon::yield();
          }
        });
        root.go({.name = "calls"}, [&] {
          tenon::blocking([&] {
            in_call = true;
            while (!over) std::this_thread::sleep_for(1ms);
          });
        });
        root.go({.name = "sleeps"}, [&](const tenon::context& ctx) { (void)tenon::sleep_for(ctx, 1h); });
        while (!in_call) tenon::yield();
        tenon_test::await_waiting(1, "sleep");
        std::thread watcher([&] {
          for (int i = 0; i < 20; ++i) {
            const int before = rounds;
            const std::string text = tenon::dump();
            EXPECT_TRUE(has(text, "\"computes\" [")) << text;
            EXPECT_TRUE(has(text, "\"calls\" [blocking call]:")) << text;
            EXPECT_TRUE(has(text, "\"sleeps\" [sleep]:")) << text;
            while (rounds == before) std::this_thread::yield();
          }
          over = true;
        });
        while (!over) tenon::sleep_for(1ms);
        watcher.join();
        root.cancel();
      },
      {.workers = 2});
}

TEST(LookInFrom, ManyAtOnceTakeTurns) {
  tenon::run(
      [](tenon::group& root) {
        for (int i = 0; i < 20; ++i) {
          root.go([] { EXPECT_TRUE(has(tenon::dump(), "[running]:")); });
        }
        (void)root.wait();
      },
      {.workers = 4});
}

// The pattern of a program that takes its signals with sigwait: all are blocked before it starts a thread.
TEST(LookInFrom, AProgramThatBlocksAllSignals) {
  std::thread([] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::atomic<bool> running = false;
    std::atomic<bool> over = false;
    tenon::run(
        [&](tenon::group& root) {
          root.go({.name = "computes"}, [&] {
            running = true;
            while (!over) continue;
          });
          while (!running) tenon::yield();
          const std::string text = tenon::dump();
          EXPECT_TRUE(has(text, "\"computes\" [running]:")) << text;
          EXPECT_FALSE(has(text, "could not be read")) << text;
          sigset_t left;
          ::pthread_sigmask(SIG_SETMASK, nullptr, &left);
          EXPECT_EQ(sigismember(&left, SIGTERM), 1);
          over = true;
        },
        {.workers = 2});
  }).join();
}

#if defined(__x86_64__) || defined(__aarch64__)
/// Calls `f` in a place of which the unwinder's tables say that the frame before it begins at address 16: assembly that someone wrote
/// without tables, and the instructions in which throw moves the stack pointer, send it to places like that.
[[gnu::noinline]] void call_from_nowhere(const std::function<void()>& f) {
  asm volatile(
      ".cfi_remember_state\n"
      ".cfi_escape 0x0f, 2, 0x08, 16" ::
          : "memory");
  f();
  asm volatile(".cfi_restore_state" ::: "memory");
}

TEST(LookInTo, StacksThatDoNotHoldTogether) {
  std::atomic<bool> running = false;
  std::atomic<bool> over = false;
  tenon::run(
      [&](tenon::group& root) {
        const auto never = tenon::make_chan<void>();
        root.go({.name = "waits"}, [never] { call_from_nowhere([never] { (void)never.recv(); }); });
        root.go({.name = "computes"}, [&] {
          call_from_nowhere([&] {
            running = true;
            while (!over) continue;
          });
        });
        while (!running) tenon::yield();
        tenon_test::await_waiting(1, "chan receive");
        for (int i = 0; i < 3; ++i) {
          const std::string text = tenon::dump();
          EXPECT_TRUE(has(text, "\"waits\" [chan receive]:")) << text;
          EXPECT_TRUE(has(text, "\"computes\" [running]:")) << text;
          EXPECT_TRUE(has(text, "call_from_nowhere")) << "the frames before it are shown\n" << text;
        }
        over = true;
        never.close();
      },
      {.workers = 2});
}
#endif

// ---- metrics

std::uint64_t waiting_for(const tenon::metrics& m, const std::string& reason) {
  for (const auto& [r, n] : m.waiting_for) {
    if (r == reason) return n;
  }
  return 0;
}

// Go: runtime/metrics
TEST(Metrics, CountGoroutinesByWhatTheyDo) {
  const std::uint64_t before = tenon::read_metrics().started_total;
  std::atomic<bool> in_call = false;
  std::atomic<bool> over = false;
  tenon::run(
      [&](tenon::group& root) {
        const auto never = tenon::make_chan<void>();
        for (int i = 0; i < 10; ++i) root.go([never] { (void)never.recv(); });
        for (int i = 0; i < 3; ++i) root.go([](const tenon::context& ctx) { (void)tenon::sleep_for(ctx, 1h); });
        root.go([&] {
          tenon::blocking([&] {
            in_call = true;
            while (!over) std::this_thread::sleep_for(1ms);
          });
        });
        while (!in_call) tenon::yield();
        tenon_test::await_waiting(13);
        const tenon::metrics m = tenon::read_metrics();
        EXPECT_EQ(m.goroutines(), 15U);
        EXPECT_EQ(m.running, 2U) << "this one, and the one in the call";
        EXPECT_EQ(m.in_calls, 1U);
        EXPECT_EQ(m.runnable, 0U);
        EXPECT_EQ(m.waiting, 13U);
        EXPECT_EQ(waiting_for(m, "chan receive"), 10U);
        EXPECT_EQ(waiting_for(m, "sleep") + waiting_for(m, "select"), 3U);
        EXPECT_EQ(m.processors, 2U);
        EXPECT_GE(m.threads, 2U);
        EXPECT_GE(m.timers, 3U);
        EXPECT_EQ(m.stacks, 15U);
        EXPECT_GE(m.stack_bytes, 15U * 256 * 1024);
        EXPECT_EQ(m.started_total - before, 15U);
        EXPECT_GT(m.switches_total, 0U);
        over = true;
        never.close();
        root.cancel();
      },
      {.workers = 2});
  const tenon::metrics after = tenon::read_metrics();
  EXPECT_EQ(after.goroutines(), 0U);
  EXPECT_EQ(after.threads, 0U);
}

// https://prometheus.io/docs/instrumenting/exposition_formats/
TEST(Metrics, AreTextThatPrometheusReads) {
  std::string text;
  tenon::run([&](tenon::group& root) {
    const auto never = tenon::make_chan<void>();
    root.go([never] { (void)never.recv(); });
    tenon_test::await_waiting(1, "chan receive");
    text = tenon::to_prometheus(tenon::read_metrics());
    never.close();
  });
  std::set<std::string> families;
  std::set<std::string> samples;
  for (const std::string& line : tenon_test::lines_of(text)) {
    if (has_line(line, "^# HELP [a-z_:][a-z0-9_:]* .+$")) continue;
    if (has_line(line, "^# TYPE [a-z_:][a-z0-9_:]* (gauge|counter)$")) {
      const std::string family = line.substr(7, line.rfind(' ') - 7);
      EXPECT_TRUE(families.insert(family).second) << "twice: " << line;
      EXPECT_EQ(line.ends_with(" counter"), family.ends_with("_total")) << line;
      continue;
    }
    ASSERT_TRUE(has_line(line, R"re(^[a-z_:][a-z0-9_:]*(\{[a-z_]+="[^"\]*"\})? [0-9]+$)re")) << "'" << line << "'";
    EXPECT_TRUE(families.contains(line.substr(0, line.find_first_of("{ ")))) << "before its TYPE: " << line;
    EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
  }
  EXPECT_TRUE(has(text, "\ntenon_goroutines_waiting{reason=\"chan receive\"} 1\n")) << text;
  EXPECT_TRUE(text.ends_with("\n"));
}

// Go: none: there SIGQUIT ends the program
TEST(LookInBySignal, WritesADumpAndTheProgramGoesOn) {
  program p(program_command("signals", {"dump"}));
  ASSERT_TRUE(p.await_output("ready\n"));
  for (int i = 0; i < 3; ++i) {
    p.send_signal(SIGUSR1);
    ASSERT_TRUE(p.await_error(" \"sleeper\" [sleep]:\n"));
    // The rest of this dump comes before what the program then writes.
    p.send_signal(SIGTERM);
    ASSERT_TRUE(p.await_error("\nround " + std::to_string(i) + "\n"));
    p.forget_errors();
  }
  const ending& e = p.finish();
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(e.out, "ready\ndone\n") << e.describe();
}

}  // namespace
