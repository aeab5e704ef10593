// Guide: "Stop + Done Pattern (Alternative)", when the code between throws.
//
// A `stop.close()` at the end is not reached then, and the worker would run for ever. Notice: a `sender` of the stop
// channel closes it at the end of its scope, on every way out. A context does that by itself, which is one more reason
// to take one: rule_joinable.cpp.

#include <iostream>
#include <stdexcept>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::group& g) {
    // [snippet]
    const auto stop = tn::make_chan<void>();
    const auto done = tn::make_chan<void>();
    g.go([=] {
      const tn::sender closes(done);
      stop.recv();
      std::cout << "the worker stops\n";
    });
    try {
      const tn::sender stops(stop);
      throw std::runtime_error("something else went wrong");
    } catch (const std::exception& e) {
      done.recv();
      std::cout << "the worker has stopped; " << e.what() << '\n';
    }
    // [/snippet]
  });
}
