// A goroutine that waits in tenon within `blocking`: it is woken like any other, and its call takes no thread, and no permit, from the others.

#include <gtest/gtest.h>

#include <semaphore>
#include <stdexcept>
#include <string>

#include <tenon/tenon.hpp>

#include "support/waiting.hpp"

namespace {

using tenon::context;

class BlockingThatWaits : public testing::TestWithParam<unsigned> {
 protected:
  [[nodiscard]] tenon::run_options options() const { return {.workers = GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(With, BlockingThatWaits, testing::Values(1U, 2U, 8U),
                         [](const auto& each) { return std::to_string(each.param) + "Workers"; });

TEST_P(BlockingThatWaits, IsWoken) {
  tenon::run(
      [](context) {
        auto request = tenon::make_chan<int>();
        auto reply = tenon::make_chan<int>();
        auto server = tenon::go([&] {
          for (int n : request) reply.send(n + 1);
        });
        int sum = 0;
        for (int i = 0; i < 1000; ++i) {
          sum += tenon::blocking([&] {
            request.send(i);
            return *reply.recv();
          });
        }
        request.close();
        server.join();
        EXPECT_EQ(sum, 500'500);
      },
      options());
}

TEST_P(BlockingThatWaits, HoldsNoPermitMeanwhile) {
  tenon::run_options few = options();
  few.max_threads = GetParam() + 1;  // one blocking call at a time
  tenon::run(
      [](context) {
        auto gate = tenon::make_chan<void>();
        tenon::wait_group wg;
        for (int i = 0; i < 100; ++i) {
          wg.go([&] { tenon::blocking([&] { (void)gate.recv(); }); });
        }
        tenon_test::await_waiting(100, "chan receive");
        tenon::blocking([&] { gate.close(); });
        wg.wait();
      },
      few);
}

TEST_P(BlockingThatWaits, MayNestAndThrow) {
  tenon::run(
      [](context) {
        auto c = tenon::make_chan<int>();
        tenon::wait_group wg;
        wg.go([&] {
          for (int i = 0; i < 100; ++i) c.send(i);
        });
        for (int i = 0; i < 100; ++i) {
          EXPECT_THROW(tenon::blocking([&] {
                         EXPECT_EQ(tenon::blocking([&] { return *c.recv(); }), i);
                         tenon::blocking([] { tenon::yield(); });
                         throw std::runtime_error("from within");
                       }),
                       std::runtime_error);
        }
        wg.wait();
      },
      options());
}

TEST_P(BlockingThatWaits, MayBePinned) {
  tenon::run(
      [](context) {
        auto c = tenon::make_chan<int>();
        tenon::wait_group wg;
        wg.go([&] {
          for (int i = 0; i < 100; ++i) c.send(i);
        });
        for (int i = 0; i < 50; ++i) {
          const tenon::on_this_thread here;
          EXPECT_EQ(tenon::blocking([&] { return *c.recv(); }), 2 * i);
          tenon::blocking([&] {
            const tenon::on_this_thread within;
            EXPECT_EQ(*c.recv(), 2 * i + 1);
          });
        }
        wg.wait();
      },
      options());
}

// With one worker the other goroutine runs only once the monitor has counted the first one's thread out.
TEST_P(BlockingThatWaits, MayHaveBlockedItsThreadBefore) {
  tenon::run(
      [](context) {
        for (int i = 0; i < 5; ++i) {
          auto c = tenon::make_chan<int>();
          std::binary_semaphore lets_it_go{0};
          tenon::wait_group wg;
          wg.go([&] {
            lets_it_go.release();
            c.send(i);
          });
          EXPECT_EQ(tenon::blocking([&] {
                      lets_it_go.acquire();
                      return *c.recv();
                    }),
                    i);
          wg.wait();
        }
      },
      options());
}

}  // namespace
