// Owners of goroutines under storms: groups, handles, contexts of goroutines, select cases, channels without values. With 1, 2 and 8
// workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "stress/helper.hpp"
#include "stress/watchdog.hpp"
#include "stress/workers_case.hpp"
#include "support/callers.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::error;
using tenon_test::dawdle;
using tenon_test::helper;
using tenon_test::helper_kind;
using tenon_test::random_source;
using tenon_test::seed_in_use;
using tenon_test::watchdog;
using tenon_test::workers_case;

// ---- group ----------------------------------------------------------------------------------------------------------

using GroupStress = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, GroupStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Everything at once: members that start members, stages, a limit, failures that race with cancels, several that wait. Each member that
// was started ends before the group does, and `wait` says the same to everybody.
TEST_P(GroupStress, EverythingAtOnce) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(20000);
  in_run([&](const context& root) {
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      random_source random(seed.of(r));
      const bool fails = random.one_in(2);
      const bool canceled_by_hand = random.one_in(2);
      const int limit = random.one_in(3) ? static_cast<int>(1 + random.below(3)) : -1;
      std::atomic<int> started = 0;
      std::atomic<int> ended = 0;
      std::atomic<int> active = 0;
      std::atomic<bool> failed = false;
      std::atomic<std::uint64_t> sent = 0;
      std::atomic<std::uint64_t> received = 0;
      std::vector<error> seen(4);
      {
        tenon::group g(root);
        g.set_limit(limit);
        const auto member = [&](std::uint64_t dice, int depth, const auto& self) -> void {
          const auto body = [&, dice, depth](const context& ctx) -> error {
            random_source mine(dice);
            const int now = active.fetch_add(1) + 1;
            EXPECT_TRUE(limit < 0 || now <= limit);
            dawdle(mine, 2);
            if (mine.one_in(8)) (void)tenon::sleep_for(ctx, 10us);
            active.fetch_sub(1);
            // With a limit a member may only try.
            if (depth > 0 && mine.one_in(2)) {
              if (limit < 0) {
                self(mine(), depth - 1, self);
              } else {
                ++started;
                if (!g.try_go([&] { ++ended; })) --started;
              }
            }
            error e;
            if (fails && mine.one_in(4)) {
              e = error("member " + std::to_string(mine.below(100)));
              failed = true;
            } else if (mine.one_in(8)) {
              e = ctx.err();
              EXPECT_TRUE(!e || canceled_by_hand || failed);
            }
            ++ended;
            if (e && mine.one_in(2) && !(e == tenon::canceled())) throw std::runtime_error(e.message());
            return e;
          };
          ++started;
          g.go(body);
        };
        // A stage of three that sends, a member-like stage that takes it.
        const auto numbers = g.produce_n<std::uint64_t>(3, [&](tenon::sender<std::uint64_t>& out, const context& ctx) {
          for (std::uint64_t n = 1; n <= 5; ++n) {
            if (!out.send(ctx, n)) return;
            ++sent;
          }
        });
        const auto squares =
            g.produce<std::uint64_t>(1, [&, numbers](tenon::sender<std::uint64_t>& out, const context& ctx) {
              for (const std::uint64_t n : numbers.range(ctx)) {
                ++received;
                if (!out.send(ctx, n * n)) break;
              }
              while (numbers.recv()) ++received;  // until the last of its senders is gone
            });
        for (std::uint64_t n = random.below(8); n > 0; --n) member(random(), 2, member);
        tenon::wait_group others;
        for (std::size_t w = 1; w < seen.size(); ++w) {
          others.go([&, w, dice = random()] {
            random_source mine(dice);
            dawdle(mine, 10);
            seen[w] = g.wait();
          });
        }
        if (canceled_by_hand) {
          others.go([&, dice = random()] {
            random_source mine(dice);
            dawdle(mine, 10);
            g.cancel();
          });
        }
        while (squares.recv()) {
        }
        seen[0] = g.wait();
        others.wait();
        EXPECT_EQ(started, ended) << "round " << r;
        EXPECT_EQ(active, 0);
        EXPECT_EQ(static_cast<bool>(seen[0]), failed.load()) << "round " << r << ": " << seen[0].message();
        for (const error& e : seen)
          EXPECT_TRUE(e == seen[0]) << "round " << r << ": " << e.message() << ", " << seen[0].message();
        EXPECT_TRUE(g.ctx().is_canceled());
      }
      EXPECT_EQ(sent, received) << "round " << r;
      watchdog::step();
    }
  });
}

