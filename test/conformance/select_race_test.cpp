// Selects against each other and against plain operations: exactly one case runs, on one view of the channels.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <span>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

class SelectRace : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  static void in_run(F&& f) {
    tenon::run([&](const tenon::context&) { f(); }, {.workers = GetParam()});
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, SelectRace, testing::Values(1U, 2U, 4U), testing::PrintToStringParamName());

// Go: test/chan/doubleselect.go: were two cases of one select to run, a number would come out twice
TEST_P(SelectRace, TwoCasesNeverBothFire) {
  const std::size_t numbers = tenon_test::scaled(50000, 1000);
  in_run([&] {
    std::array<tenon::chan<std::size_t>, 4> lanes;
    for (auto& lane : lanes) lane = tenon::make_chan<std::size_t>();
    const auto merged = tenon::make_chan<std::size_t>();
    auto sends = tenon::go([&] {
      for (std::size_t i = 0; i < numbers; ++i) {
        tenon::select(tenon::send(lanes[0], i), tenon::send(lanes[1], i), tenon::send(lanes[2], i),
                      tenon::send(lanes[3], i));
      }
      for (const auto& lane : lanes) lane.close();
    });
    std::vector<tenon::goroutine<>> forwards;
    {
      const tenon::sender out(merged);
      for (const auto& lane : lanes) {
        forwards.push_back(tenon::go([lane, out = out.clone()] {
          for (const std::size_t v : lane) out.send(v);
        }));
      }
    }
    std::vector<char> seen(numbers, 0);
    std::size_t count = 0;
    for (const std::size_t v : merged) {
      ASSERT_EQ(seen[v]++, 0) << v << " came twice";
      ++count;
    }
    EXPECT_EQ(count, numbers);
    sends.join();
    for (auto& g : forwards) g.join();
  });
}

// Go: test/chan/doubleselect.go from the receiving side
TEST_P(SelectRace, TwoReceiveCasesNeverBothFire) {
  const std::size_t numbers = tenon_test::scaled(20000, 1000);
  in_run([&] {
    std::array<tenon::chan<std::size_t>, 3> lanes;
    for (auto& lane : lanes) lane = tenon::make_chan<std::size_t>();
    std::vector<tenon::goroutine<>> senders;
    for (const auto& lane : lanes) {
      senders.push_back(tenon::go([lane, numbers] {
        for (std::size_t i = 0; i < numbers; ++i) lane.send(i);
      }));
    }
    std::array<std::size_t, 3> next{};
    for (std::size_t i = 0; i < 3 * numbers; ++i) {
      std::array<std::optional<std::size_t>, 3> v;
      const std::size_t fired = tenon::select(tenon_test::into(lanes[0], v[0]), tenon_test::into(lanes[1], v[1]),
                                              tenon_test::into(lanes[2], v[2]));
      for (std::size_t lane = 0; lane < 3; ++lane) ASSERT_EQ(v[lane].has_value(), lane == fired);
      ASSERT_EQ(v[fired], next[fired]++);
    }
    for (auto& g : senders) g.join();
  });
}

// Waits for `word` to become `value`, without giving the worker away at first: two who wait for each other like this go on at
// the same moment.
void meet(const std::atomic<std::size_t>& word, std::size_t value) {
  for (int i = 0; word.load() != value; ++i) {
    if (i > 2000) tenon::yield();
  }
}

// From before the select starts, one of two channels always has something: first c1, then both, then c2. A select that looks
// at one after the other may miss both. Further cases that are never ready give it the time to do so.
// Two meet anew for each round, which may cost each of them a time slice where other programs run: few rounds, for that there
// are stress.SelectPeek's.
template <class MakeReady>
void never_misses_both(int second_capacity, std::size_t idle_cases, MakeReady make_ready) {
  constexpr std::size_t rounds = 1000;
  const auto never = tenon::make_chan<int>();
  tenon::chan<int> c1;
  tenon::chan<int> c2;
  std::atomic<std::size_t> begun = 0;
  std::atomic<std::size_t> ended = 0;
  auto g = tenon::go([&] {
    tenon_test::case_list cases;
    for (std::size_t i = 1; i <= rounds; ++i) {
      meet(begun, i);
      cases.clear();
      for (std::size_t k = 0; k < idle_cases; ++k) cases.add(tenon::recv(never));
      // In both orders: whichever is looked at first.
      cases.add(tenon::recv(i % 2 == 0 ? c1 : c2));
      cases.add(tenon::recv(i % 2 == 0 ? c2 : c1));
      EXPECT_NE(tenon::select(cases.span(), tenon::otherwise), cases.size()) << "round " << i;
      ended = i;
    }
  });
  for (std::size_t i = 1; i <= rounds; ++i) {
    c1 = tenon::make_chan<int>(1);
    c2 = tenon::make_chan<int>(second_capacity, "as much as is sent before anybody receives");
    c1.send(1);
    begun = i;
    for (std::size_t pause = i % 128; pause > 0; --pause) (void)ended.load();  // another moment each time
    make_ready(c2);
    (void)c1.try_recv();
    meet(ended, i);
  }
  g.join();
}

