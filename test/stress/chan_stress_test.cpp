// Channels under storms of goroutines and OS threads: every value that was sent is received exactly once, whatever else goes
// on. Each with 1, 2 and 8 workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/values.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::random_source;
using tenon_test::seed_in_use;

using values = std::vector<std::uint64_t>;

// A value says who sent it and when.
constexpr std::uint64_t value_of(std::uint64_t sender, std::uint64_t number) { return sender << 32U | number; }
constexpr std::uint64_t sender_of(std::uint64_t value) { return value >> 32U; }

// What participants gathered, as one sorted list.
values all_of(std::vector<values>& parts) {
  values all;
  for (values& part : parts) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  return all;
}

void expect_same(const values& sent, const values& received) {
  EXPECT_EQ(sent.size(), received.size());
  EXPECT_TRUE(sent == received) << "not every value was received exactly once";
}

// Sends by one of the ways there are, chosen at random. It succeeds in the end.
void send_somehow(const tenon::chan<std::uint64_t>& c, std::uint64_t v, random_source& random) {
  switch (random.below(5)) {
    case 0: c.send(v); break;
    case 1: EXPECT_TRUE(c.send(tenon::background(), v)); break;
    case 2: tenon::select(tenon::send(c, v), tenon::recv(tenon::chan<int>())); break;
    case 3:
      if (!c.try_send(v)) c.send(v);
      break;
    default:
      if (tenon::select(tenon::otherwise, tenon::send(c, v)) == 0) tenon::select(tenon::send(c, v));
      break;
  }
}

std::optional<std::uint64_t> recv_somehow(const tenon::chan<std::uint64_t>& c, random_source& random) {
  std::optional<std::uint64_t> v;
  switch (random.below(5)) {
    case 0: v = c.recv(); break;
    case 1: v = c.recv(tenon::background()); break;
    case 2: tenon::select(tenon::recv(tenon::chan<int>()), tenon_test::into(c, v)); break;
    case 3:
      v = c.try_recv();
      if (!v) v = c.recv();
      break;
    default:
      if (tenon::select(tenon_test::into(c, v), tenon::otherwise) == 1) tenon::select(tenon_test::into(c, v));
      break;
  }
  return v;
}

// Values of one sender reach one receiver in the order in which they were sent.
void expect_each_sender_in_order(const values& received, std::size_t senders) {
  values last(senders, 0);
  for (const std::uint64_t v : received) {
    ASSERT_LT(sender_of(v), senders);
    ASSERT_LT(last[sender_of(v)], v);
    last[sender_of(v)] = v;
  }
}

class ChanStorm : public testing::TestWithParam<std::tuple<unsigned, int>> {
 protected:
  static unsigned workers() { return std::get<0>(GetParam()); }
  static tenon::chan<std::uint64_t> channel() {
    return tenon::make_chan<std::uint64_t>(std::get<1>(GetParam()), "a storm");
  }
};
INSTANTIATE_TEST_SUITE_P(
    Sizes, ChanStorm, testing::Combine(testing::ValuesIn(tenon_test::worker_counts()), testing::Values(0, 1, 7, 128)),
    [](const auto& info) {
      return "Workers" + std::to_string(std::get<0>(info.param)) + "Capacity" + std::to_string(std::get<1>(info.param));
    });

TEST_P(ChanStorm, ManySendersManyReceivers) {
  const seed_in_use seed;
  constexpr std::size_t senders = 8;
  constexpr std::size_t receivers = 5;
  const std::size_t each = tenon_test::scaled(10000, 300);
  const auto c = channel();
  std::vector<values> sent(senders);
  std::vector<values> received(receivers);
  tenon::run(
      [&](const tenon::context&) {
        tenon::wait_group sending;
        tenon::wait_group receiving;
        for (std::size_t s = 0; s < senders; ++s) {
          sending.go([&, s] {
            random_source random(seed.of(s));
            for (std::size_t i = 1; i <= each; ++i) {
              sent[s].push_back(value_of(s, i));
              send_somehow(c, sent[s].back(), random);
              if (random.one_in(64)) tenon::yield();
            }
          });
        }
        for (std::size_t r = 0; r < receivers; ++r) {
          receiving.go([&, r] {
            random_source random(seed.of(100 + r));
            while (const auto v = recv_somehow(c, random)) {
              received[r].push_back(*v);
              if (random.one_in(64)) tenon::yield();
            }
          });
        }
        sending.wait();
        c.close();
        receiving.wait();
      },
      {.workers = workers()});
  for (const values& r : received) expect_each_sender_in_order(r, senders);
  expect_same(all_of(sent), all_of(received));
}

