// What users of comparable libraries ran into, the second part of field_stress_test.cpp: exceptions, trees of contexts and of
// goroutines, system calls that block, processes.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/watchdog.hpp"
#include "stress/workers_case.hpp"
#include "support/memory.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/subprocess.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

extern char** environ;

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon_test::random_source;
using tenon_test::seed_in_use;
using tenon_test::watchdog;
using tenon_test::workers_case;

std::size_t threads_now() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

// ---- F5 -------------------------------------------------------------------------------------------------------------

using FieldF5 = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FieldF5, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// A hundred at a time throw their own number, block inside the handler, throw again; a destructor blocks while it passes; the exception
// ends the goroutine while another one is being handled. Whoever gets its stack next finds nothing of that.
TEST_P(FieldF5, EveryGoroutineHasItsOwnExceptionsAlsoOnARecycledStack) {
  struct blocks_at_end {
    random_source& random;
    explicit blocks_at_end(random_source& r) : random(r) {}
    blocks_at_end(const blocks_at_end&) = delete;
    blocks_at_end& operator=(const blocks_at_end&) = delete;
    ~blocks_at_end() {
      const int before = std::uncaught_exceptions();
      for (std::uint64_t n = 1 + random.below(3); n > 0; --n) tenon::yield();
      EXPECT_EQ(std::uncaught_exceptions(), before);
      EXPECT_EQ(before, 1);
    }
  };
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(100000) / 100 + 1;
  constexpr std::size_t crowd = 100;
  in_run([&](const context&) {
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      std::vector<tenon::goroutine<>> all;
      const auto gate = tenon::make_chan<void>();
      for (std::size_t g = 0; g < crowd; ++g) {
        all.push_back(tenon::go([&, me = r * crowd + g] {
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          EXPECT_EQ(std::current_exception(), nullptr);
          random_source random(seed.of(me));
          try {
            const blocks_at_end passes(random);
            throw me;
          } catch (const std::size_t& mine) {
            if (random.one_in(2)) (void)gate.recv();
            EXPECT_EQ(mine, me);
            try {
              const blocks_at_end passes(random);
              throw std::to_string(me);
            } catch (const std::string& inner) {
              tenon::yield();
              EXPECT_EQ(inner, std::to_string(me));
            }
            throw;
          }
        }));
      }
      for (int i = 0; i < 3; ++i) tenon::yield();
      gate.close();
      for (std::size_t g = 0; g < crowd; ++g) {
        try {
          all[g].join();
          ADD_FAILURE() << "round " << r;
        } catch (const std::size_t& thrown) {
          tenon::yield();
          EXPECT_EQ(thrown, r * crowd + g);
        }
      }
      watchdog::step();
    }
  });
}

// ---- F13 ------------------------------------------------------------------------------------------------------------

using FieldF13 = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, FieldF13, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

const tenon::context_key<int> number_key{"number"};

// Sixteen goroutines make a million children of one long-lived context, of every kind, and drop them: what is left is nothing.
TEST_P(FieldF13, AMillionChildrenLeaveNothingInTheirParent) {
  const seed_in_use seed;
  constexpr std::size_t goroutines = 16;
  const std::size_t each = tenon_test::scaled(1'000'000) / goroutines / 2;
  const auto live_long = tenon::with_cancel(tenon::background());
  const context& parent = live_long.ctx();
  std::atomic<std::size_t> ran = 0;
  const auto make_many = [&] {
    in_run([&](const context&) {
      tenon::wait_group wg;
      for (std::size_t g = 0; g < goroutines; ++g) {
        wg.go([&, g] {
          random_source random(seed.of(g));
          for (std::size_t i = 0; i < each; ++i) {
            switch (random.below(5)) {
              case 0: {
                const auto scope = tenon::with_cancel(parent);
                if (random.one_in(2)) (void)scope.ctx().done();
                break;
              }
              case 1: {
                const auto scope = tenon::with_timeout(parent, 1h);
                break;
              }
              case 2: {
                const auto scope = tenon::with_cancel(tenon::with_value(parent, number_key, 7));
                ASSERT_EQ(*scope.ctx().value(number_key), 7);
                break;
              }
              case 3: {
                const auto handle = tenon::after_func(parent, [&] { ++ran; });
                EXPECT_TRUE(random.one_in(2) || handle.stop());
                break;
              }
              default: {
                // A whole family; the child goes before its own children.
                auto scope = std::make_unique<tenon::cancel_scope>(tenon::with_timeout(parent, 1h));
                const auto below = tenon::with_cancel(scope->ctx());
                scope.reset();
                EXPECT_TRUE(below.ctx().is_canceled());
              }
            }
            if (i % 1024 == 0) watchdog::step();
          }
        });
      }
      wg.wait();
    });
  };
  make_many();
  if (tenon_test::sanitized()) {
    make_many();
  } else {
    EXPECT_TRUE(tenon_test::stops_growing(std::size_t{4} << 20U, make_many, 3));
  }
  // Timers that are left would keep their hour; a child that is left would run its function now.
  live_long.cancel();
  EXPECT_EQ(ran, 0U);
}

