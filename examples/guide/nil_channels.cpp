// Guide: "Nil Channels".
//
// `merge` of two channels in one goroutine. Notice: the case of a channel that has ended is disabled, as if the
// channel were nil, and never fires again; left as it was, it would be ready for ever and the loop would spin. When
// both are out, the merge is over.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> merge(tn::group& g, tn::recv_chan<int> a, tn::recv_chan<int> b) {
  return g.produce<int>([=](tn::sender<int>& out, tn::context ctx) {
    auto from_a = tn::recv(a);
    auto from_b = tn::recv(b);
    auto stop = tn::recv(ctx.done());
    for (int open = 2; open > 0;) {
      tn::select(from_a, from_b, stop);
      if (stop) break;
      auto& from = from_a ? from_a : from_b;
      if (from.closed()) {
        from.disable();
        --open;
      } else if (!out.send(ctx, *from)) {
        break;
      }
    }
    return ctx.err();
  });
}
// [/snippet]

tn::recv_chan<int> numbers(tn::group& g, int first, int count) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int i = 0; i < count; ++i) out.send(first + i);
  });
}

int main() {
  return tn::run([](tn::group& g) {
    std::vector<int> all;
    for (int n : merge(g, numbers(g, 1, 3), numbers(g, 100, 2))) all.push_back(n);
    std::ranges::sort(all);
    for (int n : all) std::cout << n << '\n';
  });
}