TEST_P(ChanStorm, GoroutinesAndOsThreads) {
  const seed_in_use seed;
  constexpr std::size_t of_each = 3;
  const std::size_t each = tenon_test::scaled(3000, 200);
  const auto c = channel();
  std::vector<values> sent(2 * of_each);
  std::vector<values> received(2 * of_each);
  const auto send_all = [&](std::size_t s) {
    random_source random(seed.of(s));
    for (std::size_t i = 1; i <= each; ++i) {
      sent[s].push_back(value_of(s, i));
      send_somehow(c, sent[s].back(), random);
    }
  };
  const auto receive_all = [&](std::size_t r) {
    random_source random(seed.of(100 + r));
    while (const auto v = recv_somehow(c, random)) received[r].push_back(*v);
  };
  std::vector<std::thread> sending_threads;
  std::vector<std::thread> receiving_threads;
  for (std::size_t i = 0; i < of_each; ++i) {
    sending_threads.emplace_back(send_all, i);
    receiving_threads.emplace_back(receive_all, i);
  }
  tenon::run(
      [&](const tenon::context&) {
        tenon::wait_group sending;
        tenon::wait_group receiving;
        for (std::size_t i = of_each; i < 2 * of_each; ++i) {
          sending.go([&, i] { send_all(i); });
          receiving.go([&, i] { receive_all(i); });
        }
        sending.wait();
        tenon::blocking([&] {
          for (auto& t : sending_threads) t.join();
        });
        c.close();
        receiving.wait();
      },
      {.workers = workers()});
  for (auto& t : receiving_threads) t.join();
  for (const values& r : received) expect_each_sender_in_order(r, 2 * of_each);
  expect_same(all_of(sent), all_of(received));
}

// Every operation may be canceled at any moment. What send said it sent was received or is still in the channel; what it said
// it did not send is nowhere.
TEST_P(ChanStorm, OperationsAgainstCancel) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(400, 20);
  constexpr std::size_t sides = 3;
  tenon::run(
      [&](const tenon::context& root) {
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const auto c = channel();
          const auto stop_senders = tenon::with_cancel(root);
          const auto stop_receivers = tenon::with_cancel(root);
          random_source random(seed.of(round));
          tenon_test::trigger senders_end(random.below(60), [&] { stop_senders.cancel(); });
          tenon_test::trigger receivers_end(random.below(60), [&] { stop_receivers.cancel(); });
          std::vector<values> sent(sides);
          std::vector<values> received(sides + 1);
          tenon::wait_group all;
          for (std::size_t i = 0; i < sides; ++i) {
            all.go([&, i] {
              for (std::uint64_t n = 1; c.send(stop_senders.ctx(), value_of(i, n)); ++n) {
                sent[i].push_back(value_of(i, n));
                senders_end.step();
                receivers_end.step();
              }
            });
            all.go([&, i] {
              while (const auto v = c.recv(stop_receivers.ctx())) {
                received[i].push_back(*v);
                senders_end.step();
                receivers_end.step();
              }
            });
          }
          tenon_test::burn_down(senders_end, receivers_end);
          all.wait();
          while (const auto v = c.try_recv()) received[sides].push_back(*v);
          expect_same(all_of(sent), all_of(received));
        }
      },
      {.workers = workers()});
}

// A close in the middle of everything: a send that returned was received, one that panicked was not.
TEST_P(ChanStorm, SendersAgainstClose) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(400, 20);
  constexpr std::size_t sides = 3;
  tenon::run(
      [&](const tenon::context&) {
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const auto c = channel();
          std::vector<values> sent(sides);
          std::vector<values> received(sides);
          tenon_test::trigger end(random_source(seed.of(1000 * round + 999)).below(100), [&] { c.close(); });
          tenon::wait_group all;
          for (std::size_t i = 0; i < sides; ++i) {
            all.go([&, i] {
              random_source random(seed.of(1000 * round + i));
              try {
                for (std::uint64_t n = 1;; ++n) {
                  send_somehow(c, value_of(i, n), random);
                  sent[i].push_back(value_of(i, n));
                  end.step();
                }
              } catch (const tenon::panic& p) {
                EXPECT_STREQ(p.what(), "send on closed channel");
              }
            });
            all.go([&, i] {
              random_source random(seed.of(1000 * round + 100 + i));
              while (const auto v = recv_somehow(c, random)) {
                received[i].push_back(*v);
                end.step();
              }
            });
          }
          tenon_test::burn_down(end);
          all.wait();
          expect_same(all_of(sent), all_of(received));
        }
      },
      {.workers = workers()});
}

// The same with values that are owned: none leaks, none is destroyed twice.
TEST_P(ChanStorm, OwnedValuesAgainstCancelAndClose) {
  const seed_in_use seed;
  tenon_test::counted::living = 0;
  const std::size_t rounds = tenon_test::scaled(200, 10);
  tenon::run(
      [&](const tenon::context& root) {
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const auto c = tenon::make_chan<tenon_test::counted>(std::get<1>(GetParam()), "a storm");
          const auto stop = tenon::with_cancel(root);
          random_source random(seed.of(round));
          tenon_test::trigger end(random.below(60), [&, close = random.one_in(2)] {
            if (close) c.close();
            stop.cancel();
          });
          tenon::wait_group all;
          for (int i = 0; i < 3; ++i) {
            all.go([&, i] {
              try {
                for (int n = 0; c.send(stop.ctx(), tenon_test::counted(n)); ++n) {
                  end.step();
                  tenon_test::counted kept(n);
                  if (!c.try_send(std::move(kept))) {
                    EXPECT_EQ(kept.value(), n) << i;  // NOLINT: untouched
                  }
                }
              } catch (const tenon::panic&) {
              }
            });
            all.go([&] {
              while (const auto v = c.recv(stop.ctx())) {
                EXPECT_GE(v->value(), 0);
                end.step();
              }
            });
          }
          tenon_test::burn_down(end);
          all.wait();
        }
      },
      {.workers = workers()});
  EXPECT_EQ(tenon_test::counted::living, 0);
}

