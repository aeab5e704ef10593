// The primitives, each in a small program whose order matters, in every order.
//
// long: one program for each way in which a primitive is used by several

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

#include "explore/explored.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::context;
using tenon::group;
using tenon::make_chan;
using tenon::testing::touch;
using tenon_test::one_at_a_time;
using tenon_test::require;
using tenon_test::wait_for_all;

class ExplorePrimitives : public tenon_test::Explored {};
INSTANTIATE_TEST_SUITE_P(By, ExplorePrimitives, tenon_test::each_strategy(), tenon_test::Explored::name_of);

// ---- mutex

TEST_P(ExplorePrimitives, AMutexLetsOneInAtATime) {
  holds("mutex.excludes", [](group& g) {
    tenon::mutex mu;
    one_at_a_time room;
    for (int i = 0; i < 3; ++i) {
      g.go([&] {
        const std::lock_guard hold(mu);
        room.visit();
      });
    }
    wait_for_all(g);
    require(room.visits == 3, "somebody was not there");
  });
}

// After a millisecond a waiter is handed the mutex: the cancel comes in the same moment.
TEST_P(ExplorePrimitives, AMutexThatIsHandedToWhoGivesUpIsNotLost) {
  holds("mutex.handed_on", [](group& g) {
    tenon::mutex mu;
    one_at_a_time room;
    int expected = 2;
    const auto scope = tenon::with_cancel(g.ctx());
    g.go([&] {
      const std::lock_guard hold(mu);
      tenon::sleep_for(2ms);
      room.visit();
    });
    g.go([&] {
      if (!mu.lock(scope.ctx())) {
        require(scope.ctx().is_canceled(), "gave up without a reason");
        return;
      }
      const std::lock_guard hold(mu, std::adopt_lock);
      room.visit();
      ++expected;
    });
    g.go([&] {
      const std::lock_guard hold(mu);
      room.visit();
    });
    g.go([&] {
      tenon::sleep_for(2ms);
      scope.cancel();
    });
    wait_for_all(g);
    require(room.visits == expected, "a lock that was not one");
    require(!mu.lock(scope.ctx()), "locked although it was canceled already");
    require(mu.try_lock(), "still locked");
    mu.unlock();
  });
}

TEST_P(ExplorePrimitives, ATryLockFailsOnlyWhileSomebodyHasTheMutex) {
  holds("mutex.try_lock", [](group& g) {
    tenon::mutex mu;
    one_at_a_time room;
    int failed = 0;
    g.go([&] {
      const std::lock_guard hold(mu);
      room.visit();
    });
    g.go([&] {
      if (!mu.try_lock()) {
        ++failed;
        return;
      }
      const std::lock_guard hold(mu, std::adopt_lock);
      room.visit();
    });
    wait_for_all(g);
    require(room.visits + failed == 2, "neither in nor turned away");
    require(mu.try_lock(), "still locked");
    mu.unlock();
  });
}

// ---- shared_mutex

TEST_P(ExplorePrimitives, AWriterExcludesReadersAndWriters) {
  holds("shared_mutex.excludes", [](group& g) {
    tenon::shared_mutex mu;
    bool writing = false;
    std::array<bool, 2> reading{};
    for (bool& me : reading) {
      g.go([&] {
        const std::shared_lock hold(mu);
        require(!writing, "a reader beside a writer");
        me = true;
        touch(&me);
        require(!writing, "a writer beside a reader");
        me = false;
      });
    }
    for (int i = 0; i < 2; ++i) {
      g.go([&] {
        const std::unique_lock hold(mu);
        require(!std::exchange(writing, true), "two writers");
        touch(&writing);
        require(!reading[0] && !reading[1], "a writer beside a reader");
        writing = false;
      });
    }
    wait_for_all(g);
  });
}

