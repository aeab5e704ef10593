// Guide: "Cancellation with Done Channel", as it recommends in the end: with a context.
//
// Notice: `range(ctx)` and `send(ctx, v)` are the selects of cancel_done_channel.cpp, so a stage reads like one without
// cancellation. The context is that of the group which owns the stages: it passes it to each of them.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> count(tn::group& g) {
  return g.produce<int>([](tn::sender<int>& out, tn::context ctx) {
    for (int n = 1; out.send(ctx, n);) ++n;
    return ctx.err();
  });
}

tn::recv_chan<int> sq(tn::group& g, tn::recv_chan<int> in) {
  return g.produce<int>([=](tn::sender<int>& out, tn::context ctx) {
    for (int n : in.range(ctx)) {
      if (!out.send(ctx, n * n)) break;
    }
    return ctx.err();
  });
}
// [/snippet]

int main() {
  return tn::run([](tn::group& root) {
    // [snippet]
    tn::group stages(root.ctx());
    const auto squares = sq(stages, count(stages));
    for (int i = 0; i < 2; ++i) std::cout << *squares.recv() << '\n';
    stages.cancel();
    if (!stages.wait()) std::cout << "the stages have ended, as they were told to\n";
    // [/snippet]
  });
}
