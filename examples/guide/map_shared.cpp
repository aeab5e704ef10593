// Guide: "Map/Slice Assignment Doesn't Copy", the bug.
//
// `average` takes the lock, keeps a reference to the balances, and lets the lock go: the loop then reads a map that
// somebody else writes. (In C++ `auto m = balances` would be a copy; `auto&` is what Go's assignment of a map does.)
// Notice: with a `checked_map` the first overlap ends the program with Go's words, instead of a wrong average once in
// a while. The overlap is certain here: a goroutine is started, and joined, in the middle of the loop.

#include <iostream>
#include <mutex>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

struct cache {
  mutable tn::mutex mu;
  tn::checked_map<std::string, double> balances{{"ada", 10}, {"bob", 20}};
};

template <class F>
double average(const cache& c, F&& in_the_loop) {
  // [snippet]
  c.mu.lock();
  const auto& m = c.balances;  // not a copy
  c.mu.unlock();

  double sum = 0;
  m.range([&](const std::string&, double balance) {  // the bug: the lock has gone
    sum += balance;
    in_the_loop();
  });
  return sum / static_cast<double>(m.size());
  // [/snippet]
}

int main() {
  return tn::run([] {
    cache c;
    std::cout << "reading" << std::endl;  // flushed: the program ends below
    std::cout << average(c, [&c] {
      auto writer = tn::go([&c] {
        const std::lock_guard hold(c.mu);
        c.balances.store("eve", 30);
      });
      writer.join();
    }) << '\n';
  });
}
