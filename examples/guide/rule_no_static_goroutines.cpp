// Guide: "Rules", 3: no goroutines in init().
//
// C++ has static initialisers instead, and they run before there is a runtime. Notice: the goroutine is refused, with
// the place where it was to start, and the program ends with status 2 before `main`. The way out is a class that is
// constructed inside of `run` and owns its goroutine: worker_lifecycle.cpp.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
class refresher {
 public:
  refresher() {
    std::cout << "a static initialiser starts a goroutine" << std::endl;
    loop_ = tn::go([] { std::cout << "refresh\n"; });  // refused
  }

 private:
  tn::goroutine<> loop_;
};

refresher global;
// [/snippet]

int main() { std::cout << "main is never reached\n"; }
