// Guide: "Pipeline Pattern", gen and sq.
//
// Two stages connected by channels. Notice: each stage closes its output when it ends, by the end of a scope instead
// of a deferred call, and the closing runs down the pipeline; the last loop ends because the first one did.

#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
tn::recv_chan<int> gen(tn::group& g, std::vector<int> nums) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int n : nums) out.send(n);
  });
}

tn::recv_chan<int> sq(tn::group& g, tn::recv_chan<int> in) {
  return g.produce<int>([=](tn::sender<int>& out) {
    for (int n : in) out.send(n * n);
  });
}

int main() {
  return tn::run([](tn::group& g) {
    for (int n : sq(g, sq(g, gen(g, {2, 3, 4})))) std::cout << n << '\n';
  });
}
// [/snippet]
