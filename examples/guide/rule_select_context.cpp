// Guide: "Rules", 5: use select with done or a context for cancellable operations.
//
// Six goroutines wait for something that never comes, each in another way. Notice: every call that blocks has a form
// with a context, and one cancel ends them all.

#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

using namespace std::chrono_literals;

int main() {
  tenon::run([](tenon::context root) {
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    const auto c = tenon::make_chan<int>();
    tenon::mutex mu;
    mu.lock();
    tenon::wait_group wg;
    wg.add();

    std::vector<tenon::goroutine<bool>> waiting;
    const auto wait = [&waiting, &parent = ctx](auto f) { waiting.push_back(tenon::go(parent, std::move(f))); };
    // [snippet]
    wait([&](tenon::context w) { return tenon::chan<int>().send(w, 1); });
    wait([&](tenon::context w) { return c.recv(w).has_value(); });
    wait([&](tenon::context w) { return mu.lock(w); });
    wait([&](tenon::context w) { return wg.wait(w); });
    wait([&](tenon::context w) { return tenon::sleep_for(w, 1h); });
    wait([&](tenon::context w) { return tenon::select(tenon::recv(c), tenon::recv(w.done())) == 0; });

    scope.cancel();
    // [/snippet]
    int got_it = 0;
    for (auto& g : waiting) got_it += g.join();
    std::cout << "waited " << waiting.size() << ", got what they waited for " << got_it << '\n';
    wg.done();
    mu.unlock();
  });
}
