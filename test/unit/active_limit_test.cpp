#include "sched/active_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace {

using tenon::clock::nanos;
using tenon::detail::active_limit;

/// A made-up machine: `rate(n)` steps a nanosecond with n workers active.
class machine {
 public:
  machine(unsigned most, std::function<double(unsigned)> rate)
      : rate_(std::move(rate)), now_workers_(most), most_(most) {
    best_.start(most, now_);
    cpu_time = 0;
  }

  /// Lets it run. Returns how much of the time each limit had, in ascending order.
  unsigned run(nanos how_long) {
    const nanos end = now_ + how_long;
    while (now_ < end) {
      const nanos period = best_.wants_to_look() ? active_limit::look : period_;
      now_ += period;
      const bool pauses = pause_every_ != 0 && ++looks_ % pause_every_ == 0;
      const auto steps = pauses ? 0 : static_cast<std::uint64_t>(rate_(now_workers_) * static_cast<double>(period));
      time_[now_workers_] += period;
      const double all = pauses ? 0 : static_cast<double>(period * now_workers_);
      cpu_time += static_cast<nanos>(all * busy_(now_workers_) * on_cpu_(now_workers_));
      now_workers_ =
          best_.observe(now_, {steps, pauses ? 0 : now_workers_, static_cast<nanos>(all * busy_(now_workers_)),
                               held_up_, +[]() noexcept { return cpu_time; }});
      EXPECT_GE(now_workers_, 1U);
      EXPECT_LE(now_workers_, most_);
    }
    return now_workers_;
  }
  void set(std::function<double(unsigned)> rate) { rate_ = std::move(rate); }
  void set_period(nanos between_looks) { period_ = between_looks; }
  /// Every so many looks nobody has anything to do.
  void set_pauses(unsigned every) { pause_every_ = every; }
  void hold_up(bool yes) { held_up_ = yes; }
  /// What share of the time n active workers have something to do, and of that have a processor to do it on.
  void set_busy(std::function<double(unsigned)> share) { busy_ = std::move(share); }
  void set_on_cpu(std::function<double(unsigned)> share) { on_cpu_ = std::move(share); }
  double share(unsigned n) const {
    nanos all = 0;
    for (const nanos t : time_) all += t;
    return static_cast<double>(time_[n]) / static_cast<double>(all);
  }

 private:
  static inline nanos cpu_time = 0;
  active_limit best_;
  std::function<double(unsigned)> rate_;
  std::function<double(unsigned)> busy_ = [](unsigned) { return 1.0; };
  std::function<double(unsigned)> on_cpu_ = [](unsigned) { return 1.0; };
  nanos now_ = 1'000'000'000;
  nanos period_ = 1'000'000;
  unsigned pause_every_ = 0;
  unsigned looks_ = 0;
  nanos time_[65] = {};
  unsigned now_workers_;
  unsigned most_;
  bool held_up_ = false;
};

double each_its_own(unsigned n) { return 0.005 * n; }
double in_each_others_way(unsigned n) { return n == 1 ? 0.011 : 0.006; }
double slow_steps(unsigned) { return 0.00001; }

// A server's: 5 µs and more.
double no_more_than_one_can_do(unsigned n) { return n == 1 ? 0.00018 : 0.00014; }
double enough_for_all(unsigned n) { return 0.00018 * n; }
double on_two_cpus_with_a_client(unsigned n) { return n == 1 ? 1.0 : 0.7; }

