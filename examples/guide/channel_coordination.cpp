// Guide: "Channels vs Mutexes", second row: goroutines that do different steps of one job talk through channels.
//
// A baker bakes what a counter orders. Notice: there is no lock and no shared variable; each channel says who waits
// for whom, and closing the orders is how the counter says that the day is over. The baker closes the loaves in turn.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

// [snippet]
void baker(tenon::recv_chan<std::string> orders, tenon::sender<std::string> loaves) {
  for (const std::string& order : orders) loaves.send(order + " bread");
}  // the last sender gone closes the channel

int main() {
  tenon::run([](tenon::context) {
    const auto orders = tenon::make_chan<std::string>();
    const auto loaves = tenon::make_chan<std::string>();
    auto bakery = tenon::go(baker, orders, tenon::sender(loaves));

    auto counter = tenon::go([out = tenon::sender(orders)] {
      for (const char* kind : {"rye", "wheat", "spelt"}) out.send(kind);
    });

    for (const std::string& loaf : loaves) std::cout << "sold: " << loaf << '\n';
    counter.join();
    bakery.join();
  });
}
// [/snippet]
