// Guide: "Pipeline Pattern", gen and sq.
//
// Two stages connected by channels. Notice: each stage closes its output when it ends, by the end of a scope instead
// of a deferred call, and the closing runs down the pipeline; the last loop ends because the first one did.

#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

// [snippet]
tenon::recv_chan<int> gen(tenon::wait_group& stages, std::vector<int> nums) {
  const auto out = tenon::make_chan<int>();
  stages.go([out = tenon::sender(out), nums = std::move(nums)] {
    for (int n : nums) out.send(n);
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
// [/snippet]

int main() {
  tenon::run([](tenon::context) {
    tenon::wait_group stages;
    // [snippet]
    for (int n : sq(stages, sq(stages, gen(stages, {2, 3, 4})))) std::cout << n << '\n';
    // [/snippet]
    stages.wait();
  });
}