// Ten thousand deep: derived, canceled from the top and dropped from a goroutine's small stack, again and again, while others cancel in
// the middle.
TEST_P(FieldF13, AChainTenThousandDeepNeedsNoRecursion) {
  const seed_in_use seed;
  const std::size_t depth = 10000;
  const std::size_t rounds = tenon_test::scaled(200, 2);
  in_run([&](const context& root) {
    random_source random(seed.of(0));
    for (std::size_t r = 0; r < rounds; ++r) {
      const std::size_t small = tenon_test::sanitized() ? 0 : 32 * 1024;
      auto g = tenon::go({.stack_size = small}, [&, dice = random()] {
        random_source mine(dice);
        std::vector<tenon::cancel_scope> chain;
        chain.reserve(depth);
        chain.push_back(tenon::with_cancel(root));
        while (chain.size() < depth) chain.push_back(tenon::with_cancel(chain.back().ctx()));
        auto middle = tenon::go([&chain, at = mine.below(depth)] { chain[at].cancel(); });
        chain.front().cancel();
        for (const auto& scope : chain) EXPECT_TRUE(scope.ctx().is_canceled());
        middle.join();
        context last = chain.back().ctx();
        chain.clear();
        last = nullptr;  // the last reference of all
      });
      g.join();
      watchdog::step();
    }
  });
}

// ---- F15 ------------------------------------------------------------------------------------------------------------

// How many nodes the tree has. Each level starts two and joins both. A child that ran on its joiner's stack would find itself near to it.
std::size_t divide(int depth, const char* parents_frame, std::atomic<std::size_t>& wrong) {
  const char* mine = static_cast<const char*>(__builtin_frame_address(0));
  if (parents_frame != nullptr && std::abs(mine - parents_frame) < 64 * 1024) ++wrong;
  if (depth == 0) return 1;
  auto left = tenon::go([=, &wrong] { return divide(depth - 1, mine, wrong); });
  auto right = tenon::go([=, &wrong] { return divide(depth - 1, mine, wrong); });
  return 1 + left.join() + right.join();
}

// Divide and conquer, fifteen deep, on one worker: no further threads, and a joiner runs nobody else on its stack.
TEST(FieldF15, DivideAndConquerOnOneWorker) {
  const int depth = tenon_test::under_thread_sanitizer() ? 7 : tenon_test::scale() < 1 ? 12 : 15;
  const std::size_t rounds = tenon_test::scaled(20, 2);
  const watchdog dog;
  std::atomic<std::size_t> wrong = 0;
  tenon::run(
      [&](const context&) {
        const std::size_t before = threads_now();
        for (std::size_t r = 0; r < rounds; ++r) {
          EXPECT_EQ(divide(depth, nullptr, wrong), (std::size_t{2} << static_cast<unsigned>(depth)) - 1);
          watchdog::step();
        }
        // Few may stand in when the machine leaves our worker without a processor for a while.
        EXPECT_LE(threads_now(), before + 4);
      },
      {.workers = 1});
  EXPECT_EQ(wrong, 0U);
}

