// Guide: "Fan-Out, Fan-In".
//
// Four goroutines square what one generator makes, and `merge` brings their outputs together. Notice: the output
// closes when the last sender is gone. There is no wait group to count them, and no goroutine whose only work is to
// wait and close.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

tenon::recv_chan<int> gen(tenon::wait_group& stages, int last) {
  const auto out = tenon::make_chan<int>();
  stages.go([out = tenon::sender(out), last] {
    for (int n = 1; n <= last; ++n) out.send(n);
  });
  return out;
}

tenon::recv_chan<int> sq(tenon::wait_group& stages, tenon::recv_chan<int> in) {
  const auto out = tenon::make_chan<int>();
  stages.go([out = tenon::sender(out), in] {
    for (int n : in) out.send(n * n);
  });
  return out;
}

// [snippet]
tenon::recv_chan<int> merge(tenon::wait_group& stages, const std::vector<tenon::recv_chan<int>>& ins) {
  const auto out = tenon::make_chan<int>();
  const tenon::sender tx(out);
  for (const auto& in : ins) {
    stages.go([tx, in] {
      for (int n : in) tx.send(n);
    });
  }
  return out;  // `tx` goes; the goroutines hold the remaining copies, and the last one closes
}
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    tenon::wait_group stages;
    const auto numbers = gen(stages, 10);
    // [snippet]
    std::vector<tenon::recv_chan<int>> squares;
    for (int i = 0; i < 4; ++i) squares.push_back(sq(stages, numbers));  // fan-out: one input, four readers
    std::vector<int> all;
    for (int n : merge(stages, squares)) all.push_back(n);  // fan-in: in no order
    // [/snippet]
    std::ranges::sort(all);
    for (int n : all) std::cout << n << '\n';
  });
}
