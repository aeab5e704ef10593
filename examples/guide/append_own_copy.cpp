// Guide: "Append on Shared Slices", the race and the fix.
//
// In Go, two goroutines that append to one slice with room to spare write to the same place. A `std::vector` owns its
// elements, so its copy is a copy. Notice: `go` copies arguments and captures, so each goroutine has a vector of its
// own. The race comes back only for who writes `&` or `std::ref`; ThreadSanitizer then reports it, "data race", with
// both goroutines' stacks.

#include <iostream>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

std::vector<int> append(std::vector<int> s, int v) {
  s.push_back(v);
  return s;
}

void print(const char* name, const std::vector<int>& s) {
  std::cout << name << " = [";
  for (int v : s) std::cout << ' ' << v;
  std::cout << " ]\n";
}

int main() {
  return tn::run([] {
    // [snippet]
    std::vector<int> s;
    s.reserve(1);  // room for one: in Go, both would get index 0 of it

    auto g1 = tn::go(append, s, 1);  // a copy each
    auto g2 = tn::go(append, s, 2);
    // tn::go([&s] { s.push_back(1); })    the race: two of these share one vector

    print("s1", g1.join());
    print("s2", g2.join());
    print("s", s);
    // [/snippet]
  });
}