// One reader stays until the other has been let in: without the writer's giving up nobody would go on.
TEST_P(ExplorePrimitives, AWriterThatGivesUpLetsTheReadersIn) {
  holds("shared_mutex.writer_gives_up", [](group& g) {
    tenon::shared_mutex mu;
    const auto in = make_chan<void>();
    const auto scope = tenon::with_cancel(g.ctx());
    bool writing = false;
    mu.lock_shared();
    g.go([&] {
      if (!mu.lock(scope.ctx())) return;
      writing = true;
      touch(&writing);
      writing = false;
      mu.unlock();
    });
    g.go([&] {
      const std::shared_lock hold(mu);
      require(!writing, "a reader beside a writer");
      in.close();
    });
    g.go([&] { scope.cancel(); });
    (void)in.recv();
    mu.unlock_shared();
    wait_for_all(g);
    require(mu.try_lock(), "still locked");
    mu.unlock();
  });
}

TEST_P(ExplorePrimitives, AWriterThatGivesUpLetsNoOtherWriterInBesideAReader) {
  holds("shared_mutex.two_writers", [](group& g) {
    tenon::shared_mutex mu;
    const auto scope = tenon::with_cancel(g.ctx());
    bool reading = true;
    bool written = false;
    mu.lock_shared();
    g.go([&] {
      if (!mu.lock(scope.ctx())) return;
      const std::unique_lock hold(mu, std::adopt_lock);
      require(!reading, "a writer beside a reader");
    });
    g.go([&] {
      const std::unique_lock hold(mu);
      require(!reading, "a writer beside a reader");
      written = true;
    });
    auto canceler = tenon::go([&] { scope.cancel(); });
    canceler.join();
    touch(&reading);
    reading = false;
    mu.unlock_shared();
    wait_for_all(g);
    require(written, "not let in");
  });
}

// ---- channels

void two_senders_two_receivers(group& g, const tenon::chan<int>& c) {
  std::array<std::vector<int>, 2> got;
  for (const int first : {1, 11}) {
    g.go([c, first] {
      c.send(first);
      c.send(first + 1);
    });
  }
  for (auto& mine : got) {
    g.go([&mine, c] {
      for (int i = 0; i < 2; ++i) mine.push_back(*c.recv());
    });
  }
  wait_for_all(g);
  for (const auto& mine : got) {
    if (mine[0] / 10 == mine[1] / 10) require(mine[0] < mine[1], "what one has sent came in another order");
  }
  std::vector<int> all = got[0];
  all.insert(all.end(), got[1].begin(), got[1].end());
  std::sort(all.begin(), all.end());
  require(all == std::vector<int>{1, 2, 11, 12}, "lost, or twice");
}

TEST_P(ExplorePrimitives, AnUnbufferedChannelLosesNothingAndDoublesNothing) {
  holds("chan.unbuffered", [](group& g) { two_senders_two_receivers(g, make_chan<int>()); });
}

TEST_P(ExplorePrimitives, ABufferedChannelLosesNothingAndDoublesNothing) {
  holds("chan.buffered", [](group& g) { two_senders_two_receivers(g, make_chan<int>(1)); });
}

TEST_P(ExplorePrimitives, ACloseComesAfterTheValuesAndEndsEachReceive) {
  holds("chan.close_recv", [](group& g) {
    const auto c = make_chan<int>(1);
    std::array<int, 2> got{};
    g.go([c] {
      c.send(1);
      c.close();
    });
    for (int& mine : got) {
      g.go([&mine, c] {
        while (const auto v = c.recv()) mine += *v;
        require(!c.recv(), "a value after the end");
      });
    }
    wait_for_all(g);
    require(got[0] + got[1] == 1, "lost, or twice");
  });
}

TEST_P(ExplorePrimitives, ALoopOverAChannelEndsWithItsClose) {
  holds("chan.close_range", [](group& g) {
    const auto c = make_chan<int>();
    std::array<int, 2> got{};
    g.go([c] {
      for (const int n : {1, 2}) c.send(n);
      c.close();
    });
    g.go([&, c] {
      for (const int n : c) got[0] += n;
    });
    g.go([&, c](const context& ctx) {
      for (const int n : c.range(ctx)) got[1] += n;
    });
    wait_for_all(g);
    require(got[0] + got[1] == 3, "lost, or twice");
  });
}

