// A goroutine that waits for what it holds itself is reported at once, and no other.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/handed_on.hpp"
#include "support/subprocess.hpp"
#include "support/threads.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::ending;
using tenon_test::has_line;
using tenon_test::run_program;
namespace handed_on = tenon_test::handed_on;

struct relock {
  const char* program_case;
  const char* first_line;
  friend std::ostream& operator<<(std::ostream& os, const relock& r) { return os << r.program_case; }
};

std::string announced(const ending& e, const std::string& which) {
  const std::string mark = which + " locks at ";
  for (const std::string& line : tenon_test::lines_of(e.out)) {
    if (line.rfind(mark, 0) == 0) return line.substr(mark.size());
  }
  return "(the program announced nothing)";
}

class Relock : public testing::TestWithParam<relock> {};

TEST_P(Relock, IsReportedWithBothPlacesAtOnce) {
  const ending e = run_program("relock", {GetParam().program_case});
  EXPECT_TRUE(has_line(tenon_test::first_line(e.err), GetParam().first_line)) << e.describe();
  EXPECT_EQ(e.status, 2) << e.describe();
  const std::size_t first = e.err.find("\nfirst locked");
  const std::size_t again = e.err.find("\nand again at\n");
  const std::size_t dump = e.err.find("\ngoroutine ");
  ASSERT_NE(first, std::string::npos) << e.describe();
  ASSERT_NE(again, std::string::npos) << e.describe();
  ASSERT_NE(dump, std::string::npos) << e.describe();
  if (!TENON_TEST_LINES) GTEST_SKIP() << "the library was built without libbacktrace";
  EXPECT_NE(e.err.substr(first, again - first).find(announced(e, "first")), std::string::npos)
      << announced(e, "first") << "\n"
      << e.describe();
  EXPECT_NE(e.err.substr(again, dump - again).find(announced(e, "again")), std::string::npos)
      << announced(e, "again") << "\n"
      << e.describe();
}

constexpr const char* lock_by_1 = "fatal error: recursive lock of a mutex that goroutine 1 already holds";
constexpr const char* write_by_1 = "fatal error: recursive lock of a shared_mutex that goroutine 1 already holds";
constexpr const char* read_by_1 = "fatal error: recursive lock_shared of a shared_mutex that goroutine 1 already holds";

INSTANTIATE_TEST_SUITE_P(
    Of, Relock,
    testing::Values(relock{"mutex_twice", lock_by_1}, relock{"mutex_much_later", lock_by_1},
                    relock{"try_then_lock", lock_by_1}, relock{"with_a_context_that_never_ends", lock_by_1},
                    relock{"in_a_named_goroutine",
                           "fatal error: recursive lock of a mutex that goroutine [0-9]+ \"twice\" already holds"},
                    relock{"in_a_plain_thread",
                           "fatal error: recursive lock of a mutex that a plain thread already holds"},
                    relock{"scoped_lock_of_two", lock_by_1}, relock{"write_twice", write_by_1},
                    relock{"read_while_writing", read_by_1}, relock{"upgrade", write_by_1},
                    relock{"read_twice_with_a_writer_between", read_by_1}, relock{"guarded_in_itself", lock_by_1},
                    relock{"once_in_itself", lock_by_1}),
    [](const testing::TestParamInfo<relock>& info) { return info.param.program_case; });

TEST(RelockSetting, IsHeldToZeroOneOrTwo) {
  for (const char* value : {"", "3", "yes", "11"}) {
    const ending e = run_program("workers", {}, {{"TENON_CHECK_LOCKS", value}});
    EXPECT_EQ(e.status, 2) << "TENON_CHECK_LOCKS='" << value << "': " << e.describe();
    EXPECT_NE(e.err.find("TENON_CHECK_LOCKS"), std::string::npos) << e.describe();
  }
}

TEST(RelockSetting, OfTheEnvironmentGoesFirst) {
  const ending none = run_program("lock_handed_on", {"one"}, {{"TENON_CHECK_LOCKS", "0"}});
  EXPECT_EQ(none.err, "") << none.describe();
  const ending fatal = run_program("deadlock", {"mutex_twice"}, {{"TENON_CHECK_LOCKS", "2"}});
  EXPECT_EQ(tenon_test::first_line(fatal.err), lock_by_1) << fatal.describe();
}

