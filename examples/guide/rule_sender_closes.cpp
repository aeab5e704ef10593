// Guide: "Rules", 4: close channels from the sender side.
//
// Notice: the receiver cannot close, because its handle has no `close` (direction.cpp); and with several senders none
// of them has to know which one is the last: the `sender` counts, and each `clone` stands where one can see it. It
// closes also when a producer throws. `produce_n` does all of this in one call.

#include <iostream>
#include <stdexcept>

#include <tenon/tenon.hpp>

namespace tn = tenon;

int main() {
  return tn::run([](tn::context root) {
    // [snippet]
    const auto out = tn::make_chan<int>();
    tn::group producers(root);
    {
      const tn::sender tx(out);
      for (int p = 1; p <= 3; ++p) {
        producers.go([tx = tx.clone(), p] {
          for (int i = 1; i <= 10; ++i) tx.send(p * i);
          if (p == 2) throw std::runtime_error("producer 2 failed, after its work");
        });
      }
    }  // only the producers hold a sender now

    int sum = 0;
    for (int v : out) sum += v;  // ends when the last of them has ended
    // [/snippet]
    std::cout << "sum " << sum << '\n';
    std::cout << producers.wait().message() << '\n';
  });
}