// Go: runtime/chan_test.go TestNonblockSelectRace
TEST_P(SelectRace, ActsOnOneMomentWhileAValueMoves) {
  in_run([] {
    const auto send = [](const tenon::chan<int>& c2) { c2.send(1); };
    never_misses_both(1, 0, send);
    never_misses_both(1, 30, send);
  });
}

// Go: runtime/chan_test.go TestNonblockSelectRace2
TEST_P(SelectRace, ActsOnOneMomentWhileAChannelCloses) {
  in_run([] {
    const auto close = [](const tenon::chan<int>& c2) { c2.close(); };
    never_misses_both(0, 0, close);
    never_misses_both(0, 100, close);
  });
}

// While its flag says `armed`, a move says that it has begun, and waits until it may end.
enum class move_state { free, armed, begun };
struct held_up {
  std::atomic<move_state>* state;
  explicit held_up(std::atomic<move_state>& s) noexcept : state(&s) {}
  held_up(held_up&& other) noexcept : state(other.state) {
    move_state expected = move_state::armed;
    if (!state->compare_exchange_strong(expected, move_state::begun)) return;
    while (state->load() != move_state::free) std::this_thread::yield();
  }
  held_up& operator=(held_up&&) = delete;
  ~held_up() = default;
};

// The same, with the unlucky moment made: c1 is being emptied while the select looks at it, and c2 is filled before that ends. One
// that has seen c2 empty before and finds c1 empty now has not seen both empty at once.
TEST(SelectRaceOfThreads, ActsOnOneMomentWhileAChannelIsBusy) {
  for (int round = 0; round < 16; ++round) {
    std::atomic<move_state> state = move_state::free;
    const auto c1 = tenon::make_chan<held_up>(1);
    const auto c2 = tenon::make_chan<int>(1);
    c1.send(held_up(state));
    state = move_state::armed;
    std::thread empties([&] { EXPECT_TRUE(c1.try_recv().has_value()); });
    std::atomic<bool> selects = false;
    std::thread looks([&] {
      while (state.load() != move_state::begun) std::this_thread::yield();
      selects = true;
      EXPECT_NE(tenon::select(tenon::recv(c1), tenon::recv(c2), tenon::otherwise), 2U) << "round " << round;
    });
    while (!selects.load()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that the select gets to c1: later, c2 fires anyway
    c2.send(1);
    state = move_state::free;
    empties.join();
    looks.join();
  }
}

// Go: runtime/chan_test.go TestSelfSelect: sending and receiving on one channel in one select
TEST_P(SelectRace, DoesNotMeetItself) {
  const int rounds = static_cast<int>(tenon_test::scaled(1000, 100));
  in_run([&] {
    for (const int capacity : {0, 10}) {
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      tenon::wait_group wg;
      for (int p = 0; p < 2; ++p) {
        wg.go([=] {
          for (int i = 0; i < rounds; ++i) {
            int v = -1;
            const bool send_first = p == 0 || i % 2 == 0;
            if (send_first) {
              tenon::select(tenon::send(c, p), tenon_test::into(c, v));
            } else {
              tenon::select(tenon_test::into(c, v), tenon::send(c, p));
            }
            if (capacity == 0) {
              EXPECT_NE(v, p) << "received from itself";
            }
          }
        });
      }
      wg.wait();
    }
  });
}

// Go: runtime/chan_test.go TestSelectStress. Every channel has one plain sender, one plain receiver, and a share in one select
// that sends and one that receives: as many sends as receives, so it must come to an end.
TEST_P(SelectRace, SelectsAndPlainOperationsInterleave) {
  const int count = static_cast<int>(tenon_test::scaled(10000, 300));
  in_run([&] {
    const std::array<tenon::chan<int>, 4> channels{tenon::make_chan<int>(), tenon::make_chan<int>(),
                                                   tenon::make_chan<int>(2, "a test"),
                                                   tenon::make_chan<int>(3, "a test")};
    tenon::wait_group wg;
    for (const auto& c : channels) {
      wg.go([c, count] {
        for (int i = 0; i < count; ++i) c.send(1);
      });
      wg.go([c, count] {
        for (int i = 0; i < count; ++i) EXPECT_EQ(c.recv(), 1);
      });
    }
    const auto in_one_select = [&](bool sending) {
      auto mine = channels;
      std::array<int, 4> done{};
      for (int i = 0; i < 4 * count; ++i) {
        int v = 1;
        const std::size_t fired = sending ? tenon::select(tenon::send(mine[3], 1), tenon::send(mine[2], 1),
                                                          tenon::send(mine[0], 1), tenon::send(mine[1], 1))
                                          : tenon::select(tenon_test::into(mine[0], v), tenon_test::into(mine[1], v),
                                                          tenon_test::into(mine[2], v), tenon_test::into(mine[3], v));
        EXPECT_EQ(v, 1);
        constexpr std::array<std::size_t, 4> order_of_sends{3, 2, 0, 1};
        const std::size_t which = sending ? order_of_sends[fired] : fired;
        if (++done[which] == count) mine[which] = nullptr;
      }
    };
    wg.go([&] { in_one_select(true); });
    wg.go([&] { in_one_select(false); });
    wg.wait();
    for (const auto& c : channels) EXPECT_EQ(c.len(), 0U);
  });
}

// Go: runtime/chan_test.go TestSelectDuplicateChannel: one goroutine stands in one queue several times
TEST_P(SelectRace, OneChannelInSeveralCases) {
  in_run([] {
    for (const bool sending : {false, true}) {
      const auto c = tenon::make_chan<int>();
      const auto d = tenon::make_chan<int>();
      const auto e = tenon::make_chan<int>();
      auto a = tenon::go([=] {
        if (sending) {
          EXPECT_EQ(tenon::select(tenon::send(c, 1), tenon::send(c, 2), tenon::recv(d)), 2U);
        } else {
          EXPECT_EQ(tenon::select(tenon::recv(c), tenon::recv(c), tenon::recv(d)), 2U);
        }
        e.send(9);
      });
      tenon_test::settle();
      auto b = tenon::go([=] {
        if (sending) {
          c.send(8);
        } else {
          EXPECT_EQ(c.recv(), 8);
        }
      });
      tenon_test::settle();
      d.send(7);
      EXPECT_EQ(e.recv(), 9);
      if (sending) {
        EXPECT_EQ(c.recv(), 8);
      } else {
        c.send(8);
      }
      a.join();
      b.join();
      EXPECT_FALSE(c.try_recv());
      EXPECT_FALSE(c.try_send(0));
    }
  });
}

// Go: runtime/chan_test.go TestSelectDuplicateChannel, and each of the duplicates does fire
TEST_P(SelectRace, EachOfSeveralCasesOnOneChannelFires) {
  in_run([] {
    const auto c = tenon::make_chan<int>(1);
    std::array<int, 2> fired{};
    for (int i = 0; i < 200; ++i) {
      c.send(i);
      ++fired[tenon::select(tenon::recv(c), tenon::recv(c))];
    }
    EXPECT_GT(fired[0], 20);
    EXPECT_GT(fired[1], 20);
  });
}

// Go: runtime/chan_test.go TestSelectStackAdjust: the targets of cases that did not fire stay as they were
TEST_P(SelectRace, TheOtherTargetsStayAsTheyWere) {
  in_run([] {
    const auto c = tenon::make_chan<int*>();
    const auto d = tenon::make_chan<int*>();
    std::vector<tenon::goroutine<>> waiting;
    for (const bool duplicate : {false, true}) {
      waiting.push_back(tenon::go([=] {
        int value = 42;
        int* from_c = &value;
        std::optional<int*> from_d = &value;
        tenon::select(tenon_test::into(c, from_c), tenon::recv(duplicate ? c : nullptr), tenon_test::into(d, from_d),
                      tenon::recv(duplicate ? d : nullptr));
        EXPECT_EQ(from_c, &value);
        EXPECT_EQ(value, 42);
      }));
    }
    tenon_test::settle();
    d.close();
    for (auto& g : waiting) g.join();
  });
}

}  // namespace
