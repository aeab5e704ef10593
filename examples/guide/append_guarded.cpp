// Guide: "Append on Shared Slices", when one vector is what is wanted.
//
// Notice: the vector cannot be reached but through `with`, which holds the lock, and nothing that refers into it can
// be returned from there: `with([](auto& v) { return &v; })` does not compile.

#include <algorithm>
#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::context ctx) -> tn::error {
    // [snippet]
    tn::guarded<std::vector<int>> shared;
    tn::group writers(ctx);
    writers.go_n(100, [&shared](int i) { shared.with([i](auto& v) { v.push_back(i); }); });
    if (tn::error e = writers.wait()) return e;

    std::vector<int> all = shared.snapshot();  // a copy, made under the lock
    // [/snippet]
    std::ranges::sort(all);
    std::cout << all.size() << " elements, from " << all.front() << " to " << all.back() << '\n';
    return nullptr;
  });
}
