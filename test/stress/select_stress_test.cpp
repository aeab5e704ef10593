// Selects under storms: each value is delivered exactly once, or its send is reported as not done. Each with 1, 2 and 8
// workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"
#include "support/random.hpp"
#include "support/scale.hpp"
#include "support/waiting.hpp"

namespace {

using tenon_test::random_source;
using tenon_test::seed_in_use;

// An owned number: it can be sent once, and if it was not sent it is still there.
using item = std::unique_ptr<std::uint64_t>;

// What one participant did.
struct record {
  std::vector<std::uint64_t> sent;
  std::vector<std::uint64_t> received;
};

class SelectStorm : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr std::size_t lanes = 5;
  using channels = std::array<tenon::chan<item>, lanes>;

  static channels make_channels() {
    return {tenon::make_chan<item>(), tenon::make_chan<item>(1), tenon::make_chan<item>(3, "a storm"),
            tenon::make_chan<item>(), tenon::make_chan<item>(2, "a storm")};
  }

  // Every value sent was received once, or is still in a channel.
  static void expect_conserved(const std::vector<record>& records, const channels& c) {
    std::vector<std::uint64_t> sent;
    std::vector<std::uint64_t> received;
    for (const record& r : records) {
      sent.insert(sent.end(), r.sent.begin(), r.sent.end());
      received.insert(received.end(), r.received.begin(), r.received.end());
    }
    for (const auto& lane : c) {
      while (const auto v = lane.try_recv()) received.push_back(**v);
      EXPECT_EQ(lane.len(), 0U);
    }
    std::sort(sent.begin(), sent.end());
    std::sort(received.begin(), received.end());
    EXPECT_EQ(sent.size(), received.size());
    EXPECT_TRUE(sent == received) << "not every value was delivered exactly once";
  }

