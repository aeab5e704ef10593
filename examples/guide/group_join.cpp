// Guide: "WaitGroup Pattern (Joining)", with the owner that tenon prefers.
//
// The program of wait_group_join.cpp, whose items may be bad. Notice: a group joins as a wait group does, and `wait`
// returns the first failure. Beyond that it cannot be left behind: an early return, or an exception, ends its members
// before it ends what they refer to, because it is declared after it.

#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

struct item {
  std::string name;
  std::size_t length = 0;
};

tn::error process(item& it) {
  if (it.name.empty()) return tn::error("an item without a name");
  it.length = it.name.size();
  return nullptr;
}

// [snippet]
tn::error process_all(tn::context ctx, std::vector<item>& items) {
  tn::group g(ctx);
  for (item& it : items) {
    g.go([&it] { return process(it); });
  }
  return g.wait();
}
// [/snippet]

int main() {
  return tn::run([](tn::context ctx) {
    std::vector<item> good = {{"mortise"}, {"tenon"}, {"dovetail"}};
    std::vector<item> bad = {{"dowel"}, {""}, {"peg"}};
    std::cout << process_all(ctx, good).message() << '\n';
    std::cout << process_all(ctx, bad).message() << '\n';
    for (const item& it : good) std::cout << it.name << ": " << it.length << '\n';
  });
}
