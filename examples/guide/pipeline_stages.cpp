// Guide: "Pipeline Pattern", the stages that come ready-made.
//
// The numbers from 1 to 6 go two ways, are squared by four workers here and cubed by one there, come together again
// and are packed into boxes of four. Notice: each stage is one line, and none of them says how it starts, ends, or is
// canceled. What has been merged has no order, so the boxes are counted and their contents sorted.

#include <algorithm>
#include <iostream>
#include <ranges>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::context ctx) -> tn::error {
    int boxes = 0;
    std::vector<int> contents;
    // [snippet]
    tn::pipeline p(ctx);
    const auto numbers = p.generate(std::views::iota(1, 7));
    const auto [here, there] = p.tee<2>(numbers);
    const auto squares = p.transform({.workers = 4}, here, [](int n) { return n * n; });  // in order
    const auto cubes = p.transform(there, [](int n) { return n * n * n; });
    const auto packed = p.batch(p.merge(squares, cubes), 4);
    p.for_each(packed, [&](const std::vector<int>& box) {
      ++boxes;
      contents.insert(contents.end(), box.begin(), box.end());
    });
    if (tn::error e = p.wait()) return e;
    // [/snippet]
    std::ranges::sort(contents);
    std::cout << boxes << " boxes:";
    for (int n : contents) std::cout << ' ' << n;
    std::cout << '\n';
    return nullptr;
  });
}