  // One select of one to six random cases, with the end of `ctx` as a further one. False when that ended it.
  static bool random_select(const channels& c, const tenon::context& ctx, std::uint64_t& next, record& mine,
                            random_source& random) {
    constexpr std::size_t most = 6;
    const std::size_t count = 1 + random.below(most);
    std::array<tenon::send_case<item>*, most> sends{};
    std::array<tenon::recv_case<item>*, most> target{};
    std::vector<std::uint64_t> offered(count);
    tenon_test::case_list cases;
    for (std::size_t i = 0; i < count; ++i) {
      // Now and then a nil channel, or the same one twice.
      const tenon::chan<item> lane = random.one_in(10) ? nullptr : c[random.below(lanes)];
      if (random.one_in(2)) {
        offered[i] = next;
        sends[i] = &cases.add(tenon::send(tenon::chan(lane), std::make_unique<std::uint64_t>(next++)));
      } else {
        target[i] = &cases.add(tenon::recv(tenon::chan(lane)));
      }
    }
    const bool has_default = random.one_in(3);
    if (!has_default) cases.add(tenon::recv(ctx.done()));
    std::size_t fired = count + 1;
    try {
      fired = has_default ? tenon::select(cases.span(), tenon::otherwise) : tenon::select(cases.span());
    } catch (const tenon::panic& p) {
      EXPECT_STREQ(p.what(), "send on closed channel");
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (sends[i] != nullptr) {
        EXPECT_EQ(static_cast<bool>(*sends[i]), i == fired);
        if (i == fired) {
          mine.sent.push_back(offered[i]);
        } else {
          EXPECT_EQ(*sends[i]->take(), offered[i]) << "moved from if, and only if, it was sent";
        }
      } else if (*target[i] && !target[i]->closed()) {
        EXPECT_EQ(i, fired);
        mine.received.push_back(***target[i]);
      }
    }
    return !ctx.is_canceled();
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, SelectStorm, testing::ValuesIn(tenon_test::worker_counts()),
                         testing::PrintToStringParamName());

// The storm ends after a time: all of them may come to wait for each other.
std::chrono::milliseconds storm_time() {
  return std::chrono::milliseconds(std::max<long>(30, static_cast<long>(200 * tenon_test::scale())));
}

TEST_P(SelectStorm, RandomCases) {
  const seed_in_use seed;
  constexpr std::size_t players = 12;
  const channels c = make_channels();
  std::vector<record> records(players);
  tenon::run(
      [&](const tenon::context& root) {
        const auto storm = tenon::with_timeout(root, storm_time());
        tenon::wait_group wg;
        for (std::size_t p = 0; p < players; ++p) {
          wg.go([&, p] {
            random_source random(seed.of(p));
            std::uint64_t next = (p + 1) << 40U;
            while (random_select(c, storm.ctx(), next, records[p], random)) {
              if (random.one_in(32)) tenon::yield();
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
  expect_conserved(records, c);
}

TEST_P(SelectStorm, RandomCasesOfGoroutinesAndOsThreads) {
  const seed_in_use seed;
  constexpr std::size_t players = 10;
  const channels c = make_channels();
  std::vector<record> records(players);
  const auto storm = tenon::with_timeout(tenon::background(), storm_time());
  const auto play = [&](std::size_t p) {
    random_source random(seed.of(p));
    std::uint64_t next = (p + 1) << 40U;
    while (random_select(c, storm.ctx(), next, records[p], random)) {
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < players / 2; ++p) threads.emplace_back(play, p);
  tenon::run(
      [&](const tenon::context&) {
        tenon::wait_group wg;
        for (std::size_t p = players / 2; p < players; ++p) {
          wg.go([&, p] { play(p); });
        }
        wg.wait();
      },
      {.workers = GetParam()});
  for (auto& t : threads) t.join();
  expect_conserved(records, c);
}

TEST_P(SelectStorm, RandomCasesAgainstCloses) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(300, 15);
  constexpr std::size_t players = 6;
  tenon::run(
      [&](const tenon::context& root) {
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const channels c = make_channels();
          const auto storm = tenon::with_cancel(root);
          random_source random(seed.of(1000 * round + 999));
          std::deque<tenon_test::trigger> closes;
          for (const auto& lane : c) {
            if (random.one_in(2)) closes.emplace_back(random.below(200), [lane] { lane.close(); });
          }
          tenon_test::trigger end(100 + random.below(200), [&] { storm.cancel(); });
          std::vector<record> records(players);
          tenon::wait_group wg;
          for (std::size_t p = 0; p < players; ++p) {
            wg.go([&, p] {
              random_source mine(seed.of(1000 * round + p));
              std::uint64_t next = (p + 1) << 40U;
              while (random_select(c, storm.ctx(), next, records[p], mine)) {
                for (auto& close : closes) close.step();
                end.step();
                if (mine.one_in(4)) tenon::yield();
              }
            });
          }
          for (auto& close : closes) tenon_test::burn_down(close);
          tenon_test::burn_down(end);
          wg.wait();
          expect_conserved(records, c);
        }
      },
      {.workers = GetParam()});
}

// Each participant is canceled at a time of its own.
TEST_P(SelectStorm, RandomCasesAgainstCancels) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled(300, 15);
  constexpr std::size_t players = 8;
  tenon::run(
      [&](const tenon::context& root) {
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const channels c = make_channels();
          random_source random(seed.of(1000 * round + 999));
          std::vector<tenon::cancel_scope> scopes;
          std::deque<tenon_test::trigger> ends;
          for (std::size_t p = 0; p < players; ++p) {
            scopes.push_back(tenon::with_cancel(root));
            ends.emplace_back(random.below(200), [&, p] { scopes[p].cancel(); });
          }
          std::vector<record> records(players);
          tenon::wait_group wg;
          for (std::size_t p = 0; p < players; ++p) {
            wg.go([&, p] {
              random_source mine(seed.of(1000 * round + p));
              std::uint64_t next = (p + 1) << 40U;
              while (random_select(c, scopes[p].ctx(), next, records[p], mine)) {
                for (auto& end : ends) end.step();
                if (mine.one_in(4)) tenon::yield();
              }
            });
          }
          for (auto& end : ends) tenon_test::burn_down(end);
          wg.wait();
          expect_conserved(records, c);
        }
      },
      {.workers = GetParam()});
}

// Both sides of every rendezvous wait in a select, and every select offers both directions: the hardest case for claiming.
TEST_P(SelectStorm, EverybodyOffersBothDirections) {
  const std::size_t moves = tenon_test::scaled(10000, 300);
  constexpr std::size_t players = 6;
  std::array<tenon::chan<std::uint64_t>, 3> c;
  for (auto& lane : c) lane = tenon::make_chan<std::uint64_t>();
  std::atomic<std::uint64_t> sum_sent = 0;
  std::atomic<std::uint64_t> sum_received = 0;
  std::atomic<std::size_t> sends = 0;
  std::atomic<std::size_t> receives = 0;
  tenon::run(
      [&](const tenon::context& root) {
        const auto over = tenon::with_cancel(root);
        std::atomic<std::size_t> done = 0;
        tenon::wait_group wg;
        for (std::size_t p = 0; p < players; ++p) {
          wg.go([&, p] {
            for (std::uint64_t n = 1;; ++n) {
              const std::uint64_t value = (p << 32U) + n;
              std::uint64_t got = 0;
              const auto& a = c[n % 3];
              const auto& b = c[(n + p) % 3];
              switch (tenon::select(tenon::send(a, value), tenon_test::into(b, got), tenon_test::into(a, got),
                                    tenon::send(b, value), tenon::recv(over.ctx().done()))) {
                case 0:
                case 3:
                  sum_sent += value;
                  ++sends;
                  break;
                case 1:
                case 2:
                  EXPECT_NE(got >> 32U, p) << "received from itself";
                  sum_received += got;
                  ++receives;
                  break;
                default: return;
              }
              if (++done == moves * players) over.cancel();
            }
          });
        }
        wg.wait();
      },
      {.workers = GetParam()});
  EXPECT_EQ(sends, receives);
  EXPECT_EQ(sum_sent, sum_received);
}

// recv(ctx) is raced by cancel and by exactly one send: the value went to the receiver or is still there.
TEST_P(SelectStorm, OneReceiveOneSendOneCancel) {
  const seed_in_use seed;
  const std::size_t rounds = tenon_test::scaled_spawns(10000);
  tenon::run(
      [&](const tenon::context& root) {
        random_source random(seed.of(0));
        for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
          const auto c = tenon::make_chan<std::uint64_t>(static_cast<int>(round % 2),
                                                         "as much as is sent before anybody receives");
          const auto scope = tenon::with_cancel(root);
          auto receives = tenon::go([&] { return c.recv(scope.ctx()); });
          auto sends = tenon::go([&] { return round % 4 < 2 ? c.try_send(round) : c.send(scope.ctx(), round); });
          for (std::uint64_t n = random.below(4); n > 0; --n) tenon::yield();
          scope.cancel();
          const std::optional<std::uint64_t> received = receives.join();
          const bool sent = sends.join();
          const std::optional<std::uint64_t> left = c.try_recv();
          EXPECT_EQ(sent ? 1 : 0, (received ? 1 : 0) + (left ? 1 : 0)) << "round " << round;
          EXPECT_EQ(received.value_or(round), round);
          EXPECT_EQ(left.value_or(round), round);
        }
      },
      {.workers = GetParam()});
}

// Many selects wait on the same done channel while their other channels come and go.
TEST_P(SelectStorm, AHerdOnOneDoneChannel) {
  const std::size_t crowd = tenon_test::scaled_goroutines(20000);
  tenon::run(
      [&](const tenon::context&) {
        const auto done = tenon::make_chan<void>();
        std::atomic<std::size_t> waiting = 0;
        std::vector<tenon::goroutine<std::size_t>> all;
        all.reserve(crowd);
        for (std::size_t i = 0; i < crowd; ++i) {
          all.push_back(tenon::go([&] {
            const auto own = tenon::make_chan<int>();
            ++waiting;
            return tenon::select(tenon::recv(own), tenon::recv(done), tenon::send(own, 1));
          }));
        }
        EXPECT_TRUE(tenon_test::eventually([&] { return waiting == crowd; }));
        done.close();
        for (auto& g : all) EXPECT_EQ(g.join(), 1U);
      },
      {.workers = GetParam()});
}

}  // namespace
