// Guide: "Worker With Lifecycle Management", a worker that is always busy.
//
// It waits for nothing, so there is nothing to select: it looks at its context between two pieces of work, where Go
// selects with a default. Notice: `yield` lets others run; nobody takes the processor away from a goroutine here.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::context root) {
    const auto warm = tn::make_chan<void>();
    // [snippet]
    auto worker = tn::go(root, [warm](tn::context ctx) {
      long pieces = 0;
      while (!ctx.is_canceled()) {
        if (++pieces == 1000) warm.close();  // a piece of work
        tn::yield();
      }
      return pieces;
    });
    // [/snippet]
    warm.recv();
    worker.cancel();
    std::cout << "at least 1000 pieces: " << (worker.join() >= 1000 ? "yes" : "no") << '\n';
  });
}
