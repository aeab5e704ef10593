// Guide: "Fan-Out, Fan-In".
//
// Four stages square what one generator makes, and `merge` brings their outputs together. Notice: `merge` waits for its
// readers in a group of its own, and its output closes when its function ends: no channel is closed by hand, and no
// goroutine exists only to wait and close.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

tn::recv_chan<int> gen(tn::group& g, int last) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int n = 1; n <= last; ++n) out.send(n);
  });
}

tn::recv_chan<int> sq(tn::group& g, tn::recv_chan<int> in) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int n : in) out.send(n * n);
  });
}

// [snippet]
tn::recv_chan<int> merge(tn::group& g, std::vector<tn::recv_chan<int>> ins) {
  return g.produce<int>([=](tn::sender<int>& out, tn::context ctx) {
    tn::group readers(ctx);  // declared after `out`, so its members may refer to it
    for (const auto& in : ins) {
      readers.go([&out, in] {
        for (int n : in) out.send(n);
      });
    }
    return readers.wait();
  });
}
// [/snippet]

int main() {
  return tn::run([](tn::group& g) {
    const auto numbers = gen(g, 10);
    // [snippet]
    std::vector<tn::recv_chan<int>> squares;
    for (int i = 0; i < 4; ++i) squares.push_back(sq(g, numbers));  // fan-out: one input, four readers
    std::vector<int> all;
    for (int n : merge(g, squares)) all.push_back(n);  // fan-in: in no order
    // [/snippet]
    std::ranges::sort(all);
    for (int n : all) std::cout << n << '\n';
  });
}
