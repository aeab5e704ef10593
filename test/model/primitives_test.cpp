// The primitives as threads of the system use them, inside (select_test.cpp has select): every order of the operations on their atomics within two
// preemptions, with what the language lets them read (c11) and with x86's store buffers (tso).

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <tenon/tenon.hpp>

#include "core/relock_check.hpp"
#include "model/engine/model.hpp"
#include "model/programs.hpp"

namespace model = tenon::model;

class Primitives : public testing::TestWithParam<model::memory_model> {
 protected:
  void holds(const std::function<void()>& body) { model::expect_holds(GetParam(), body); }
};

INSTANTIATE_TEST_SUITE_P(Model, Primitives, testing::Values(model::memory_model::tso, model::memory_model::c11),
                         model::name_of_memory);

// ---- mutex

TEST_P(Primitives, AMutexExcludesAndOrders) {
  holds([] {
    tenon::mutex mu;
    int n = 0;
    const auto add = [&] {
      const std::lock_guard hold(mu);
      n = n + 1;
    };
    model::thread a(add);
    add();
    a.join();
    MODEL_REQUIRE(n == 2);
  });
}

TEST_P(Primitives, AMutexWakesEachOfThree) {
  holds([] {
    tenon::mutex mu;
    int n = 0;
    const auto add = [&] {
      const std::lock_guard hold(mu);
      n = n + 1;
    };
    model::thread a(add);
    model::thread b(add);
    add();
    a.join();
    b.join();
    MODEL_REQUIRE(n == 3);
  });
}

TEST_P(Primitives, AMutexMayGoWithItsLastUnlock) {
  holds([] {
    auto mu = std::make_unique<tenon::mutex>();
    bool last = false;  // under *mu
    const auto leave = [&] {
      mu->lock();
      const bool destroys = last;
      last = true;
      mu->unlock();
      if (destroys) mu.reset();
    };
    model::thread a(leave);
    leave();
    a.join();
    MODEL_REQUIRE(mu == nullptr);
  });
}

TEST_P(Primitives, TryLockTakesAFreeMutexOnly) {
  holds([] {
    tenon::mutex mu;
    int n = 0;
    const auto try_to = [&] {
      if (!mu.try_lock()) return;
      n = n + 1;
      mu.unlock();
    };
    model::thread a(try_to);
    mu.lock();
    n = n + 1;
    mu.unlock();
    a.join();
  });
}

TEST_P(Primitives, AMutexIsNotLostByAnEndedContext) {
  holds([] {
    tenon::mutex mu;
    int n = 0;
    const auto scope = tenon::with_cancel(tenon::background());
    mu.lock();
    model::thread waits([&] {
      if (!mu.lock(scope.ctx())) return;
      n = n + 1;
      mu.unlock();
    });
    model::thread cancels([&] { scope.cancel(); });
    n = n + 1;
    mu.unlock();
    waits.join();
    cancels.join();
    MODEL_REQUIRE(mu.try_lock());
    mu.unlock();
  });
}

TEST_P(Primitives, AMutexGoesToTheNextWhoeverGivesUp) {
  holds([] {
    tenon::mutex mu;
    const auto scope = tenon::with_cancel(tenon::background());
    mu.lock();
    model::thread gives_up([&] {
      if (mu.lock(scope.ctx())) mu.unlock();
    });
    model::thread waits([&] {
      mu.lock();
      mu.unlock();
    });
    mu.unlock();
    scope.cancel();
    gives_up.join();
    waits.join();
  });
}

TEST_P(Primitives, ASharedMutexExcludesItsWriter) {
  holds([] {
    tenon::shared_mutex mu;
    int n = 0;
    model::thread reads([&] {
      const std::shared_lock hold(mu);
      model::look_at(n);
    });
    {
      const std::lock_guard hold(mu);
      n = n + 1;
    }
    reads.join();
  });
}

TEST_P(Primitives, ASharedMutexExcludesItsWriterAlsoIfThatHadGivenUp) {
  holds([] {
    tenon::shared_mutex mu;
    int n = 0;
    const auto scope = tenon::with_cancel(tenon::background());
    mu.lock_shared();
    model::thread writes([&] {
      if (!mu.lock(scope.ctx())) mu.lock();
      n = n + 1;
      mu.unlock();
    });
    model::thread reads([&] {
      if (!mu.try_lock_shared()) return;
      model::look_at(n);
      mu.unlock_shared();
    });
    scope.cancel();
    model::look_at(n);
    mu.unlock_shared();
    writes.join();
    reads.join();
  });
}

