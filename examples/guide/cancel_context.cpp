// Guide: "Cancellation with Done Channel", as it recommends in the end: with a context.
//
// Notice: `recv(ctx)` and `send(ctx, v)` are the selects of cancel_done_channel.cpp, so a stage is a loop with a
// condition. The stages are tasks of an errgroup: it owns them, and its context is the one they watch.

#include <iostream>

#include <tenon/tenon.hpp>

// [snippet]
tenon::recv_chan<int> count(tenon::group& stages) {
  const auto out = tenon::make_chan<int>();
  stages.go([tx = tenon::sender(out)](const tenon::context& ctx) {
    for (int n = 1; tx.send(ctx, n); ++n) {
    }
  });
  return out;
}

tenon::recv_chan<int> sq(tenon::group& stages, tenon::recv_chan<int> in) {
  const auto out = tenon::make_chan<int>();
  stages.go([in, tx = tenon::sender(out)](const tenon::context& ctx) {
    while (auto n = in.recv(ctx)) {
      if (!tx.send(ctx, *n * *n)) return;
    }
  });
  return out;
}
// [/snippet]

int main() {
  tenon::run([](tenon::context root) {
    auto scope = tenon::with_cancel(root);
    const tenon::context ctx = scope.ctx();
    tenon::group stages(ctx);
    const auto squares = sq(stages, count(stages));
    for (int i = 0; i < 2; ++i) std::cout << *squares.recv() << '\n';
    scope.cancel();
    std::cout << "the stages ended with: " << stages.wait().message() << '\n';
  });
}