// Eight at a barrier, on two workers, a hundred thousand times: nobody needs a thread to wait on.
TEST(FieldF15, EightAtABarrierOnTwoWorkers) {
  constexpr unsigned crowd = 8;
  const std::size_t rounds = tenon_test::scaled(100000, 300);
  const watchdog dog;
  tenon::run(
      [&](const context&) {
        tenon::mutex mu;
        tenon::cond all_here;
        unsigned here = 0;
        std::size_t round = 0;
        std::atomic<std::size_t> passed = 0;
        tenon::wait_group wg;
        for (unsigned g = 0; g < crowd; ++g) {
          wg.go([&] {
            for (std::size_t r = 0; r < rounds; ++r) {
              std::unique_lock hold(mu);
              ASSERT_EQ(round, r) << "nobody is a round ahead";
              if (++here == crowd) {
                here = 0;
                ++round;
                all_here.broadcast();
                watchdog::step();
              } else {
                all_here.wait(hold, [&] { return round != r; });
              }
              ++passed;
            }
          });
        }
        wg.wait();
        EXPECT_EQ(passed, crowd * rounds);
      },
      {.workers = 2});
}

// ---- F16 ------------------------------------------------------------------------------------------------------------

struct blocking_pipe {
  std::array<int, 2> fd{-1, -1};
  blocking_pipe() { EXPECT_EQ(::pipe2(fd.data(), O_CLOEXEC), 0); }
  blocking_pipe(const blocking_pipe&) = delete;
  blocking_pipe& operator=(const blocking_pipe&) = delete;
  ~blocking_pipe() {
    for (const int end : fd) ::close(end);
  }
  char read_one() const {
    char c = 0;
    while (::read(fd[0], &c, 1) < 0 && tenon::last_error() == EINTR) {
    }
    return c;
  }
  void write_one(char c) const { EXPECT_EQ(::write(fd[1], &c, 1), 1); }
};

// Two workers, four goroutines in real reads, a fifth that writes what they wait for, and a sixth that is to go on meanwhile.
void four_readers(std::size_t rounds, const std::function<char(const blocking_pipe&)>& read) {
  const seed_in_use seed;
  const watchdog dog;
  tenon::run(
      [&](const context&) {
        const std::size_t before = threads_now();
        random_source random(seed.of(0));
        for (std::size_t r = 0; r < rounds && !testing::Test::HasFailure(); ++r) {
          std::array<blocking_pipe, 4> pipes;
          std::atomic<int> reading = 0;
          tenon::wait_group wg;
          for (const blocking_pipe& p : pipes) {
            wg.go([&] {
              ++reading;
              EXPECT_EQ(read(p), 'x');
            });
          }
          for (std::uint64_t n = random.below(10); n > 0; --n) tenon::yield();
          EXPECT_TRUE(random.one_in(2) || tenon_test::eventually([&] { return reading == 4; }));
          tenon::go([&] {
            for (const blocking_pipe& p : pipes) p.write_one('x');
          }).join();
          wg.wait();
          watchdog::step();
        }
        // Those that stood in have nothing to do any more; at most one for each that blocked stays for the next time.
        EXPECT_LE(threads_now(), before + 8);
      },
      {.workers = 2});
}

TEST(FieldF16, ReadsInBlockingLeaveTheWorkersToTheOthers) {
  four_readers(tenon_test::scaled(1000, 50),
               [](const blocking_pipe& p) { return tenon::blocking([&] { return p.read_one(); }); });
}

TEST(FieldF16, BareReadsAreSteppedAround) {
  four_readers(tenon_test::scaled(50, 5), [](const blocking_pipe& p) { return p.read_one(); });
}

// ---- F17 ------------------------------------------------------------------------------------------------------------

// Whether this process has descriptors that it was given, and would hand on.
bool hands_descriptors_on() {
  for (int fd = 3; fd < 256; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) return true;
  }
  return false;
}

