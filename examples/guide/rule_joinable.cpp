// Guide: "Rules", 2: no fire-and-forget goroutines.
//
// Notice: there is no detach. A handle that is not kept is a warning at the call:
//     tn::go([] { … });    ignoring return value, declared 'nodiscard': a goroutine has an owner: keep the handle
// and a group or a handle that goes out of scope cancels and waits, also when an exception is on its way.

#include <iostream>
#include <stdexcept>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::context root) {
    // [snippet]
    int ended = 0;
    try {
      tn::group workers(root);
      workers.go([&ended](tn::context ctx) {
        ctx.done().recv();  // works until it is canceled
        ++ended;
      });
      throw std::runtime_error("something else went wrong");
      // never comes to workers.wait()
    } catch (const std::exception& e) {
      std::cout << e.what() << "; workers that have ended: " << ended << '\n';
    }
    // [/snippet]

    auto answer = tn::go([] { return 42; });
    std::cout << "joined: " << answer.join() << '\n';
    try {
      answer.join();
    } catch (const tn::panic& p) {
      std::cout << p.what() << '\n';
    }
  });
}
