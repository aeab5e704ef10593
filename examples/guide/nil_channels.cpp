// Guide: "Nil Channels".
//
// `merge` of two channels in one goroutine. Notice: a channel that has ended is set to nil, and its case never fires
// again; left as it was, it would be ready for ever and the loop would spin. When both are nil, the merge is over.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

// [snippet]
tenon::recv_chan<int> merge(tenon::wait_group& owner, tenon::recv_chan<int> a, tenon::recv_chan<int> b) {
  const auto out = tenon::make_chan<int>();
  owner.go([a, b, tx = tenon::sender(out)]() mutable {
    while (a || b) {
      std::optional<int> v;
      auto& from = tenon::select(tenon::recv(a, v), tenon::recv(b, v)) == 0 ? a : b;
      if (v) {
        tx.send(*v);
      } else {
        from = nullptr;  // closed: this case is out
      }
    }
  });
  return out;
}
// [/snippet]

tenon::recv_chan<int> numbers(tenon::wait_group& owner, int first, int count) {
  const auto out = tenon::make_chan<int>();
  owner.go([first, count, tx = tenon::sender(out)] {
    for (int i = 0; i < count; ++i) tx.send(first + i);
  });
  return out;
}

int main() {
  tenon::run([](tenon::context) {
    tenon::wait_group owner;
    std::vector<int> all;
    for (int n : merge(owner, numbers(owner, 1, 3), numbers(owner, 100, 2))) all.push_back(n);
    std::ranges::sort(all);
    for (int n : all) std::cout << n << '\n';

    const tenon::chan<int> nil;
    const bool fires = tenon::select(tenon::recv(nil), tenon::send(nil, 1), tenon::otherwise) != 2;
    std::cout << "a case on a nil channel fires: " << (fires ? "yes" : "no") << '\n';
  });
}
