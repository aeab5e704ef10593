// Guide: "Append on Shared Slices", when one vector is what is wanted.
//
// Notice: the vector cannot be reached but through `with`, which holds the lock, and nothing that refers into it can
// be returned from there: `with([](auto& v) { return &v; })` does not compile.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

int main() {
  tenon::run([](tenon::context) {
    // [snippet]
    tenon::guarded<std::vector<int>> shared;
    tenon::wait_group writers;
    for (int i = 0; i < 100; ++i) {
      writers.go([&shared, i] { shared.with([i](std::vector<int>& v) { v.push_back(i); }); });
    }
    writers.wait();

    std::vector<int> all = shared.snapshot();  // a copy, made under the lock
    // [/snippet]
    std::ranges::sort(all);
    std::cout << all.size() << " elements, from " << all.front() << " to " << all.back() << '\n';
  });
}
