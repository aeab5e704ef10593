// Guide: "Goroutine Lifecycle".
//
// A goroutine needs a way to end, and somebody who waits until it has. `run` hands its function the root group, so that
// there is an owner from the first line on. Notice: the function returns while its goroutine still has work to do;
// `run` returns when that is done.

#include <iostream>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  // [snippet]
  const int status = tn::run([](tn::group& g) {
    const auto go_on = tn::make_chan<void>();
    g.go([go_on] {
      go_on.recv();  // until the function below has said its last word
      for (const char* piece : {"tenon", "mortise"}) std::cout << "cut a " << piece << '\n';
    });
    std::cout << "the first goroutine has nothing left to do\n";
    go_on.close();
  });  // not before the other one has ended
  std::cout << "run returned " << status << '\n';
  // [/snippet]
  return status;
}