class ChanCrowd : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, ChanCrowd, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

TEST_P(ChanCrowd, ACloseWakesAHundredThousand) {
  const std::size_t crowd = tenon_test::scaled_goroutines(100000);
  tenon::run(
      [&](const tenon::context&) {
        const auto c = tenon::make_chan<int>();
        std::atomic<std::size_t> waiting = 0;
        std::atomic<std::size_t> woken = 0;
        tenon::wait_group wg;
        for (std::size_t i = 0; i < crowd; ++i) {
          wg.go([&] {
            ++waiting;
            EXPECT_EQ(c.recv(), std::nullopt);
            ++woken;
          });
        }
        EXPECT_TRUE(tenon_test::eventually([&] { return waiting == crowd; }));
        EXPECT_EQ(woken, 0U);
        c.close();
        wg.wait();
        EXPECT_EQ(woken, crowd);
      },
      {.workers = GetParam()});
}

TEST_P(ChanCrowd, ACancelWakesAHundredThousand) {
  const std::size_t crowd = tenon_test::scaled_goroutines(100000);
  tenon::run(
      [&](const tenon::context& root) {
        const auto c = tenon::make_chan<int>();
        const auto stop = tenon::with_cancel(root);
        std::atomic<std::size_t> waiting = 0;
        tenon::wait_group wg;
        for (std::size_t i = 0; i < crowd; ++i) {
          wg.go([&] {
            ++waiting;
            EXPECT_EQ(c.recv(stop.ctx()), std::nullopt);
          });
        }
        EXPECT_TRUE(tenon_test::eventually([&] { return waiting == crowd; }));
        stop.cancel();
        wg.wait();
        EXPECT_FALSE(c.try_send(1)) << "somebody still waits";
      },
      {.workers = GetParam()});
}

TEST_P(ChanCrowd, TokensGoRoundARing) {
  const std::size_t stations = std::min<std::size_t>(1000, tenon_test::scaled_goroutines(100000));
  const std::size_t rounds = tenon_test::scaled(50, 5);
  constexpr std::size_t tokens = 3;
  tenon::run(
      [&](const tenon::context&) {
        std::vector<tenon::chan<std::size_t>> ring;
        for (std::size_t i = 0; i < stations; ++i) ring.push_back(tenon::make_chan<std::size_t>());
        const auto finished = tenon::make_chan<std::size_t>(tokens, "as many as there are tokens");
        tenon::wait_group wg;
        for (std::size_t i = 0; i < stations; ++i) {
          wg.go([&, i] {
            for (const std::size_t hops : ring[i]) {
              if (hops == rounds * stations) {
                finished.send(hops);
              } else {
                ring[(i + 1) % stations].send(hops + 1);
              }
            }
          });
        }
        for (std::size_t t = 0; t < tokens; ++t) ring[t * stations / tokens].send(0);
        for (std::size_t t = 0; t < tokens; ++t) EXPECT_EQ(finished.recv(), rounds * stations);
        for (const auto& c : ring) c.close();
        wg.wait();
      },
      {.workers = GetParam()});
}

TEST_P(ChanCrowd, ChannelsAreMadeAndDroppedInHaste) {
  const std::size_t rounds = tenon_test::scaled(20000, 500);
  tenon::run(
      [&](const tenon::context&) {
        const auto requests = tenon::make_chan<tenon::send_chan<std::size_t>>();
        tenon::wait_group servers;
        for (int i = 0; i < 3; ++i) {
          servers.go([=] {
            for (tenon::send_chan<std::size_t> reply : requests) {
              reply.send(7);
              reply.close();
            }
          });
        }
        tenon::wait_group clients;
        for (std::size_t i = 0; i < 4; ++i) {
          clients.go([&, i] {
            for (std::size_t n = 0; n < rounds / 4; ++n) {
              const auto reply =
                  tenon::make_chan<std::size_t>((i + n) % 2, "as much as is sent before anybody receives");
              requests.send(reply);
              ASSERT_EQ(reply.recv(), 7U);
              if (n % 2 == 0) {
                ASSERT_EQ(reply.recv(), std::nullopt);
              }
            }
          });
        }
        clients.wait();
        requests.close();
        servers.wait();
      },
      {.workers = GetParam()});
}

}  // namespace