// Waits with contexts of their own that are given up just as the last member ends, beside one that is not; when all of them have returned,
// the group goes on with further members.
TEST_P(GroupStress, AWaitThatIsGivenUpLeavesTheOthersTheirs) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(50000);
  in_run([&](const context& root) {
    helper gives_up(helper_kind::thread);
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      random_source random(seed.of(r));
      tenon::group g(root);
      for (int again = 0; again < 2; ++again) {
        const auto impatience = tenon::with_cancel(root);
        std::atomic<int> ended = 0;
        for (int i = 0; i < 2; ++i) {
          g.go([&, n = random.below(5)] {
            for (std::uint64_t k = 0; k < n; ++k) tenon::yield();
            ++ended;
          });
        }
        tenon::wait_group waiters;
        for (int i = 0; i < 3; ++i) {
          waiters.go([&] {
            const error e = g.wait(impatience.ctx());
            EXPECT_TRUE(e ? e == tenon::canceled() : ended == 2);
          });
        }
        waiters.go([&] {
          EXPECT_FALSE(g.wait());
          EXPECT_EQ(ended, 2);
        });
        dawdle(random, 4);
        gives_up.ask([&] { impatience.cancel(); });
        waiters.wait();
        gives_up.await();
      }
      watchdog::step();
    }
  });
}

// The group goes on with a further member before one who waits for it, with a context or without, has come back from that: it is told
// nothing wrong, and whoever waits for the further member is woken.
TEST_P(GroupStress, AGroupIsUsedFurtherBeforeEveryWaitHasReturned) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(20000);
  in_run([&](const context& root) {
    helper other(helper_kind::thread);
    helper goroutine(helper_kind::goroutine);
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      random_source random(seed.of(r));
      tenon::group g(root);
      const auto impatience = tenon::with_cancel(root);
      const auto let_go = tenon::make_chan<void>();
      std::atomic<bool> first_ended = false;
      std::atomic<bool> second_ended = false;
      g.go([&] {
        (void)let_go.recv();
        first_ended = true;
      });
      helper& waits = random.one_in(4) ? goroutine : other;
      waits.ask([&] {
        try {
          const error e = g.wait(impatience.ctx());
          EXPECT_TRUE(e ? e == tenon::canceled() : first_ended.load());
        } catch (const tenon::panic& p) {
          ADD_FAILURE() << p.what();
        }
      });
      if (random.one_in(2)) {
        tenon::sleep_for(std::chrono::microseconds(random.below(60)));
      } else {
        dawdle(random, 6);
      }
      if (random.one_in(2)) impatience.cancel();
      let_go.close();
      while (!first_ended) tenon::yield();
      dawdle(random, 2);
      g.go([&, n = random.below(4)] {
        for (std::uint64_t i = 0; i < n; ++i) tenon::yield();
        second_ended = true;
      });
      EXPECT_FALSE(g.wait());
      EXPECT_TRUE(second_ended);
      waits.await();
      watchdog::step();
    }
  });
}

// A group on the stack that ends by every road: an exception passes, it is dropped, a thread owns it.
TEST_P(GroupStress, MembersNeverOutliveTheirGroup) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(100000);
  std::atomic<int> alive = 0;
  const auto one = [&](const context& root, random_source& random) {
    try {
      const auto here = std::make_unique<std::atomic<int>>(0);
      tenon::group g(root);
      g.go_n(3, [&, at = here.get(), dice = random()](const context& ctx, int i) {
        ++alive;
        random_source mine(dice + static_cast<std::uint64_t>(i));
        if (mine.one_in(3)) (void)ctx.done().recv();
        dawdle(mine, 3);
        *at += 1;
        --alive;
      });
      if (random.one_in(3)) throw std::runtime_error("passes");
      if (random.one_in(2)) g.cancel();
    } catch (const std::runtime_error&) {
    }
  };
  in_run([&](const context& root) {
    std::atomic<bool> over = false;
    tenon_test::os_thread outside([&] {
      random_source random(seed.of(1));
      while (!over) one(root, random);
    });
    tenon_test::os_thread outside_too([&] {
      random_source random(seed.of(2));
      while (!over) one(root, random);
    });
    random_source random(seed.of(0));
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      one(root, random);
      watchdog::step();
    }
    over = true;
    outside.join();
    outside_too.join();
    EXPECT_EQ(alive, 0);
  });
}

// ---- handles --------------------------------------------------------------------------------------------------------