// A wait for oneself that is also a deadlock of all: both are said, and the program ends as Go's does.
TEST(RelockSetting, OfReportsLeavesTheEndToTheDeadlock) {
  const ending e = run_program("deadlock", {"mutex_twice"}, {{"TENON_CHECK_LOCKS", "1"}});
  EXPECT_EQ(tenon_test::first_line(e.err), "tenon: recursive lock of a mutex that goroutine 1 already holds")
      << e.describe();
  EXPECT_TRUE(has_line(e.err, "^fatal error: all goroutines are asleep - deadlock!$")) << e.describe();
  EXPECT_EQ(e.status, 2) << e.describe();
}

// ---- what is not reported -----------------------------------------------------------------------------------------

// A report would be fatal.
void in_checked_run(const std::function<void()>& f) {
  tenon::run(f, {.check_locks = true, .lock_faults_are_fatal = true});
}

TEST(NoRelock, OfALockThatCanGiveUp) {
  in_checked_run([] {
    tenon::mutex mu;
    tenon::shared_mutex shared;
    const std::lock_guard hold(mu);
    const std::lock_guard hold_shared(shared);
    auto soon = tenon::with_cancel(tenon::background());
    const auto canceler = tenon::go([&] { soon.cancel(); });
    EXPECT_FALSE(mu.lock(soon.ctx()));
    EXPECT_FALSE(shared.lock(soon.ctx()));
    EXPECT_FALSE(shared.lock_shared(soon.ctx()));
    EXPECT_FALSE(mu.try_lock());
  });
}

// The lock that it took has been unlocked by another, and is held by a third.
TEST(NoRelock, OfWhatAnotherHasUnlocked) {
  in_checked_run([] {
    tenon::mutex mu;
    handed_on::lock(mu);
    tenon::go([&] { handed_on::unlock(mu); }).join();
    auto held = tenon::make_chan<void>();
    const auto third = tenon::go([&] {
      const std::lock_guard hold(mu);
      held.send();
      tenon_test::await_waiting(1, "sync.Mutex.Lock");
    });
    held.recv();
    const std::lock_guard hold(mu);
  });
}

TEST(NoRelock, OfASharedLockThatAnotherHasUnlocked) {
  in_checked_run([] {
    tenon::shared_mutex mu;
    handed_on::lock_shared(mu);
    tenon::go([&] { handed_on::unlock_shared(mu); }).join();
    auto held = tenon::make_chan<void>();
    const auto third = tenon::go([&] {
      const std::shared_lock hold(mu);
      held.send();
      tenon_test::await_waiting(1, "sync.RWMutex.Lock");
    });
    held.recv();
    const std::lock_guard hold(mu);
  });
}

// It is handed to a waiter, which has not run yet when the goroutine that unlocked it, or had it unlocked, wants it again.
TEST(NoRelock, OfWhatHasJustBeenHandedOver) {
  for (const bool by_itself : {true, false}) {
    tenon::run(
        [by_itself] {
          tenon::mutex mu;
          handed_on::lock(mu);
          const auto waiter = tenon::go([&] { const std::lock_guard hold(mu); });
          tenon_test::await_waiting(1, "sync.Mutex.Lock");
          tenon::sleep_for(5ms);  // longer than the waiter's patience
          if (by_itself) {
            handed_on::unlock(mu);
          } else {
            std::thread([&] { handed_on::unlock(mu); }).join();
          }
          const std::lock_guard again(mu);
        },
        {.workers = 1, .check_locks = true, .lock_faults_are_fatal = true});
  }
}

