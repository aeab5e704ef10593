// What loom explores in bench/peers/explore_rust, with tenon's primitives: docs/exploration.md has both figures.

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <tenon/tenon.hpp>

#include "model/engine/model.hpp"
#include "model/programs.hpp"

namespace model = tenon::model;

TEST(BesideLoom, Mutex) {
  model::expect_holds(model::memory_model::c11, [] {
    tenon::mutex mu;
    int n = 0;
    const auto add = [&] {
      const std::lock_guard hold(mu);
      ++n;
    };
    {
      model::thread a(add);
      model::thread b(add);
      add();
    }
    MODEL_REQUIRE(n == 3);
  });
}

TEST(BesideLoom, Channel) {
  model::expect_holds(model::memory_model::c11, [] {
    const auto c = tenon::make_chan<int>(2, "as many as are sent");
    model::thread a([&] { c.send(1); });
    model::thread b([&] { c.send(2); });
    const int one = *c.recv();
    MODEL_REQUIRE(one + *c.recv() == 3);
  });
}

TEST(BesideLoom, Counter) {
  model::expect_holds(model::memory_model::c11, [] {
    tenon::detail::atomic<std::size_t> n{0};
    const auto count = [&] {
      n.fetch_add(1, std::memory_order_acq_rel);
      n.fetch_add(static_cast<std::ptrdiff_t>(n.load(std::memory_order_acquire)), std::memory_order_acq_rel);
    };
    model::thread a(count);
    model::thread b(count);
    n.fetch_add(1, std::memory_order_acq_rel);
    (void)n.load(std::memory_order_acquire);
  });
}
