// Guide: "Channels vs Mutexes", second row: goroutines that do different steps of one job talk through channels.
//
// A baker bakes what a counter orders. Notice: there is no lock and no shared variable; each channel says who waits
// for whom. The end of the orders closes their channel, and that ends the baker, who closes the loaves in turn.

#include <iostream>
#include <string>

#include <tenon/tenon.hpp>

namespace tn = tenon;

// [snippet]
using words = tn::recv_chan<std::string>;

words counter(tn::group& g) {
  return g.produce<std::string>([](tn::sender<std::string>& orders) {
    for (const char* kind : {"rye", "wheat", "spelt"}) orders.send(kind);
  });
}

words baker(tn::group& g, words orders) {
  return g.produce<std::string>([=](tn::sender<std::string>& loaves) {
    for (const std::string& order : orders) loaves.send(order + " bread");
  });
}

int main() {
  return tn::run([](tn::group& g) {
    for (const std::string& loaf : baker(g, counter(g))) std::cout << "sold: " << loaf << '\n';
  });
}
// [/snippet]