// A new lock is at the address of one that was destroyed while it was held.
TEST(NoRelock, OfAnotherLockInTheSamePlace) {
  in_checked_run([] {
    const auto in_the_same_place = [](auto& mu, auto lock) {
      auto* place = &mu;
      lock(mu);
      std::destroy_at(place);
      std::construct_at(place);
      auto held = tenon::make_chan<void>();
      const auto other = tenon::go([&] {
        lock(*place);
        held.send();
        if constexpr (requires { place->unlock_shared(); }) {
          tenon_test::await_waiting(1, "sync.RWMutex.Lock");
          handed_on::unlock_shared(*place);
        } else {
          tenon_test::await_waiting(1, "sync.Mutex.Lock");
          handed_on::unlock(*place);
        }
      });
      held.recv();
      const std::lock_guard hold(*place);
    };
    tenon::mutex plain;
    in_the_same_place(plain, [](tenon::mutex& mu) { handed_on::lock(mu); });
    tenon::shared_mutex shared;
    in_the_same_place(shared, [](tenon::shared_mutex& mu) { handed_on::lock_shared(mu); });
  });
}

// Goroutines come and go on the same stacks; one of them ends with a lock held.
TEST(NoRelock, OfWhatAnEarlierGoroutineHeld) {
  in_checked_run([] {
    std::vector<std::unique_ptr<tenon::mutex>> mutexes;
    for (int i = 0; i < 50; ++i) {
      tenon::mutex& mu = *mutexes.emplace_back(std::make_unique<tenon::mutex>());
      tenon::go([&] { handed_on::lock(mu); }).join();
      auto waits = tenon::make_chan<void>();
      const auto next = tenon::go([&] {
        waits.send();
        handed_on::lock(mu);
      });
      waits.recv();
      tenon::yield();
      handed_on::unlock(mu);
    }
  });
}

// Between two runs locks change hands, too.
TEST(NoRelock, OfWhatWasLockedInAnEarlierRun) {
  tenon::mutex mu;
  auto go_on = tenon::make_chan<void>();
  auto has_locked = tenon::make_chan<void>();
  std::atomic<long> locks_again = 0;  // the thread that does
  std::thread keeps([&] {
    (void)go_on.recv();
    handed_on::lock(mu);
    has_locked.send();
    (void)go_on.recv();
    locks_again = tenon_test::os_thread_number();
    handed_on::lock(mu);
    handed_on::unlock(mu);
  });
  in_checked_run([&] {
    go_on.send();
    (void)has_locked.recv();
  });
  handed_on::unlock(mu);
  handed_on::lock(mu);
  in_checked_run([&] {
    go_on.send();
    while (locks_again == 0 || tenon_test::state_of_thread(locks_again) != 'S') tenon::yield();
    handed_on::unlock(mu);
  });
  keeps.join();
}

// Two shared locks without a writer in between are no deadlock.
TEST(NoRelock, OfASharedLockThatIsFree) {
  in_checked_run([] {
    tenon::shared_mutex mu;
    const std::shared_lock first(mu);
    const std::shared_lock second(mu);
    EXPECT_FALSE(mu.try_lock());
  });
}

// More locks than there is room for in the records, unlocked in any order.
TEST(NoRelock, AmongManyLocks) {
  in_checked_run([] {
    std::vector<tenon::mutex> mutexes(100);
    std::vector<tenon::shared_mutex> shared(100);
    for (int round = 0; round < 3; ++round) {
      std::vector<std::unique_lock<tenon::mutex>> holds;
      std::vector<std::shared_lock<tenon::shared_mutex>> shared_holds;
      for (std::size_t i = 0; i < 100; ++i) {
        holds.emplace_back(mutexes[i]);
        shared_holds.emplace_back(shared[i]);
      }
      for (std::size_t i = 0; i < 100; ++i) {
        holds[i * 37 % 100].unlock();
        shared_holds[i * 61 % 100].unlock();
      }
    }
    std::atomic<int> entered{0};
    tenon::wait_group all;
    for (int n = 0; n < 8; ++n) {
      all.go([&] {
        for (std::size_t i = 0; i < 100; ++i) {
          const std::scoped_lock both(mutexes[i], shared[i]);
          entered.fetch_add(1, std::memory_order_relaxed);
          tenon::yield();
        }
      });
    }
    all.wait();
    EXPECT_EQ(entered.load(), 800);
  });
}

}  // namespace
