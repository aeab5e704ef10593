// Guide: "Rules", 2: no fire-and-forget goroutines.
//
// Notice: there is no detach. A handle that is not kept is a warning at the call:
//     tenon::go([] { … });    ignoring return value, declared 'nodiscard': a goroutine has an owner: keep the handle
// and one that goes out of scope cancels its goroutine and waits for it, also when an exception is on its way.

#include <iostream>
#include <stdexcept>

#include <tenon/tenon.hpp>

int main() {
  tenon::run([](tenon::context root) {
    // [snippet]
    bool ended = false;
    try {
      auto worker = tenon::go(root, [&ended](tenon::context ctx) {
        (void)ctx.done().recv();  // works until it is canceled
        ended = true;
      });
      throw std::runtime_error("something else went wrong");
      // never comes to worker.join()
    } catch (const std::exception& e) {
      std::cout << e.what() << "; the worker has ended: " << (ended ? "yes" : "no") << '\n';
    }
    // [/snippet]

    auto answer = tenon::go([] { return 42; });
    std::cout << "joined: " << answer.join() << '\n';
    try {
      answer.join();
    } catch (const tenon::panic& p) {
      std::cout << p.what() << '\n';
    }
  });
}
