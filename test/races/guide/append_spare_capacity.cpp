// Go's own form of it: two slices that share their elements, and the room behind them. Each append writes to the same place.
// The fixes: examples/guide/append_own_copy.cpp, append_guarded.cpp.

#include <cstddef>
#include <iostream>
#include <memory>

#include <tenon/tenon.hpp>

namespace {

/// What a slice is in Go: a copy shares the elements.
struct slice {
  std::shared_ptr<int[]> elements;
  std::size_t len = 0;
  std::size_t cap = 0;
};

slice append(slice s, int v) {
  if (s.len == s.cap) return s;  // Go would move; here there is room
  s.elements[s.len++] = v;
  return s;
}

}  // namespace

int main() {
  return tenon::run([] {
    const slice s{std::make_shared<int[]>(1), 0, 1};
    auto g1 = tenon::go(append, s, 1);
    auto g2 = tenon::go(append, s, 2);
    std::cout << g1.join().len << ' ' << g2.join().len << '\n';
  });
}
