// The bug that docs/guide/14-data-races.md shows in a comment: two goroutines append to one vector by reference. There is room for both,
// so the vector stays whole whatever they do. Nothing orders them, which ThreadSanitizer sees in every run.
// The fixes: examples/guide/append_own_copy.cpp, append_guarded.cpp.

#include <iostream>
#include <vector>

#include <tenon/tenon.hpp>

int main() {
  return tenon::run([] {
    std::vector<int> s;
    s.reserve(2);
    auto g1 = tenon::go([&s] { s.push_back(1); });
    auto g2 = tenon::go([&s] { s.push_back(2); });
    g1.join();
    g2.join();
    std::cout << s.size() << " elements\n";
  });
}
