// What checks of locks may not do: end a correct program, cost what they cost on a lock that is not checked, outlive their run.

#include <gtest/gtest.h>

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/handed_on.hpp"
#include "support/subprocess.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::ending;
using tenon_test::run_program;
namespace handed_on = tenon_test::handed_on;

constexpr const char* report = "tenon: recursive lock of a mutex that goroutine 1 already holds\n";

std::size_t times(const std::string& what, const std::string& in) {
  std::size_t n = 0;
  for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++n;
  return n;
}

TEST(LockChecks, LeaveAProgramRunningWhoseLockTravelsWithAMessage) {
  const ending e = run_program("lock_handed_on", {"with_a_message"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(times("value 100\ndone\n", e.out), 1U) << e.describe();
  EXPECT_EQ(times("fatal error", e.err), 0U) << e.describe();
}

TEST(LockChecks, ReportAPlaceOnce) {
  const ending e = run_program("lock_handed_on", {"with_a_message"});
  EXPECT_EQ(times(report, e.err), 1U) << e.describe();
  EXPECT_EQ(e.err.rfind(report, 0), 0U) << e.describe();
  EXPECT_EQ(times("\nfirst locked at\n", e.err), 1U) << e.describe();
  EXPECT_EQ(times("\nand again at\n", e.err), 1U) << e.describe();
}

TEST(LockChecks, ReportABoundedNumberOfPlaces) {
  const ending e = run_program("lock_handed_on", {"many"});
  EXPECT_EQ(e.status, 0) << e.describe();
  EXPECT_EQ(times(report, e.err), 32U) << e.describe();
  EXPECT_EQ(times("(Further places are not reported.)\n\n", e.err), 1U) << e.describe();
}

TEST(LockChecks, EndAProgramWhereTheyAreToldTo) {
  const ending e = run_program("lock_handed_on", {"one"}, {{"TENON_CHECK_LOCKS", "2"}});
  EXPECT_EQ(e.status, 2) << e.describe();
  EXPECT_EQ(tenon_test::first_line(e.err), "fatal error: recursive lock of a mutex that goroutine 1 already holds")
      << e.describe();
}

// ---- a lock keeps what its first run has decided ----------------------------------------------------------------------

/// Four threads and, in a run, four goroutines that all want one lock, with a count that only the lock protects.
template <class Mutex>
class contended {
 public:
  void by_threads() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& t : threads) t.join();
  }

  void by_goroutines(bool checked) {
    tenon::run(
        [this](tenon::group& g) {
          for (int i = 0; i < 4; ++i) g.go([this] { work(); });
        },
        {.workers = 4, .check_locks = checked, .lock_faults_are_fatal = true});
  }

  /// And by both at once: the lock is decided while it is held and waited for.
  void by_both(bool checked) {
    std::thread beside([this] { by_threads(); });
    by_goroutines(checked);
    beside.join();
  }

  [[nodiscard]] bool is_exact() {
    const std::lock_guard hold(mu_);
    return count_ == expected_.load();
  }

 private:
  void work() {
    for (int i = 0; i < 2000; ++i) {
      {
        const std::lock_guard hold(mu_);
        ++count_;
      }
      if constexpr (requires { mu_.lock_shared(); }) {
        const std::shared_lock hold(mu_);
        seen_.fetch_add(count_ > 0 ? 1 : 0, std::memory_order_relaxed);
      }
      if (std::unique_lock tried(mu_, std::try_to_lock); tried) seen_.fetch_add(1, std::memory_order_relaxed);
      if (i % 16 == 0) tenon::yield();
    }
    expected_.fetch_add(2000);
  }

  Mutex mu_;
  long count_ = 0;
  std::atomic<long> expected_{0};
  std::atomic<long> seen_{0};
};

template <class Mutex>
class LockCheckedOnce : public testing::Test {};
using both_kinds = testing::Types<tenon::mutex, tenon::shared_mutex>;
TYPED_TEST_SUITE(LockCheckedOnce, both_kinds);

TYPED_TEST(LockCheckedOnce, WorksInLaterRunsAndOutside) {
  contended<TypeParam> c;
  c.by_goroutines(true);
  c.by_threads();
  c.by_goroutines(false);
  c.by_both(true);
  EXPECT_TRUE(c.is_exact());
}

TYPED_TEST(LockCheckedOnce, UsedBeforeAnyRunWorksInOne) {
  contended<TypeParam> c;
  c.by_threads();
  c.by_both(true);
  c.by_both(false);
  EXPECT_TRUE(c.is_exact());
}

TYPED_TEST(LockCheckedOnce, NotCheckedInItsFirstRunWorksInACheckedOne) {
  contended<TypeParam> c;
  c.by_both(false);
  c.by_both(true);
  EXPECT_TRUE(c.is_exact());
}

/// The holder may destroy a lock as soon as it has it, while the goroutine that unlocked it is still on its way out.
TYPED_TEST(LockCheckedOnce, MayBeDestroyedByItsNextHolder) {
  tenon::run(
      [] {
        for (int i = 0; i < 500; ++i) {
          auto mu = std::make_unique<TypeParam>();
          auto held = tenon::make_chan<void>();
          const auto other = tenon::go([&, p = mu.get()] {
            p->lock();
            held.send();
            p->unlock();
          });
          held.recv();
          mu->lock();
          mu->unlock();
          mu.reset();
        }
      },
      {.workers = 4, .check_locks = true, .lock_faults_are_fatal = true});
}

// ---- their memory -----------------------------------------------------------------------------------------------------

TEST(LockChecks, LeaveNothingBehindOfGoroutinesThatHaveEnded) {
  if (tenon_test::sanitized()) GTEST_SKIP() << "the sanitizer has an allocator of its own, and looks for leaks itself";
  tenon::run(
      [] {
        tenon::mutex mutexes[8];
        tenon::mutex left[600];
        std::size_t next = 0;
        const auto generation = [&] {
          for (int i = 0; i < 200; ++i) {
            tenon::go([&] {
              for (tenon::mutex& mu : mutexes) handed_on::lock(mu);
              for (tenon::mutex& mu : mutexes) handed_on::unlock(mu);
              handed_on::lock(left[next++]);
            }).join();
          }
        };
        generation();
        const std::size_t before = ::mallinfo2().uordblks;
        generation();
        generation();
        EXPECT_LT(::mallinfo2().uordblks, before + 100 * 1024);  // 400 goroutines' records are over a megabyte
      },
      {.workers = 1, .check_locks = true});
}

}  // namespace
