// Select as threads of the system use it, inside: as primitives_test.cpp has the others.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <tenon/tenon.hpp>

#include "core/chan.hpp"
#include "model/engine/model.hpp"
#include "model/programs.hpp"

namespace model = tenon::model;

class Select : public testing::TestWithParam<model::memory_model> {
 protected:
  void holds(const std::function<void()>& body) { model::expect_holds(GetParam(), body); }
};

INSTANTIATE_TEST_SUITE_P(Model, Select, testing::Values(model::memory_model::tso, model::memory_model::c11),
                         model::name_of_memory);

TEST_P(Select, TwoSelectsMeetOnce) {
  holds([] {
    auto a = tenon::make_chan<int>();
    auto b = tenon::make_chan<int>();
    int there = 0;
    model::thread other([&] {
      auto sends = tenon::send(a, 1);
      auto gets = tenon::recv(b);
      there = tenon::select(sends, gets) == 0 ? 1 : 2;
    });
    auto gets = tenon::recv(a);
    auto sends = tenon::send(b, 2);
    const int here = tenon::select(gets, sends) == 0 ? 1 : 2;
    other.join();
    MODEL_REQUIRE(here == there);
  });
}

TEST_P(Select, ASelectTakesOneOfTwoValues) {
  holds([] {
    auto a = tenon::make_chan<int>(1);
    auto b = tenon::make_chan<int>(1);
    model::thread to_a([&] { a.send(1); });
    model::thread to_b([&] { b.send(2); });
    auto from_a = tenon::recv(a);
    auto from_b = tenon::recv(b);
    (void)tenon::select(from_a, from_b);
    to_a.join();
    to_b.join();
    MODEL_REQUIRE(a.len() + b.len() == 1);
  });
}

TEST_P(Select, OtherwiseIsForAMomentAtWhichNoneCouldProceed) {
  // At every moment there is a value in one of them. Looking at b, then at a, may find none in either: b's is not there yet, a's no more.
  for (const bool b_first : {false, true}) {
    holds([b_first] {
      auto a = tenon::make_chan<int>(1);
      auto b = tenon::make_chan<int>(1);
      a.send(1);
      model::thread moves([&] {
        b.send(2);
        (void)a.try_recv();
      });
      auto one = tenon::recv(b_first ? b : a);
      auto other = tenon::recv(b_first ? a : b);
      MODEL_REQUIRE(tenon::select(one, other, tenon::otherwise) != 2);
      moves.join();
    });
  }
}

TEST_P(Select, OtherwiseIsForAMomentAtWhichNoneHadRoom) {
  for (const bool b_first : {false, true}) {
    holds([b_first] {
      auto a = tenon::make_chan<int>(1);
      auto b = tenon::make_chan<int>(1);
      b.send(1);
      model::thread moves([&] {
        (void)b.try_recv();
        a.send(2);
      });
      auto one = tenon::send(b_first ? b : a, 3);
      auto other = tenon::send(b_first ? a : b, 3);
      MODEL_REQUIRE(tenon::select(one, other, tenon::otherwise) != 2);
      (void)a.try_recv();  // there is room for the mover in any case
      moves.join();
    });
  }
}

namespace {

/// Until one waits in c, or it is over; what it did before that has happened before.
void await_sender(const tenon::chan<int>& c, const tenon::detail::atomic<bool>& over) {
  tenon::detail::chan_core& core = *tenon::detail::chan_access::core(c);
  while (tenon::detail::empty(core.senders) && !over.load(std::memory_order_acquire)) model::pause();
  const std::lock_guard hold(core.lock);
}

}  // namespace

TEST_P(Select, OtherwiseIsForAMomentAtWhichNobodyWaited) {
  // The first waits until the second does: then it is served, or gives up.
  for (const bool gives_up : {false, true}) {
    holds([gives_up] {
      auto a = tenon::make_chan<int>();
      auto b = tenon::make_chan<int>();
      const auto scope = tenon::with_cancel(tenon::background());
      tenon::detail::atomic<bool> over{false};
      model::thread first([&] { (void)a.send(scope.ctx(), 1); });
      await_sender(a, over);
      model::thread second([&] { b.send(2); });
      model::thread ends([&] {
        await_sender(b, over);
        gives_up ? scope.cancel() : static_cast<void>(a.try_recv());
      });
      auto from_b = tenon::recv(b);
      auto from_a = tenon::recv(a);
      const std::size_t chosen = tenon::select(from_b, from_a, tenon::otherwise);
      MODEL_REQUIRE(chosen != 2);
      over.store(true, std::memory_order_release);
      if (chosen == 1) (void)b.recv();
      ends.join();
      scope.cancel();
      first.join();
      second.join();
    });
  }
}
