// A select with a default looks at its channels without their locks: at no moment may it say "none" when one of them always had something.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <tenon/tenon.hpp>

#include "support/scale.hpp"

namespace {

// First c1 has a value, then both have, then c2. Looked at one after the other, c2 first, both may seem empty.
TEST(SelectPeek, NeverMissesBoth) {
  const auto rounds = static_cast<long>(tenon_test::scaled(100'000));
  const auto never = tenon::make_chan<int>();
  tenon::chan<int> c1;
  tenon::chan<int> c2;
  std::atomic<long> begun = 0;
  std::atomic<long> ended = 0;
  long missed = 0;
  const auto meet = [](const std::atomic<long>& word, long value) {
    for (int i = 0; word.load() != value; ++i) {
      if (i > 2000)
        std::this_thread::yield();  // at first without giving the processor away, so that both go on at the same moment
    }
  };
  std::thread selects([&] {
    for (long i = 1; i <= rounds; ++i) {
      meet(begun, i);
      auto late = tenon::recv(c2);
      auto early = tenon::recv(c1);
      auto idle_1 = tenon::recv(never);
      auto idle_2 = tenon::recv(never);
      auto idle_3 = tenon::recv(never);
      auto idle_4 = tenon::recv(never);
      if (tenon::select(late, idle_1, idle_2, idle_3, idle_4, early, tenon::otherwise) == 6) ++missed;
      ended = i;
    }
  });
  for (long i = 1; i <= rounds; ++i) {
    c1 = tenon::make_chan<int>(1);
    c2 = tenon::make_chan<int>(1);
    c1.send(1);
    begun = i;
    for (long pause = i % 256; pause > 0; --pause) (void)ended.load();  // another moment each time
    c2.send(1);
    (void)c1.try_recv();
    meet(ended, i);
  }
  selects.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
