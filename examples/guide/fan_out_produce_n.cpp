// Guide: "Fan-Out, Fan-In", where all of the readers do the same.
//
// Notice: `produce_n` starts four stages that receive from one channel and send into one channel; the last of them to
// end closes it. Out and in are one call, and there is nothing to merge.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> sq(tn::group& g, int readers, tn::recv_chan<int> in) {
  return g.produce_n<int>(readers, [=](tn::sender<int>& out, tn::context ctx) {
    for (int n : in.range(ctx)) {
      if (!out.send(ctx, n * n)) break;
    }
    return ctx.err();
  });
}
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    const auto numbers = g.produce<int>([](tn::sender<int>& out, tn::context ctx) {
      for (int n = 1; n <= 10 && out.send(ctx, n);) ++n;
      return ctx.err();
    });
    std::vector<int> all;
    for (int n : sq(g, 4, numbers)) all.push_back(n);
    std::ranges::sort(all);
    for (int n : all) std::cout << n << '\n';
  });
}