TEST_P(Primitives, ASharedMutexWakesItsReadersAndItsWriter) {
  holds([] {
    tenon::shared_mutex mu;
    int n = 0;
    const auto read = [&] {
      const std::shared_lock hold(mu);
      model::look_at(n);
    };
    model::thread a(read);
    model::thread w([&] {
      const std::lock_guard hold(mu);
      n = n + 1;
    });
    read();
    a.join();
    w.join();
  });
}

// ---- channels

TEST_P(Primitives, AChannelHandsOverValuesAndWhatWasDoneBefore) {
  for (const std::int64_t capacity : {0, 1}) {
    holds([capacity] {
      int data = 0;
      auto c = tenon::make_chan<int>(capacity, "a test's");
      model::thread sends([&] {
        data = 1;
        c.send(7);
      });
      MODEL_REQUIRE(c.recv() == 7);
      MODEL_REQUIRE(data == 1);
      sends.join();
    });
  }
}

TEST_P(Primitives, TwoSendersAndTwoReceiversMeet) {
  for (const std::int64_t capacity : {0, 1}) {
    holds([capacity] {
      auto c = tenon::make_chan<int>(capacity, "a test's");
      int got[2] = {};
      model::thread a([&] { c.send(1); });
      model::thread b([&] { c.send(2); });
      model::thread r([&] { got[0] = *c.recv(); });
      got[1] = *c.recv();
      a.join();
      b.join();
      r.join();
      MODEL_REQUIRE(got[0] + got[1] == 3 && got[0] != 0 && got[1] != 0);
    });
  }
}

TEST_P(Primitives, ACloseIsSeenByWhoeverWaitsOrComes) {
  holds([] {
    int data = 0;
    auto c = tenon::make_chan<int>();
    model::thread closes([&] {
      data = 1;
      c.close();
    });
    model::thread other([&] {
      MODEL_REQUIRE(!c.recv().has_value());
      MODEL_REQUIRE(data == 1);
    });
    MODEL_REQUIRE(!c.recv().has_value());
    MODEL_REQUIRE(data == 1);
    closes.join();
    other.join();
  });
}

TEST_P(Primitives, ASendPanicsOrIsReceivedWhenItMeetsAClose) {
  for (const std::int64_t capacity : {0, 1}) {
    holds([capacity] {
      auto c = tenon::make_chan<int>(capacity, "a test's");
      bool panicked = false;
      model::thread sends([&] {
        try {
          c.send(5);
        } catch (const tenon::panic&) {
          panicked = true;
        }
      });
      c.close();
      sends.join();
      const auto got = c.recv();
      MODEL_REQUIRE(panicked == !got.has_value());
    });
  }
}

TEST_P(Primitives, AReceiveThatIsCanceledTakesNothing) {
  for (const std::int64_t capacity : {0, 1}) {
    holds([capacity] {
      const auto scope = tenon::with_cancel(tenon::background());
      auto c = tenon::make_chan<int>(capacity, "a test's");
      bool got = false;
      bool sent = false;
      model::thread receives([&] { got = c.recv(scope.ctx()).has_value(); });
      model::thread cancels([&] { scope.cancel(); });
      sent = c.try_send(1);
      receives.join();
      cancels.join();
      MODEL_REQUIRE(sent || !got);
      if (sent && !got) MODEL_REQUIRE(c.try_recv().has_value());
    });
  }
}

TEST_P(Primitives, ASendThatIsCanceledHasSentNothing) {
  holds([] {
    const auto scope = tenon::with_cancel(tenon::background());
    auto c = tenon::make_chan<int>();
    bool sent = false;
    model::thread sends([&] { sent = c.send(scope.ctx(), 1); });
    model::thread cancels([&] { scope.cancel(); });
    const bool got = c.try_recv().has_value();
    sends.join();
    cancels.join();
    MODEL_REQUIRE(sent == got);
  });
}

TEST_P(Primitives, TheLastHandleDestroysTheChannelAndItsValues) {
  holds([] {
    auto value = std::make_shared<int>(3);
    std::weak_ptr<int> watch = value;
    {
      auto c = tenon::make_chan<std::shared_ptr<int>>(1);
      model::thread sends([c, value = std::move(value)]() mutable { c.send(std::move(value)); });
      (void)c.try_recv();
      sends.join();
    }
    MODEL_REQUIRE(watch.expired());
  });
}

// ---- wait groups, once, semaphores, conditions

TEST_P(Primitives, AWaitGroupOrdersWhatWasDoneAndMayGo) {
  holds([] {
    int a = 0;
    int b = 0;
    auto wg = std::make_unique<tenon::wait_group>();
    wg->add(2);
    model::thread one([&, its = wg.get()] {
      a = 1;
      its->done();
    });
    model::thread two([&, its = wg.get()] {
      b = 1;
      its->done();
    });
    wg->wait();
    MODEL_REQUIRE(a == 1 && b == 1);
    wg.reset();
    one.join();
    two.join();
  });
}

