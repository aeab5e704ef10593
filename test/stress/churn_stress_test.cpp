// What starts and stops all the time: runs that follow each other, groups, goroutines from outside threads; and outside threads that
// wake somebody just as the last worker goes to sleep. No wake-up is lost. With 1, 2 and 8 workers, for churn_time().

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/watchdog.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon_test::random_source;
using tenon_test::seed_in_use;
using clock = std::chrono::steady_clock;

// Until 0 to 100 us have passed, at every distance from going to sleep: not at all, by yields, by spinning.
void pause(random_source& random) {
  switch (random.below(4)) {
    case 0: break;
    case 1:
      for (std::uint64_t n = random.below(8); n > 0; --n) tenon::yield();
      break;
    default: {
      // Most of what is of interest happens within the first microseconds, and about where a searching worker gives up.
      const auto until = clock::now() + std::chrono::nanoseconds(random.below(random.one_in(2) ? 16'000 : 100'000));
      while (clock::now() < until) {
      }
    }
  }
}

class Churn : public testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override { end_ = clock::now() + tenon_test::churn_time(); }
  [[nodiscard]] bool goes_on() const { return clock::now() < end_ && !HasFailure(); }

 private:
  clock::time_point end_;
};
INSTANTIATE_TEST_SUITE_P(Workers, Churn, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// ---- starting and stopping ------------------------------------------------------------------------------------------

// A group that ends by one of the ways there are, with members that start further ones.
void a_group(const tenon::context& ctx, random_source& random, std::atomic<std::uint64_t>& ended) {
  tenon::group g(ctx);
  if (random.one_in(3)) g.set_limit(static_cast<int>(1 + random.below(3)));
  const std::uint64_t members = random.below(8);
  for (std::uint64_t i = 0; i < members; ++i) {
    g.go([&ended, dice = random()](const tenon::context& c) {
      random_source mine(dice);
      if (mine.one_in(4)) (void)tenon::sleep_for(c, std::chrono::microseconds(mine.below(50)));
      if (mine.one_in(4)) tenon::go([] {}).join();
      ++ended;
    });
  }
  switch (random.below(3)) {
    case 0: EXPECT_FALSE(g.wait()); break;
    case 1: g.cancel(); break;
    default: break;  // the destructor's
  }
}

TEST_P(Churn, RunsFollowEachOtherAndThreadsPostIntoThem) {
  const seed_in_use seed;
  const tenon_test::watchdog dog;
  constexpr std::size_t threads = 2;
  const auto start = tenon::make_chan<void>();
  const auto over = tenon::make_chan<std::uint64_t>();
  const auto mail = tenon::make_chan<std::uint64_t>(4, "what the threads post");
  std::vector<std::thread> outside;
  for (std::size_t t = 0; t < threads; ++t) {
    outside.emplace_back([&, t] {
      random_source random(seed.of(t));
      while (start.recv()) {  // there is a run, and it waits for us
        std::uint64_t posted = 0;
        for (std::uint64_t n = random.below(6); n > 0; --n) {
          pause(random);
          switch (random.below(4)) {
            case 0: tenon::go([] { tenon::yield(); }).join(); break;
            case 1: {
              auto dropped = tenon::go([](const tenon::context& ctx) { (void)ctx.done().recv(); });
              pause(random);
              break;
            }
            case 2: {
              const auto sends = tenon::go([&mail, n] { mail.send(n); });
              pause(random);
              sends.wait();
              posted += n;
              break;
            }
            default: mail.send(n); posted += n;
          }
        }
        pause(random);
        over.send(posted);
      }
    });
  }
  random_source random(seed.of(threads));
  std::uint64_t runs = 0;
  for (; goes_on(); ++runs) {
    std::uint64_t posted = 0;
    std::uint64_t received = 0;
    std::atomic<std::uint64_t> members = 0;
    const bool with_threads = !random.one_in(4);
    tenon::run(
        [&](tenon::group& root) {
          if (with_threads) {
            for (std::size_t t = 0; t < threads; ++t) start.send();
          }
          for (std::uint64_t n = random.below(4); n > 0; --n) a_group(root.ctx(), random, members);
          auto letter = tenon::recv(mail);
          auto end = tenon::recv(over);
          for (std::size_t ended = 0; with_threads && ended < threads;) {
            tenon::select(letter, end);
            if (letter) received += *letter;
            if (end) {
              posted += *end;
              ++ended;
            }
          }
          while (const auto v = mail.try_recv()) received += *v;
          // Some are still at work when this returns.
          for (std::uint64_t n = random.below(3); n > 0; --n) {
            root.go([&members] {
              tenon::yield();
              ++members;
            });
          }
        },
        {.workers = GetParam()});
    EXPECT_EQ(posted, received) << "run " << runs;
    tenon_test::watchdog::step();
  }
  start.close();
  for (auto& t : outside) t.join();
  RecordProperty("runs", std::to_string(runs));
}

// ---- just as the last worker goes to sleep --------------------------------------------------------------------------

// What a goroutine waits for and an outside thread does, by all the ways to wake somebody. The goroutine prepares and says so; the
// thread answers after a pause, while the goroutine, which is all there is in the process, has gone to sleep or is about to.
class appointment {
 public:
  void prepare(std::uint64_t kind) {
    kind_ = kind;
    switch (kind_) {
      case 2: once_ = tenon::make_chan<void>(); break;
      case 3: scope_ = std::make_shared<tenon::cancel_scope>(tenon::with_cancel(tenon::background())); break;
      case 6: group_.add(); break;
      case 7: told_ = false; break;
      default: break;
    }
  }

  void wait() TENON_TSA(no_thread_safety_analysis) {
    switch (kind_) {
      case 0: (void)meeting_.recv(); break;
      case 1: (void)box_.recv(); break;
      case 2: (void)once_.recv(); break;
      case 3: (void)scope_->ctx().done().recv(); break;
      case 4: places_.acquire(); break;
      case 5: {
        const std::lock_guard hold(locked_);  // the thread has it until it answers
        break;
      }
      case 6: group_.wait(); break;
      case 7: {
        std::unique_lock hold(mu_);
        changed_.wait(hold, [&] { return told_; });
        break;
      }
      case 8: (void)meeting_.recv(); break;
      case 9: {
        auto a = tenon::recv(meeting_);
        auto b = tenon::recv(box_);
        auto c = tenon::recv(never_);
        tenon::select(a, b, c);
        EXPECT_TRUE(b);
        break;
      }
      case 10: {
        std::shared_lock hold(shared_);  // likewise
        break;
      }
      default:
        // A timer that is about to end the sleep, too.
        for (;;) {
          auto scope = tenon::with_timeout(tenon::background(), 20us);
          const tenon::context ctx = scope.ctx();
          if (box_.recv(ctx)) break;
        }
    }
  }

  void answer() TENON_TSA(no_thread_safety_analysis) {
    switch (kind_) {
      case 0: meeting_.send(1); break;
      case 1: box_.send(1); break;
      case 2: tenon::chan(once_).close(); break;  // by a handle of its own: the goroutine goes on to the next one
      case 3: std::shared_ptr(scope_)->cancel(); break;
      case 4: places_.release(); break;
      case 5: locked_.unlock(); break;
      case 6: group_.done(); break;
      case 7: {
        const std::lock_guard hold(mu_);
        told_ = true;
        changed_.signal();
        break;
      }
      case 8: tenon::go([this] { meeting_.send(1); }).join(); break;
      case 9: box_.send(1); break;
      case 10: shared_.unlock(); break;
      default: box_.send(1);
    }
  }
  /// By the goroutine, before the first of all.
  void begin() { places_.acquire(); }
  /// By the thread, once the goroutine is ready: the lock that it lets go of as its answer. Who locks a mutex unlocks it.
  void hold() TENON_TSA(no_thread_safety_analysis) {
    if (kind_ == 5) locked_.lock();
    if (kind_ == 10) shared_.lock();
    if (kind_ == 5 || kind_ == 10) held_.send();
  }
  /// By the goroutine, before it waits.
  void await_holder() {
    if (kind_ == 5 || kind_ == 10) (void)held_.recv();
  }
  static constexpr std::uint64_t kinds = 12;

 private:
  std::uint64_t kind_ = 0;
  tenon::chan<int> meeting_ = tenon::make_chan<int>();
  tenon::chan<int> box_ = tenon::make_chan<int>(1);
  tenon::chan<int> never_ = tenon::make_chan<int>();
  tenon::chan<void> once_;
  std::shared_ptr<tenon::cancel_scope> scope_;
  tenon::semaphore places_{1};
  tenon::chan<void> held_ = tenon::make_chan<void>();
  tenon::mutex locked_;
  tenon::shared_mutex shared_;
  tenon::wait_group group_;
  tenon::mutex mu_;
  tenon::cond changed_;
  bool told_ = false;
};

TEST_P(Churn, ThreadsWakeAGoroutineJustAsTheLastWorkerGoesToSleep) {
  const seed_in_use seed;
  const tenon_test::watchdog dog;
  std::uint64_t answers = 0;
  clock::duration longest{};
  while (goes_on()) {
    // One pair, so that nobody else is there; now and then three, which keep each other awake.
    const std::size_t pairs = random_source(seed.of(answers)).one_in(4) ? 3 : 1;
    std::vector<std::uint64_t> each(pairs);
    std::vector<clock::duration> longest_each(pairs);
    const auto round_ends = clock::now() + 500ms;
    std::vector<tenon::chan<void>> ready;
    std::vector<std::unique_ptr<appointment>> all;
    for (std::size_t p = 0; p < pairs; ++p) {
      ready.push_back(tenon::make_chan<void>());
      all.push_back(std::make_unique<appointment>());
    }
    std::vector<std::atomic<std::int64_t>> answered(pairs);
    std::vector<std::thread> outside;
    for (std::size_t p = 0; p < pairs; ++p) {
      outside.emplace_back([&, p] {
        random_source random(seed.of(answers + 7 * p + 1));
        while (ready[p].recv()) {
          all[p]->hold();
          pause(random);
          answered[p] = clock::now().time_since_epoch().count();
          all[p]->answer();
        }
      });
    }
    const auto keep = [&](std::size_t p) {
      random_source random(seed.of(answers + 7 * p));
      appointment& mine = *all[p];
      mine.begin();
      while (clock::now() < round_ends) {
        mine.prepare(random.below(appointment::kinds));
        ready[p].send();
        mine.await_holder();
        if (random.one_in(4)) pause(random);
        mine.wait();
        const auto late = clock::now().time_since_epoch() - clock::duration(answered[p].load());
        longest_each[p] = std::max(longest_each[p], late);
        ++each[p];
        tenon_test::watchdog::step();
      }
      ready[p].close();
    };
    tenon::run(
        [&](tenon::group& root) {
          for (std::size_t p = 1; p < pairs; ++p) root.go([&, p] { keep(p); });
          keep(0);
        },
        {.workers = GetParam()});
    for (auto& t : outside) t.join();
    for (std::size_t p = 0; p < pairs; ++p) {
      answers += each[p];
      longest = std::max(longest, longest_each[p]);
    }
  }
  RecordProperty("answers", std::to_string(answers));
  // For whoever reads it: a second here would be a wake-up that was lost and found again by a worker's routine look.
  RecordProperty("longest_wait_us",
                 std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(longest).count()));
}

}  // namespace