// A thousand processes, from goroutines, under load: each works, and none gets a descriptor of ours.
TEST(FieldF17, ProcessesAreSpawnedUnderLoad) {
  const std::size_t count = tenon_test::scaled(1000, 20);
  const bool clean = !hands_descriptors_on();
  const watchdog dog;
  tenon::run(
      [&](const context& root) {
        const auto stop = tenon::with_cancel(root);
        tenon::wait_group load;
        const auto c = tenon::make_chan<int>();
        for (int i = 0; i < 4; ++i) {
          load.go([&, i] {
            if (i % 2 == 0) {
              while (c.send(stop.ctx(), i)) {
              }
            } else {
              while (c.recv(stop.ctx())) {
              }
            }
          });
        }
        load.go([&] {
          while (tenon::sleep_for(stop.ctx(), 100us)) {
          }
        });
        std::atomic<std::size_t> next = 0;
        tenon::wait_group wg;
        for (int g = 0; g < 4; ++g) {
          wg.go([&] {
            while (next++ < count) {
              // Descriptors above 2 would be ours.
              const char* const args[] = {"/bin/sh", "-c",
                                          "for f in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$f ] && exit 1; done; exit 7",
                                          nullptr};
              posix_spawnattr_t attributes;
              ASSERT_EQ(::posix_spawnattr_init(&attributes), 0);
              sigset_t none;
              ::sigemptyset(&none);
              ::posix_spawnattr_setsigmask(&attributes, &none);
              ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
              pid_t child = -1;
              ASSERT_EQ(::posix_spawn(&child, args[0], nullptr, &attributes, const_cast<char**>(args), environ), 0);
              ::posix_spawnattr_destroy(&attributes);
              int status = 0;
              tenon::blocking([&] {
                while (::waitpid(child, &status, 0) < 0 && tenon::last_error() == EINTR) {
                }
              });
              ASSERT_TRUE(WIFEXITED(status));
              ASSERT_TRUE(WEXITSTATUS(status) == 7 || (!clean && WEXITSTATUS(status) == 1)) << WEXITSTATUS(status);
              watchdog::step();
            }
          });
        }
        wg.wait();
        stop.cancel();
        load.wait();
      },
      {.workers = 2});
}

// What a run can be asked to do.
bool a_run_works() {
  std::uint64_t sum = 0;
  tenon::run(
      [&](tenon::group& g) {
        const auto numbers = g.produce_n<std::uint64_t>(4, [](tenon::sender<std::uint64_t>& out) {
          for (std::uint64_t n = 1; n <= 100; ++n) out.send(n);
        });
        for (const std::uint64_t n : numbers) sum += n;
      },
      {.workers = 2});
  return sum == 4 * 5050;
}

// `f` in a forked process, which has a minute; its wait status. Here `meanwhile` is done.
int status_of_forked(const std::function<bool()>& f, const std::function<void()>& meanwhile) {
  const pid_t child = ::fork();
  if (child < 0) return -1;
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(60);
    std::_Exit(f() ? 0 : 1);
  }
  meanwhile();
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && tenon::last_error() == EINTR) {
  }
  return status;
}

// Forked before there is a run: parent and child both have one, at the same time. In a child, for this process shall stay without one.
TEST(FieldF17, AForkBeforeRunLeavesBothAWorkingRuntime) {
  if (tenon_test::under_thread_sanitizer()) GTEST_SKIP() << "it does not let a forked child start threads";
  if (threads_now() != 1) GTEST_SKIP() << "this process has had a run; as a test of its own it has not";
  const std::size_t rounds = tenon_test::scaled(100, 5);
  const watchdog dog;
  for (std::size_t r = 0; r < rounds && !testing::Test::HasFailure(); ++r) {
    const int status = status_of_forked(
        [] {
          bool parent_works = false;
          const int childs = status_of_forked(a_run_works, [&] { parent_works = a_run_works(); });
          return parent_works && WIFEXITED(childs) && WEXITSTATUS(childs) == 0;
        },
        [] {});
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "round " << r << ", wait status " << status;
    watchdog::step();
  }
}

}  // namespace