using HandleStress = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, HandleStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Many wait for one goroutine, goroutines and threads, some of them impatient, while it is canceled and ends.
TEST_P(HandleStress, ManyWaitForOneThatEndsAndIsCanceled) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(20000);
  in_run([&](const context& root) {
    helper thread(helper_kind::thread);
    helper canceler(helper_kind::thread);
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      random_source random(seed.of(r));
      const auto impatience = tenon::with_cancel(root);
      std::atomic<bool> ended = false;
      auto g = tenon::go([&, dice = random()](const context& mine) {
        random_source own(dice);
        if (own.one_in(2)) {
          (void)mine.done().recv();
        } else {
          dawdle(own, 6);
        }
        ended = true;
        return r;
      });
      thread.ask([&] {
        g.wait();
        EXPECT_TRUE(ended);
      });
      tenon::wait_group waiters;
      for (int i = 0; i < 6; ++i) {
        waiters.go([&, i] {
          if (i % 2 == 0) {
            g.wait();
            EXPECT_TRUE(ended);
          } else if (g.wait(impatience.ctx())) {
            EXPECT_TRUE(ended);
          } else {
            EXPECT_TRUE(impatience.ctx().is_canceled());
          }
        });
      }
      dawdle(random, 4);
      canceler.ask([&, first = random.one_in(2)] {
        if (first) impatience.cancel();
        g.cancel();
        impatience.cancel();
      });
      waiters.wait();
      thread.await();
      canceler.await();
      EXPECT_EQ(g.join(), r);
      watchdog::step();
    }
  });
}

// A goroutine asks for its context for the first time while its owner cancels: it gets one, and that is or will be canceled; so is
// what it has started under it.
TEST_P(HandleStress, AContextThatIsFirstAskedForWhileTheOwnerCancels) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(100000);
  in_run([&](const context& root) {
    helper canceler(helper_kind::thread);
    helper canceler_too(helper_kind::goroutine);
    for (std::size_t r = 0; r < rounds && !HasFailure(); ++r) {
      random_source random(seed.of(r));
      std::atomic<bool> here = false;
      const auto body = [&here, dice = random()] {
        random_source own(dice);
        here = true;
        for (std::uint64_t n = own.below(60); n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
        if (own.one_in(3)) {
          // By a child that inherits it; whoever comes first makes it.
          auto child = tenon::go([] { (void)tenon::this_goroutine::context().done().recv(); });
          (void)tenon::this_goroutine::context().done().recv();
          child.join();
        } else {
          const context mine = tenon::this_goroutine::context();
          (void)mine.done().recv();
          EXPECT_TRUE(mine.is_canceled());
          EXPECT_TRUE(mine.err() == tenon::canceled());
          EXPECT_TRUE(tenon::this_goroutine::context() == mine);
        }
      };
      auto g = random.one_in(2) ? tenon::go(body) : tenon::go(root, body);
      if (random.one_in(2)) {
        while (!here) tenon::yield();
      }
      canceler.ask([&] { g.cancel(); });
      if (random.one_in(2)) canceler_too.ask([&] { g.cancel(); });
      if (random.one_in(4)) {
        canceler.await();
        canceler_too.await();
        g = {};
      } else {
        g.wait();
        canceler.await();  // a join would leave them nothing to cancel
        canceler_too.await();
        g.join();
      }
      watchdog::step();
    }
  });
}

// ---- select cases, and channels of nothing --------------------------------------------------------------------------