TEST(ActiveLimit, StaysWhereSlicesAreLong) {
  machine m(4, slow_steps);
  m.run(1'000'000'000);
  EXPECT_EQ(m.share(4), 1.0);
}

TEST(ActiveLimit, StaysWhereMoreWorkersDoMore) {
  for (const unsigned most : {2U, 4U, 64U}) {
    machine m(most, each_its_own);
    m.run(1'000'000'000);
    EXPECT_GT(m.share(most), 0.97) << most;
  }
}

TEST(ActiveLimit, GoesToOneWhereTheyAreInEachOthersWay) {
  for (const unsigned most : {2U, 3U, 4U, 6U}) {
    machine m(most, in_each_others_way);
    m.run(1'000'000'000);
    EXPECT_GT(m.share(1), 0.9) << most;
  }
}

TEST(ActiveLimit, PrefersFewerWhereBothAreAsFast) {
  machine m(2, [](unsigned) { return 0.01; });
  m.run(1'000'000'000);
  EXPECT_GT(m.share(1), 0.95);
}

TEST(ActiveLimit, FindsTheBestInBetween) {
  machine m(16, [](unsigned n) { return n <= 4 ? 0.02 * n : 0.08 - 0.002 * n; });
  m.run(1'000'000'000);
  EXPECT_GT(m.share(4), 0.8);
}

TEST(ActiveLimit, RisesWhenSlicesBecomeLong) {
  machine m(4, in_each_others_way);
  EXPECT_EQ(m.run(100'000'000), 1U);
  m.set(slow_steps);
  EXPECT_EQ(m.run(2'500'000), 4U);
}

TEST(ActiveLimit, RisesWhenMoreAreFasterAfterAll) {
  machine m(2, in_each_others_way);
  m.run(500'000'000);
  m.set(each_its_own);
  m.run(200'000'000);
  machine fresh = m;
  fresh.run(200'000'000);
  EXPECT_GT(m.share(2), 0.1);
  EXPECT_EQ(fresh.run(3'000'000), 2U);
}

TEST(ActiveLimit, RisesAtOnceWhenAGoroutineIsHeldUp) {
  machine m(4, in_each_others_way);
  EXPECT_EQ(m.run(100'000'000), 1U);
  m.hold_up(true);
  EXPECT_EQ(m.run(1), 4U);
}

TEST(ActiveLimit, AServerThatSharesItsProcessorsHasFewer) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(5'000'000'000);
  EXPECT_GT(m.share(1), 0.9);
  machine parallel(2, enough_for_all);
  parallel.set_on_cpu(on_two_cpus_with_a_client);
  parallel.run(5'000'000'000);
  EXPECT_GT(parallel.share(2), 0.95) << "where the second one does something it stays";
}

TEST(ActiveLimit, NothingIsTriedOnAServerThatHasItsProcessorsForItself) {
  machine m(2, no_more_than_one_can_do);
  m.run(1'000'000'000);
  EXPECT_EQ(m.share(2), 1.0);
}

TEST(ActiveLimit, AServerThatWaitsForWorkHasAll) {
  machine m(2, [](unsigned) { return 0.00005; });
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.set_busy([](unsigned n) { return 0.4 / n; });
  m.run(1'000'000'000);
  EXPECT_GT(m.share(2), 0.8) << "the fewer would not have enough to do for half of the time";
  m.set_busy([](unsigned n) { return 0.9 / n; });
  m.run(500'000'000);
  EXPECT_EQ(m.run(1), 1U);
  m.set_busy([](unsigned n) { return 0.4 / n; });
  EXPECT_EQ(m.run(130'000'000), 2U) << "and no longer";
}

TEST(ActiveLimit, AServerThatWaitsForAMomentKeepsFewer) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(500'000'000);
  for (int i = 0; i < 20; ++i) {
    m.set_busy([](unsigned n) { return 0.3 / n; });
    m.run(81'000'000 + i * 100'000);
    EXPECT_EQ(m.run(1), 1U) << i;
    m.set_busy([](unsigned) { return 1.0; });
    m.run(107'000'000);
  }
}

TEST(ActiveLimit, AServerThatPausesKeepsFewer) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(500'000'000);
  m.set_pauses(1);
  m.run(60'000'000);
  EXPECT_EQ(m.run(1), 1U);
  m.set_pauses(0);
  m.run(100'000'000);
  EXPECT_EQ(m.run(1), 1U);
}

TEST(ActiveLimit, AServerHasAllWhenItsSlicesBecomeLong) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(500'000'000);
  ASSERT_EQ(m.run(1), 1U);
  m.set(slow_steps);
  EXPECT_EQ(m.run(25'000'000), 2U) << "100 µs each";
}

TEST(ActiveLimit, FallingAsleepKeepsAServerBusy) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(500'000'000);
  m.set_busy([](unsigned) { return 0.45; });
  m.set_on_cpu([](unsigned) { return 1.2; });
  m.run(150'000'000);
  EXPECT_EQ(m.run(1), 1U);
}

TEST(ActiveLimit, AServerMayBeALittleSlowerForWhatItSaves) {
  const auto rate = [](unsigned n) { return n == 1 ? 0.000176 : 0.0002; };
  for (const bool saves : {true, false}) {
    machine m(2, rate);
    m.set_on_cpu([&](unsigned n) { return n == 1 ? 1.0 : saves ? 0.7 : 0.6; });
    m.run(5'000'000'000);
    EXPECT_GT(m.share(saves ? 1 : 2), 0.85) << "a switch takes 5.7 µs, with two workers " << (saves ? 7 : 6);
  }
}

TEST(ActiveLimit, AServerIsTriedThoughTheMonitorIsLate) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(10'000'000);
  m.set_period(8'000'000);
  m.run(1'000'000'000);
  EXPECT_GT(m.share(1), 0.8);
}

TEST(ActiveLimit, AServerIsTriedThoughItPauses) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.set_pauses(7);
  m.run(2'000'000'000);
  EXPECT_GT(m.share(1), 0.8);
}

TEST(ActiveLimit, ASystemThatStopsTheServerIsNoHoldUp) {
  machine m(2, no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  m.run(1'000'000'000);
  ASSERT_EQ(m.run(1), 1U);
  m.hold_up(true);
  m.run(2'000'000);
  m.hold_up(false);
  EXPECT_EQ(m.run(1), 1U) << "twice in a row";
  m.set(slow_steps);
  m.set_on_cpu([](unsigned) { return 0.1; });
  m.run(12'000'000);
  m.set(no_more_than_one_can_do);
  m.set_on_cpu(on_two_cpus_with_a_client);
  EXPECT_EQ(m.run(30'000'000), 1U) << "nor a long slice";
  m.hold_up(true);
  EXPECT_EQ(m.run(10'000'000), 2U) << "but a long slice is";
}

TEST(ActiveLimit, IsOneWithOneProcessor) {
  machine m(1, in_each_others_way);
  EXPECT_EQ(m.run(100'000'000), 1U);
}

TEST(ActiveLimit, APauseChangesNothing) {
  machine m(2, in_each_others_way);
  EXPECT_EQ(m.run(100'000'000), 1U);
  active_limit w;
  w.start(2, 0);
  nanos now = 0;
  unsigned n = 2;
  const auto work = [&](unsigned steps, nanos period) { n = w.observe(now += period, {steps, n, period * n}); };
  for (int i = 0; i < 100; ++i) work(n == 1 ? 2500 : 1200, active_limit::look);
  ASSERT_EQ(n, 1U);
  n = w.observe(now += 3'000'000'000, {10, 1});
  EXPECT_EQ(n, 1U);
  for (int i = 0; i < 100; ++i) n = w.observe(now += active_limit::look, {});
  EXPECT_EQ(n, 1U);
}

}  // namespace
