// Guide: "WaitGroup Pattern (Joining)", when one of them fails.
//
// Notice: the first exception comes out of `wait`, with its type; the others are not stopped, because a wait group
// joins and does not cancel. Who wants them to stop wants a group: group_join.cpp.

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int half(int n) {
  if (n % 2 != 0) throw std::domain_error(std::to_string(n) + " is odd");
  return n / 2;
}

int main() {
  return tn::run([] {
    const std::vector<int> numbers = {2, 4, 7, 8};
    std::vector<int> halves(numbers.size());
    // [snippet]
    tn::wait_group wg;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      wg.go([&, i] { halves[i] = half(numbers[i]); });
    }
    try {
      wg.wait();  // all four have ended
    } catch (const std::domain_error& e) {
      std::cout << "failed: " << e.what() << '\n';
    }
    // [/snippet]
    for (int n : halves) std::cout << n << '\n';
  });
}
