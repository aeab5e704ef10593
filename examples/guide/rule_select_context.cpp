// Guide: "Rules", 5: use select with done or a context for cancellable operations.
//
// Seven goroutines wait for something that never comes, each in another way. Notice: every call that blocks has a form
// with a context, and one cancel ends them all.

#include <atomic>
#include <iostream>
#include <mutex>

#include <tenon/tenon.hpp>

namespace tn = tenon;
using namespace std::chrono_literals;

int main() {
  return tn::run([](tn::context root) -> tn::error {
    const auto c = tn::make_chan<int>();
    tn::mutex mu;
    const std::lock_guard held(mu);
    tn::wait_group wg;
    wg.add();
    std::atomic<int> waited = 0;
    std::atomic<int> got_it = 0;

    tn::group g(root);
    const auto waits = [&](auto f) {
      g.go([&, f](tn::context ctx) {
        ++waited;
        if (f(ctx)) ++got_it;
      });
    };
    // [snippet]
    waits([&](const tn::context& ctx) { return tn::chan<int>().send(ctx, 1); });
    waits([&](const tn::context& ctx) { return c.recv(ctx).has_value(); });
    waits([&](const tn::context& ctx) { return mu.lock(ctx); });
    waits([&](const tn::context& ctx) { return wg.wait(ctx); });
    waits([&](const tn::context& ctx) { return tn::sleep_for(ctx, 1h); });
    waits([&](const tn::context& ctx) { return tn::select(tn::recv(c), tn::recv(ctx.done())) == 0; });
    waits([&](const tn::context& ctx) {
      for (int v : c.range(ctx)) return v == 0;
      return false;
    });

    g.cancel();
    if (tn::error e = g.wait()) return e;
    // [/snippet]
    std::cout << "waited " << waited << ", got what they waited for " << got_it << '\n';
    wg.done();
    return nullptr;
  });
}
