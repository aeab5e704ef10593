#include "platform/biased_lock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

/// Two words that are equal whenever nobody is inside. Atomic for ThreadSanitizer's sake alone, to which the lock's slow side, the
/// scheduler's, is not known.
struct guarded_pair {
  tenon::biased_lock lock;
  std::atomic<std::uint64_t> a = 0;
  std::atomic<std::uint64_t> b = 0;
  bool change() {
    const auto one_more = [](std::atomic<std::uint64_t>& x) {
      x.store(x.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    };
    const bool whole = a.load(std::memory_order_relaxed) == b.load(std::memory_order_relaxed);
    one_more(a);
    one_more(b);
    return whole;
  }
};

void storm(int thieves) {
  tenon::barrier::init();
  constexpr std::uint64_t owner_turns = 300'000;
  guarded_pair pair;
  std::atomic<bool> stop = false;
  std::atomic<bool> torn = false;
  std::atomic<std::uint64_t> stolen = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < thieves; ++i) {
    others.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        if (!pair.lock.try_lock_other()) continue;
        if (!pair.change()) torn = true;
        pair.lock.unlock_other();
        stolen.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  std::uint64_t turns = 0;
  // Until there was something to see: on one CPU the others come only when the kernel lets them.
  while (turns < owner_turns || stolen.load(std::memory_order_relaxed) < 100) {
    pair.lock.rebias();  // so that the bias goes to and fro
    const tenon::owner_guard hold(pair.lock);
    if (!pair.change()) torn = true;
    ++turns;
  }
  stop = true;
  for (auto& t : others) t.join();
  EXPECT_FALSE(torn);
  EXPECT_EQ(pair.a, turns + stolen);
  EXPECT_EQ(pair.b, turns + stolen);
}

}  // namespace

TEST(BiasedLock, OwnerAndOneOtherExcludeEachOther) { storm(1); }
TEST(BiasedLock, OwnerAndSeveralOthersExcludeEachOther) { storm(3); }

TEST(BiasedLock, OthersGiveUpWhileTheOwnerIsInside) {
  tenon::barrier::init();
  tenon::biased_lock lock;
  lock.lock();
  bool got = true;
  std::thread([&] { got = lock.try_lock_other(); }).join();
  EXPECT_FALSE(got);
  lock.unlock();
  std::thread([&] {
    got = lock.try_lock_other();
    if (got) lock.unlock_other();
  }).join();
  EXPECT_TRUE(got);
}

TEST(BiasedLock, OnlyOneOtherIsIn) {
  tenon::barrier::init();
  tenon::biased_lock lock;
  ASSERT_TRUE(lock.try_lock_other());
  bool second = true;
  std::thread([&] { second = lock.try_lock_other(); }).join();
  EXPECT_FALSE(second);
  lock.unlock_other();
}