using CaseStress = workers_case;
INSTANTIATE_TEST_SUITE_P(Workers, CaseStress, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// Cases that live as long as their owner: used again, moved from one object to another, disabled and made anew between rounds, on channels
// that close. Signals and values are conserved.
TEST_P(CaseStress, CasesAreUsedAgainMovedAndDisabled) {
  const seed_in_use seed;
  const std::size_t each = tenon_test::scaled(200000, 500);
  in_run([&](const context&) {
    const auto signals = tenon::make_chan<void>();
    const auto buffered_signals = tenon::make_chan<void>(3, "a test");
    const auto values = tenon::make_chan<std::string>(1);
    std::atomic<std::uint64_t> signals_sent = 0;
    std::atomic<std::uint64_t> signals_received = 0;
    std::atomic<std::uint64_t> values_sent = 0;
    std::atomic<std::uint64_t> values_received = 0;
    tenon::wait_group senders;
    tenon::wait_group receivers;
    for (std::uint64_t s = 0; s < 3; ++s) {
      senders.go([&, s] {
        random_source random(seed.of(s));
        auto a = tenon::send(signals);
        auto b = tenon::send(buffered_signals);
        auto v = tenon::send(values, "first");
        std::string offered = "first";
        for (std::size_t i = 0; i < each; ++i) {
          const bool no_a = random.one_in(4);
          const bool no_v = random.one_in(4);
          if (no_a) a.disable();
          std::optional<std::string> kept;
          if (no_v) {
            kept = v.take();
            v.disable();
            v.set(*kept);
          }
          if (random.one_in(4)) {
            auto elsewhere = std::move(b);
            b = std::move(elsewhere);
            auto elsewhere_too = std::move(v);
            v = std::move(elsewhere_too);
          }
          switch (random.below(3)) {
            case 0: tenon::select(a, b, v); break;
            case 1: tenon::select(v, tenon::otherwise, b, a); break;
            default: {
              const std::array<tenon::select_case*, 3> cases{&b, &v, &a};
              tenon::select(cases);
            }
          }
          EXPECT_LE(static_cast<int>(!!a) + static_cast<int>(!!b) + static_cast<int>(!!v), 1);
          EXPECT_FALSE((no_a && a) || (no_v && v)) << "a disabled one has fired";
          if (a || b) ++signals_sent;
          if (v) ++values_sent;
          if (!v) {
            EXPECT_EQ(v.take(), offered) << "what was not sent is still there";
          }
          if (no_a) a = tenon::send(signals);
          if (no_v) v = tenon::send(values, "");
          offered = std::to_string(i) + " is a string that has to be allocated";
          v.set(offered);
        }
      });
    }
    for (std::uint64_t g = 0; g < 3; ++g) {
      receivers.go([&, g] {
        random_source random(seed.of(100 + g));
        auto a = tenon::recv(signals);
        auto b = tenon::recv(buffered_signals);
        auto v = tenon::recv(values);
        bool over_a = false;
        bool over_b = false;
        bool over_v = false;
        while (!(over_a && over_b && over_v)) {
          if (random.one_in(4)) {
            auto elsewhere = std::move(a);
            a = std::move(elsewhere);
            auto elsewhere_too = std::move(v);
            v = std::move(elsewhere_too);
          }
          if (random.one_in(4)) {
            // One way or the other, without a select.
            if (buffered_signals.try_recv()) ++signals_received;
            if (const auto taken = values.try_recv()) ++values_received;
          }
          switch (random.below(3)) {
            case 0: tenon::select(a, b, v); break;
            case 1: tenon::select(v, tenon::otherwise, b, a); break;
            default: {
              const std::array<tenon::select_case*, 3> cases{&b, &v, &a};
              tenon::select(cases);
            }
          }
          if ((a && !a.closed()) || (b && !b.closed())) ++signals_received;
          if (v && !v.closed()) {
            ++values_received;
            EXPECT_FALSE(v->empty());
          }
          if (a.closed()) {
            over_a = true;
            a.disable();
          } else if (b.closed()) {
            over_b = true;
            b.disable();
          } else if (v.closed()) {
            over_v = true;
            v.disable();
          }
          if (random.one_in(256)) watchdog::step();
          if (random.one_in(8)) tenon::yield();
        }
      });
    }
    senders.wait();
    signals.close();
    buffered_signals.close();
    values.close();
    receivers.wait();
    EXPECT_EQ(signals_sent, signals_received);
    EXPECT_EQ(values_sent, values_received);
  });
}

// A channel of nothing by all its operations, goroutines and threads: as many received as sent.
TEST_P(CaseStress, SignalsAreConserved) {
  const seed_in_use seed;
  const std::size_t each = tenon_test::scaled(50000, 300);
  for (const int capacity : {0, 1, 8}) {
    in_run([&](const context& root) {
      const auto c = tenon::make_chan<void>(capacity, "a test");
      std::atomic<std::uint64_t> sent = 0;
      std::atomic<std::uint64_t> received = 0;
      const auto sends = [&](std::uint64_t who) {
        random_source random(seed.of(who));
        for (std::size_t i = 0; i < each; ++i) {
          switch (random.below(4)) {
            case 0:
              c.send();
              ++sent;
              break;
            case 1:
              if (c.try_send()) ++sent;
              break;
            case 2: {
              const auto scope = tenon::with_timeout(root, std::chrono::microseconds(random.below(20)));
              if (c.send(scope.ctx())) ++sent;
              break;
            }
            default:
              if (tenon::select(tenon::recv(tenon::chan<void>()), tenon::send(c)) == 1) ++sent;
          }
          if (i % 256 == 0) watchdog::step();
        }
      };
      const auto receives = [&](std::uint64_t who) {
        random_source random(seed.of(who));
        for (;;) {
          switch (random.below(4)) {
            case 0:
              if (!c.recv()) return;
              ++received;
              break;
            case 1:
              if (c.try_recv()) ++received;
              break;
            case 2: {
              const auto scope = tenon::with_timeout(root, std::chrono::microseconds(random.below(20)));
              if (c.recv(scope.ctx())) ++received;
              break;
            }
            default: {
              auto next = tenon::recv(c);
              tenon::select(next, tenon::recv(tenon::chan<int>()));
              if (next.closed()) return;
              ++received;
            }
          }
        }
      };
      tenon::wait_group senders;
      tenon::wait_group receivers;
      for (std::uint64_t i = 0; i < 3; ++i) senders.go([&, i] { sends(i); });
      for (std::uint64_t i = 0; i < 3; ++i) receivers.go([&, i] { receives(100 + i); });
      tenon_test::os_thread sending([&] { sends(50); });
      tenon_test::os_thread receiving([&] { receives(150); });
      senders.wait();
      sending.join();
      c.close();
      receivers.wait();
      receiving.join();
      EXPECT_EQ(sent, received) << "capacity " << capacity;
    });
  }
}

}  // namespace