TEST_P(Primitives, TwoWaitForAWaitGroup) {
  holds([] {
    int a = 0;
    tenon::wait_group wg;
    wg.add();
    model::thread waits([&] {
      wg.wait();
      model::look_at(a);
    });
    model::thread does([&] {
      a = 1;
      wg.done();
    });
    wg.wait();
    model::look_at(a);
    waits.join();
    does.join();
  });
}

TEST_P(Primitives, AWaitThatIsGivenUpLosesNoOther) {
  holds([] {
    tenon::wait_group wg;
    wg.add();
    const auto scope = tenon::with_cancel(tenon::background());
    model::thread gives_up([&] { (void)wg.wait(scope.ctx()); });
    model::thread does([&] {
      scope.cancel();
      wg.done();
    });
    wg.wait();
    gives_up.join();
    does.join();
  });
}

TEST_P(Primitives, OnceRunsOnceAndAllSeeIt) {
  holds([] {
    int n = 0;
    auto once = std::make_unique<tenon::once>();
    const auto call = [&] {
      once->call([&] { n = n + 1; });
      MODEL_REQUIRE(n == 1);
    };
    model::thread other(call);
    call();
    other.join();
  });
}

TEST_P(Primitives, ASemaphoreAdmitsNoMoreThanItHas) {
  holds([] {
    tenon::semaphore s(1);
    int n = 0;
    const auto use = [&] {
      s.acquire();
      n = n + 1;
      s.release();
    };
    model::thread a(use);
    model::thread b(use);
    use();
    a.join();
    b.join();
    MODEL_REQUIRE(n == 3);
  });
}

TEST_P(Primitives, ASemaphoreGivesBackWhatACanceledOneWouldHaveGot) {
  holds([] {
    tenon::semaphore s(1);
    const auto scope = tenon::with_cancel(tenon::background());
    s.acquire();
    model::thread waits([&] {
      if (s.acquire(scope.ctx())) s.release();
    });
    model::thread cancels([&] { scope.cancel(); });
    s.release();
    waits.join();
    cancels.join();
    MODEL_REQUIRE(s.try_acquire());
  });
}

TEST_P(Primitives, AConditionLosesNoSignal) {
  holds([] {
    tenon::mutex mu;
    tenon::cond changed;
    bool ready = false;
    model::thread waits([&] {
      std::unique_lock hold(mu);
      while (!ready) changed.wait(hold);
      hold.unlock();
    });
    {
      const std::lock_guard hold(mu);
      ready = true;
    }
    changed.signal();
    waits.join();
  });
}

// ---- contexts

TEST_P(Primitives, CancellationReachesAChildThatIsBeingMade) {
  holds([] {
    const auto parent = tenon::with_cancel(tenon::background());
    model::thread makes([ctx = parent.ctx()] {
      const auto child = tenon::with_cancel(ctx);
      (void)child.ctx().done().recv();
      MODEL_REQUIRE(child.ctx().err() == tenon::canceled());
    });
    parent.cancel();
    makes.join();
  });
}

TEST_P(Primitives, TwoCancelersReturnWhenAllKnow) {
  holds([] {
    const auto parent = tenon::with_cancel(tenon::background());
    const auto child = tenon::with_cancel(parent.ctx());
    const auto ends = [&] {
      parent.cancel();
      MODEL_REQUIRE(static_cast<bool>(child.ctx().err()));
    };
    model::thread other(ends);
    ends();
    other.join();
  });
}

TEST_P(Primitives, OfThreeCancelersEachReturnsWhenAllBelowKnow) {
  holds([] {
    const auto top = tenon::with_cancel(tenon::background());
    const auto middle = tenon::with_cancel(top.ctx());
    const auto bottom = tenon::with_cancel(middle.ctx());
    const auto cancel = [&bottom](const tenon::cancel_scope& of) {
      of.cancel();
      MODEL_REQUIRE(bottom.ctx().is_canceled());
    };
    model::thread above([&] { cancel(top); });
    model::thread between([&] { cancel(middle); });
    cancel(top);
    above.join();
    between.join();
  });
}

TEST_P(Primitives, AChildMayGoWhileItsParentIsCanceled) {
  holds([] {
    const auto parent = tenon::with_cancel(tenon::background());
    model::thread cancels([&] { parent.cancel(); });
    {
      const auto child = tenon::with_cancel(parent.ctx());
      (void)child.ctx().err();
    }
    cancels.join();
  });
}