TEST_P(ExplorePrimitives, ASendThatMeetsACloseDeliversOrPanics) {
  holds("chan.close_send", [](group& g) {
    const auto c = make_chan<int>();
    bool sent = false;
    bool received = false;
    g.go([&] {
      try {
        c.send(1);
        sent = true;
      } catch (const tenon::panic&) {
      }
    });
    g.go([&] { received = c.recv().has_value(); });
    g.go([&] { c.close(); });
    wait_for_all(g);
    require(sent == received, "both, or neither");
  });
}

TEST_P(ExplorePrimitives, AValueIsReceivedOrItsSendWasGivenUp) {
  holds("chan.send_or_cancel", [](group& g) {
    const auto c = make_chan<int>();
    const auto over = make_chan<void>();
    const auto scope = tenon::with_cancel(g.ctx());
    bool sent = false;
    bool received = false;
    g.go([&] {
      sent = c.send(scope.ctx(), 1);
      over.close();
    });
    g.go([&] {
      auto next = tenon::recv(c);
      auto none = tenon::recv(over);
      tenon::select(next, none);
      received = static_cast<bool>(next);
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(sent == received, "both, or neither");
  });
}

TEST_P(ExplorePrimitives, AValueIsInTheBufferOrItsSendWasGivenUp) {
  holds("chan.send_or_cancel_buffered", [](group& g) {
    const auto c = make_chan<int>(1);
    const auto scope = tenon::with_cancel(g.ctx());
    bool sent = false;
    int first = 0;
    c.send(1);
    g.go([&] { sent = c.send(scope.ctx(), 2); });
    g.go([&] { first = *c.recv(); });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(first == 1, "out of order");
    const auto second = c.try_recv();
    require(second.has_value() == sent, "both, or neither");
    require(!second || *second == 2, "another value");
    require(!c.send(scope.ctx(), 3) && c.len() == 0, "sent although it was canceled already");
  });
}

TEST_P(ExplorePrimitives, AReceiveThatWasGivenUpHasTakenNothing) {
  holds("chan.recv_or_cancel", [](group& g) {
    const auto c = make_chan<int>();
    const auto over = make_chan<void>();
    const auto scope = tenon::with_cancel(g.ctx());
    bool sent = false;
    bool received = false;
    g.go([&] {
      received = c.recv(scope.ctx()).has_value();
      require(received || scope.ctx().err() == tenon::canceled(), "gave up without a reason");
      over.close();
    });
    g.go([&] {
      auto value = tenon::send(c, 1);
      auto none = tenon::recv(over);
      tenon::select(value, none);
      sent = static_cast<bool>(value);
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(sent == received, "both, or neither");
  });
}

TEST_P(ExplorePrimitives, AReceiveThatWasGivenUpLeavesTheBufferAlone) {
  holds("chan.recv_or_cancel_buffered", [](group& g) {
    const auto c = make_chan<int>(1);
    const auto scope = tenon::with_cancel(g.ctx());
    std::array<bool, 2> got{};
    for (bool& mine : got) g.go([&] { mine = c.recv(scope.ctx()).has_value(); });
    g.go([&] { c.send(1); });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(std::size_t{got[0]} + std::size_t{got[1]} + c.len() == 1, "lost, or twice");
    const std::size_t left = c.len();
    require(!c.recv(scope.ctx()) && c.len() == left, "received although it was canceled already");
  });
}

// ---- select

TEST_P(ExplorePrimitives, TwoSelectsThatMeetAgreeOnOneChannel) {
  holds("select.meet", [](group& g) {
    const auto c = make_chan<int>();
    const auto d = make_chan<int>();
    std::array<int, 2> got{};
    g.go([&] {
      auto in = tenon::recv(d);
      tenon::select(tenon::send(c, 1), in);
      if (in) got[0] = *in;
    });
    g.go([&] {
      auto in = tenon::recv(c);
      tenon::select(in, tenon::send(d, 2));
      if (in) got[1] = *in;
    });
    wait_for_all(g);
    require(got == std::array{0, 1} || got == std::array{2, 0}, "not one pair");
  });
}

TEST_P(ExplorePrimitives, FourSelectsThatMeetMakeTwoPairs) {
  holds("select.meet_four", [](group& g) {
    const auto c = make_chan<int>();
    const auto d = make_chan<int>();
    std::array<std::size_t, 4> fired{};
    for (const std::size_t i : {0U, 1U}) {
      g.go([&, i] { fired[i] = tenon::select(tenon::send(c, 1), tenon::recv(d)); });
      g.go([&, i] { fired[i + 2] = tenon::select(tenon::recv(c), tenon::send(d, 2)); });
    }
    wait_for_all(g);
    require(fired[0] + fired[1] == fired[2] + fired[3], "a case without its partner");
  });
}

TEST_P(ExplorePrimitives, ASelectTakesTheValueOrTheCancelAndLeavesTheOther) {
  holds("select.value_or_done", [](group& g) {
    const auto c = make_chan<int>(1);
    const auto scope = tenon::with_cancel(g.ctx());
    bool received = false;
    g.go([&] {
      auto next = tenon::recv(c);
      auto stop = tenon::recv(scope.ctx().done());
      tenon::select(next, stop);
      require(static_cast<bool>(next) != static_cast<bool>(stop), "not one case");
      if (stop) require(stop.closed() && scope.ctx().err() == tenon::canceled(), "stopped without a reason");
      if (next) require(*next == 1, "another value");
      received = static_cast<bool>(next);
    });
    g.go([&] { c.send(1); });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(std::size_t{received} + c.len() == 1, "lost, or twice");
  });
}

// ---- cond

TEST_P(ExplorePrimitives, EachConsumerOfOnePlaceGetsAValue) {
  holds("cond.one_place", [](group& g) {
    tenon::mutex mu;
    tenon::cond not_empty;
    tenon::cond not_full;
    std::optional<int> place;
    std::array<int, 2> got{};
    g.go([&] {
      for (const int n : {1, 2}) {
        std::unique_lock hold(mu);
        not_full.wait(hold, [&] { return !place; });
        place = n;
        not_empty.signal();
      }
    });
    for (int& mine : got) {
      g.go([&] {
        std::unique_lock hold(mu);
        not_empty.wait(hold, [&] { return place.has_value(); });
        mine = *place;
        place.reset();
        not_full.signal();
      });
    }
    wait_for_all(g);
    require(got[0] + got[1] == 3 && got[0] != 0 && got[1] != 0, "lost, or twice");
  });
}

// The second is told to give up once all that could wake it has happened.
TEST_P(ExplorePrimitives, ASignalToOneThatGivesUpGoesToTheNext) {
  holds("cond.signal_or_cancel", [](group& g) {
    tenon::mutex mu;
    tenon::cond changed;
    const auto first = tenon::with_cancel(g.ctx());
    const auto second = tenon::with_cancel(g.ctx());
    const auto both_wait = make_chan<void>();
    int waiting = 0;
    std::array<bool, 2> signaled{};
    const auto wait = [&](const context& ctx, bool& mine) {
      std::unique_lock hold(mu);
      if (++waiting == 2) both_wait.close();
      mine = changed.wait(hold, ctx);
    };
    auto gives_up = tenon::go([&] { wait(first.ctx(), signaled[0]); });
    g.go([&] { wait(second.ctx(), signaled[1]); });
    auto canceler = tenon::go([&] {
      (void)both_wait.recv();
      first.cancel();
    });
    (void)both_wait.recv();
    mu.lock();  // the last one holds it until it waits
    mu.unlock();
    changed.signal();
    gives_up.join();
    canceler.join();
    second.cancel();
    wait_for_all(g);
    require(signaled[0] != signaled[1], "a signal for both, or for neither");
  });
}

TEST_P(ExplorePrimitives, ABroadcastWakesAllWhoWait) {
  holds("cond.broadcast", [](group& g) {
    tenon::mutex mu;
    tenon::cond changed;
    bool open = false;
    int through = 0;
    for (int i = 0; i < 2; ++i) {
      g.go([&] {
        std::unique_lock hold(mu);
        changed.wait(hold, [&] { return open; });
        ++through;
      });
    }
    g.go([&] {
      {
        const std::lock_guard hold(mu);
        open = true;
      }
      changed.broadcast();
    });
    wait_for_all(g);
    require(through == 2, "somebody was left behind");
  });
}

// ---- semaphore

TEST_P(ExplorePrimitives, ASemaphoreNeverGivesMoreThanItHasAndGetsAllBack) {
  holds("semaphore.weights", [](group& g) {
    tenon::semaphore units(2);
    int held = 0;
    const auto scope = tenon::with_cancel(g.ctx());
    const auto use = [&](int n) {
      touch(&held);
      held += n;
      require(held <= 2, "more than there are");
      touch(&held);
      held -= n;
      units.release(n);
    };
    g.go([&] {
      units.acquire(1);
      use(1);
    });
    g.go([&] {
      if (units.acquire(scope.ctx(), 2)) use(2);
    });
    g.go([&] {
      units.acquire(1);
      use(1);
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(units.try_acquire(2), "units are missing");
    require(!units.try_acquire(1), "more than there were");
  });
}

// The one behind the one that gives up is not left waiting for units that are free.
TEST_P(ExplorePrimitives, ALargeRequestThatGivesUpLetsTheSmallOneIn) {
  holds("semaphore.gives_up", [](group& g) {
    tenon::semaphore units(2);
    const auto in = make_chan<void>();
    const auto scope = tenon::with_cancel(g.ctx());
    units.acquire(1);
    g.go([&] {
      if (units.acquire(scope.ctx(), 2)) units.release(2);
    });
    g.go([&] {
      units.acquire(1);
      in.close();
      units.release(1);
    });
    g.go([&] { scope.cancel(); });
    (void)in.recv();
    units.release(1);
    wait_for_all(g);
    require(units.try_acquire(2), "units are missing");
  });
}

// Each waits for the other to have been let in.
TEST_P(ExplorePrimitives, AReleaseOfTwoUnitsLetsTwoIn) {
  holds("semaphore.lets_two_in", [](group& g) {
    tenon::semaphore units(2);
    const std::array<tenon::chan<void>, 2> in{make_chan<void>(), make_chan<void>()};
    units.acquire(2);
    for (const std::size_t me : {0U, 1U}) {
      g.go([&, me] {
        units.acquire(1);
        in[me].close();
        (void)in[1 - me].recv();
        units.release(1);
      });
    }
    units.release(2);
    wait_for_all(g);
    require(units.try_acquire(2), "units are missing");
  });
}

// ---- wait_group

TEST_P(ExplorePrimitives, AWaitGroupLetsAllWaitersGoWhenAllIsDoneAndServesAgain) {
  holds("wait_group.two_rounds", [](group& g) {
    tenon::wait_group wg;
    for (int round = 0; round < 2; ++round) {
      std::array<bool, 2> done{};
      wg.add(2);
      for (bool& mine : done) {
        g.go([&] {
          mine = true;
          wg.done();
        });
      }
      g.go([&] {
        wg.wait();
        require(done[0] && done[1], "let go too early");
      });
      wg.wait();
      const bool all = done[0] && done[1];
      wait_for_all(g);
      require(all, "let go too early");
    }
  });
}

TEST_P(ExplorePrimitives, AWaitForAWaitGroupEndsWithAllDoneOrACancel) {
  holds("wait_group.wait_or_cancel", [](group& g) {
    tenon::wait_group wg;
    const auto scope = tenon::with_cancel(g.ctx());
    std::array<bool, 2> done{};
    for (bool& mine : done) {
      wg.go([&] {
        touch(&mine);
        mine = true;
      });
    }
    g.go([&] {
      if (wg.wait(scope.ctx())) {
        require(done[0] && done[1], "let go too early");
      } else {
        require(scope.ctx().is_canceled(), "gave up without a reason");
      }
    });
    g.go([&] { scope.cancel(); });
    wg.wait();
    const bool all = done[0] && done[1];
    wait_for_all(g);
    require(all, "let go too early");
  });
}

// ---- timers

TEST_P(ExplorePrimitives, AFunctionOfATimerRunsIfNoStopSaidThatItWouldNot) {
  holds("timer.stop_or_fire", [](group& g) {
    int runs = 0;
    int stopped = 0;
    {
      const tenon::timer t(1ms, [&] {
        touch(&runs);
        ++runs;
      });
      for (int i = 0; i < 2; ++i) {
        g.go([&] {
          const bool mine = t.stop();
          touch(&stopped);
          stopped += mine ? 1 : 0;
        });
      }
      wait_for_all(g);
    }  // waits for the function, if it was started
    tenon::sleep_for(2ms);
    require(runs + stopped == 1, "ran although it was stopped, or did not although it was not");
  });
}

TEST_P(ExplorePrimitives, ATimerThatIsResetFiresOnceMoreOrOnceLater) {
  holds("timer.reset_or_fire", [](group& g) {
    int runs = 0;
    bool was_active = false;
    {
      const tenon::timer t(1ms, [&] {
        touch(&runs);
        ++runs;
      });
      g.go([&] { was_active = t.reset(1ms); });
      wait_for_all(g);
      tenon::sleep_for(2ms);
      require(!t.stop(), "active after its time");
    }
    require(runs == (was_active ? 1 : 2), "another number of runs");
  });
}

TEST_P(ExplorePrimitives, AResetTakesBackTheTickOfBefore) {
  holds("timer.reset_tick", [](group& g) {
    const tenon::timer t(1ms);
    std::array<std::optional<tenon::time_point>, 2> ticks;
    tenon::time_point reset_at;
    bool was_active = false;
    g.go([&] { ticks[0] = t.c().try_recv(); });
    g.go([&] {
      reset_at = tenon::now();
      was_active = t.reset(1ms);
    });
    wait_for_all(g);
    tenon::sleep_for(2ms);
    ticks[1] = t.c().try_recv();
    // The first try may have come before the reset, and after it.
    require(ticks[0] || ticks[1], "no tick");
    require(was_active || (ticks[0] && ticks[1]), "inactive, but nobody had the tick");
    for (const auto& tick : ticks) {
      if (tick && (&tick == &ticks[1] || was_active)) require(*tick >= reset_at + 1ms, "a tick of before the reset");
    }
  });
}

TEST_P(ExplorePrimitives, ATickerThatIsStoppedDeliversNoTick) {
  holds("ticker.stop", [](group& g) {
    const tenon::ticker t(1ms);
    const auto scope = tenon::with_cancel(g.ctx());
    tenon::time_point last;
    tenon::time_point stopped_at;
    g.go([&] {
      for (const tenon::time_point tick : t.c().range(scope.ctx())) {
        require(tick > last, "a tick of before the last one");
        last = tick;
      }
    });
    g.go([&] {
      tenon::sleep_for(2ms);
      t.stop();
      stopped_at = tenon::now();
      tenon::sleep_for(2ms);
      scope.cancel();
    });
    wait_for_all(g);
    require(last <= stopped_at, "a tick of after the stop");
    require(!t.c().try_recv(), "a tick after the stop");
  });
}

// ---- contexts

TEST_P(ExplorePrimitives, AFunctionThatFollowsACancelRunsIfNoStopSaidThatItWouldNot) {
  holds("after_func.stop_or_cancel", [](group& g) {
    int runs = 0;
    int stopped = 0;
    const auto scope = tenon::with_cancel(g.ctx());
    auto after = tenon::after_func(scope.ctx(), [&] {
      touch(&runs);
      ++runs;
    });
    for (int i = 0; i < 2; ++i) {
      g.go([&] {
        const bool mine = after.stop();
        touch(&stopped);
        stopped += mine ? 1 : 0;
      });
    }
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    after = {};  // waits for the function, if it was started
    require(runs + stopped == 1, "ran although it was stopped, or did not although it was not");
  });
}

TEST_P(ExplorePrimitives, AChildIsNotCanceledBeforeItsParentAndErrAgreesWithDone) {
  holds("context.tree", [](group& g) {
    const auto parent = tenon::with_cancel(g.ctx());
    const auto child = tenon::with_cancel(parent.ctx());
    const auto is_done = [](const context& ctx) {
      return tenon::select(tenon::recv(ctx.done()), tenon::otherwise) == 0;
    };
    g.go([&] {
      parent.cancel();
      require(child.ctx().is_canceled(), "a cancel has returned before the children were canceled");
    });
    g.go([&] {
      (void)child.ctx().done().recv();
      require(child.ctx().err() == tenon::canceled(), "done without an error");
      require(parent.ctx().is_canceled(), "canceled before its parent");
    });
    g.go([&] {
      if (child.ctx().is_canceled()) require(parent.ctx().is_canceled(), "canceled before its parent");
      const bool canceled = parent.ctx().is_canceled();
      if (canceled) require(is_done(parent.ctx()), "an error, but not done");
      if (is_done(child.ctx())) require(static_cast<bool>(child.ctx().err()), "done without an error");
    });
    wait_for_all(g);
  });
}

TEST_P(ExplorePrimitives, OneOfTheCancelAndTheTimeoutIsTheReasonForAll) {
  holds("context.timeout_or_cancel", [](group& g) {
    const tenon::time_point began = tenon::now();
    const auto scope = tenon::with_timeout(g.ctx(), 1ms);
    const auto child = tenon::with_cancel(scope.ctx());
    std::array<tenon::error, 2> seen;
    std::array<tenon::time_point, 2> at;
    g.go([&] { scope.cancel(); });
    g.go([&] {
      (void)scope.ctx().done().recv();
      at[0] = tenon::now();
      seen[0] = scope.ctx().err();
    });
    g.go([&] {
      (void)child.ctx().done().recv();
      at[1] = tenon::now();
      seen[1] = child.ctx().err();
    });
    wait_for_all(g);
    require(seen[0] == tenon::canceled() || seen[0] == tenon::deadline_exceeded(), "another reason");
    require(seen[1] == seen[0] && scope.ctx().err() == seen[0], "two reasons");
    if (seen[0] == tenon::deadline_exceeded()) {
      require(at[0] >= began + 1ms && at[1] >= began + 1ms, "before its time");
    }
  });
}

TEST_P(ExplorePrimitives, TheFirstCauseStays) {
  holds("context.cause", [](group& g) {
    const auto scope = tenon::with_cancel_cause(g.ctx());
    const tenon::error a("a");
    const tenon::error b("b");
    std::array<tenon::error, 2> seen;
    g.go([&] {
      scope.cancel(a);
      seen[0] = tenon::cause(scope.ctx());
    });
    g.go([&] {
      scope.cancel(b);
      seen[1] = tenon::cause(scope.ctx());
    });
    wait_for_all(g);
    require(seen[0] == a || seen[0] == b, "another cause");
    require(seen[1] == seen[0], "two causes");
    require(scope.ctx().err() == tenon::canceled(), "another error");
  });
}

// ---- once

TEST_P(ExplorePrimitives, OnceRunsOneFunctionAndAllSeeWhatItDid) {
  holds("once.call", [](group& g) {
    tenon::once once;
    int runs = 0;
    for (int i = 0; i < 3; ++i) {
      g.go([&] {
        touch(&once);
        once.call([&] {
          touch(&runs);
          ++runs;
        });
        require(runs == 1, "returned without its effect");
      });
    }
    wait_for_all(g);
    require(runs == 1, "more than once");
  });
}

TEST_P(ExplorePrimitives, OnceIsDoneAlsoIfTheFunctionThrows) {
  holds("once.throws", [](group& g) {
    tenon::once once;
    int runs = 0;
    std::array<bool, 3> caught{};
    for (bool& mine : caught) {
      g.go([&] {
        touch(&once);
        try {
          once.call([&] {
            ++runs;
            touch(&runs);
            throw std::logic_error("as wanted");
          });
        } catch (const std::logic_error&) {
          mine = true;
        }
        require(once.done(), "returned before it was done");
      });
    }
    wait_for_all(g);
    require(runs == 1, "more than once");
    require(std::count(caught.begin(), caught.end(), true) == 1, "the exception left another number of calls");
  });
}

TEST_P(ExplorePrimitives, ACallOfOnceThatGivesUpHasNotRun) {
  holds("once.call_or_cancel", [](group& g) {
    tenon::once once;
    const auto scope = tenon::with_cancel(g.ctx());
    int runs = 0;
    const auto f = [&] {
      touch(&runs);
      ++runs;
    };
    g.go([&] { once.call(f); });
    g.go([&] {
      touch(&once);
      if (once.call(scope.ctx(), f)) {
        require(runs == 1, "returned without its effect");
      } else {
        require(scope.ctx().is_canceled(), "gave up without a reason");
      }
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    require(runs == 1, "not once");
  });
}

// ---- goroutine

TEST_P(ExplorePrimitives, AJoinReturnsWhatTheGoroutineLeaves) {
  holds("goroutine.join", [](group&) {
    std::array<int, 2> steps{};
    auto a = tenon::go([&] {
      touch(&steps[0]);
      return ++steps[0];
    });
    auto b = tenon::go([&] {
      touch(&steps[1]);
      ++steps[1];
      throw std::logic_error("as wanted");
    });
    const int result = a.join();
    const int left = steps[0];
    bool thrown = false;
    try {
      b.join();
    } catch (const std::logic_error&) {
      thrown = true;
    }
    require(result == 1 && left == 1, "not its result");
    require(thrown && steps[1] == 1, "not its exception");
    require(!a.joinable() && !b.joinable(), "a handle that still owns");
  });
}

TEST_P(ExplorePrimitives, AHandleThatIsDroppedCancelsAndWaits) {
  holds("goroutine.drop", [](group&) {
    std::array<bool, 2> ended{};
    {
      const auto at_work = tenon::go([&] {
        touch(&ended[0]);
        ended[0] = true;
      });
      const auto waits = tenon::go([&](const context& ctx) {
        (void)ctx.done().recv();
        touch(&ended[1]);
        ended[1] = true;
      });
    }
    require(ended[0] && ended[1], "it goes on without an owner");
  });
}

TEST_P(ExplorePrimitives, AWaitForAGoroutineEndsWithItOrWithACancel) {
  holds("goroutine.wait_or_cancel", [](group& g) {
    bool ended = false;
    const auto scope = tenon::with_cancel(g.ctx());
    auto it = tenon::go([&] { ended = true; });
    g.go([&] {
      if (it.wait(scope.ctx())) {
        require(ended, "not at its end");
      } else {
        require(scope.ctx().is_canceled(), "gave up without a reason");
      }
    });
    g.go([&] {
      it.wait();
      require(ended, "not at its end");
    });
    g.go([&] { scope.cancel(); });
    wait_for_all(g);
    it.join();
    require(ended, "not at its end");
  });
}

}  // namespace
