// Plain OS threads on the same channels as goroutines, and without any runtime.

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/callers.hpp"
#include "support/into.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::callers;

class ChanBetween : public testing::TestWithParam<callers> {};
INSTANTIATE_TEST_SUITE_P(By, ChanBetween, tenon_test::every_caller, tenon_test::caller_name);

// Go: test/chan/fifo.go
TEST_P(ChanBetween, PingPong) {
  tenon_test::as(GetParam(), [] {
    const int rounds = static_cast<int>(tenon_test::scaled(500, 50));
    const auto ping = tenon::make_chan<int>();
    const auto pong = tenon::make_chan<int>();
    auto other = tenon_test::start(GetParam(), [=] {
      for (const int v : ping) pong.send(v + 1);
      pong.close();
    });
    for (int i = 0; i < rounds; ++i) {
      ping.send(i);
      ASSERT_EQ(pong.recv(), i + 1);
    }
    ping.close();
    EXPECT_EQ(pong.recv(), std::nullopt);
    other.join();
  });
}

// Go: runtime/chan_test.go TestChan, several senders and receivers
TEST_P(ChanBetween, ManyToMany) {
  tenon_test::as(GetParam(), [] {
    const int values = static_cast<int>(tenon_test::scaled(500, 50));
    for (const int capacity : {0, 1, 5}) {
      const auto c = tenon::make_chan<int>(capacity, "as much as is sent before anybody receives");
      std::atomic<long> sum = 0;
      std::vector<tenon_test::companion> senders;
      std::vector<tenon_test::companion> receivers;
      for (int i = 0; i < 3; ++i) {
        senders.push_back(tenon_test::start(GetParam(), [=] {
          for (int v = 1; v <= values; ++v) c.send(v);
        }));
        receivers.push_back(tenon_test::start(GetParam(), [c, &sum] {
          for (const int v : c) sum += v;
        }));
      }
      for (auto& s : senders) s.join();
      c.close();
      for (auto& r : receivers) r.join();
      EXPECT_EQ(sum, 3L * values * (values + 1) / 2) << "capacity " << capacity;
    }
  });
}

// Go: test/chan/select7.go; two selects, each a waiting one, meet on an unbuffered channel
TEST_P(ChanBetween, SelectsMeet) {
  tenon_test::as(GetParam(), [] {
    const int rounds = static_cast<int>(tenon_test::scaled(300, 50));
    const auto a = tenon::make_chan<int>();
    const auto b = tenon::make_chan<int>();
    auto other = tenon_test::start(GetParam(), [=] {
      for (int i = 0; i < rounds; ++i) tenon::select(tenon::send(a, i), tenon::send(b, i));
    });
    for (int i = 0; i < rounds; ++i) {
      int v = -1;
      tenon::select(tenon_test::into(b, v), tenon_test::into(a, v));
      ASSERT_EQ(v, i);
    }
    other.join();
  });
}

// Go: goroutines of every kind share channels; here OS threads and goroutines at once
TEST(ChanMixture, ThreadsAndGoroutinesFeedAndDrainOneChannel) {
  const int values = static_cast<int>(tenon_test::scaled(1000, 50));
  constexpr int of_each = 2;
  for (const int capacity : {0, 1, 16}) {
    const auto c = tenon::make_chan<int>(capacity, "a test");
    std::atomic<long> sum = 0;
    const auto feed = [&] {
      for (int v = 1; v <= values; ++v) c.send(v);
    };
    const auto drain = [&] {
      for (int i = 0; i < values; ++i) sum += c.recv().value();
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < of_each; ++i) {
      threads.emplace_back(feed);
      threads.emplace_back(drain);
    }
    tenon::run(
        [&](const tenon::context&) {
          tenon::wait_group wg;
          for (int i = 0; i < of_each; ++i) {
            wg.go(feed);
            wg.go(drain);
          }
          wg.wait();
        },
        {.workers = 2});
    for (auto& t : threads) t.join();
    EXPECT_EQ(sum, 2L * of_each * values * (values + 1) / 2) << "capacity " << capacity;
    EXPECT_EQ(c.len(), 0U);
  }
}

// tenon: no runtime is needed, nor started
TEST(ChanMixture, ThreadsNeedNoRuntime) {
  const auto c = tenon::make_chan<std::string>();
  const auto done = tenon::make_chan<void>();
  std::thread worker([=] {
    std::string all;
    for (const std::string& s : c) all += s;
    EXPECT_EQ(all, "abc");
    done.close();
  });
  for (const char* s : {"a", "b", "c"}) c.send(s);
  c.close();
  EXPECT_EQ(tenon::select(tenon::recv(done), tenon::recv(tenon::chan<int>())), 0U);
  EXPECT_EQ(tenon::worker_count(), 0U);
  worker.join();
}

// tenon: channels may outlive a run, with what is in them
TEST(ChanMixture, AChannelGoesFromOneRunToTheNext) {
  const auto c = tenon::make_chan<int>(4, "the test sends three");
  c.send(1);
  tenon::run([&](const tenon::context&) {
    EXPECT_EQ(c.recv(), 1);
    c.send(2);
    c.send(3);
  });
  EXPECT_EQ(c.recv(), 2);
  tenon::run([&](const tenon::context&) {
    EXPECT_EQ(c.recv(), 3);
    c.close();
  });
  EXPECT_EQ(c.recv(), std::nullopt);
}

// tenon: a run whose goroutines wait for an OS thread is not deadlocked
TEST(ChanMixture, AGoroutineWaitsForAThreadThatComesLate) {
  const auto c = tenon::make_chan<int>();
  const auto about_to_wait = tenon::make_chan<void>();
  std::thread late([=] {
    (void)about_to_wait.recv();
    tenon_test::await_waiting(1, "chan receive");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // not to synchronise: to be late
    c.send(1);
  });
  tenon::run([&](const tenon::context&) {
    about_to_wait.send();
    EXPECT_EQ(c.recv(), 1);
  });
  late.join();
}

}  // namespace
