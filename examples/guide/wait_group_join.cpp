// Guide: "WaitGroup Pattern (Joining)".
//
// One goroutine an item, all joined. Notice: `wg.go` counts before the goroutine exists, so there is no `add` to
// forget or to put in the wrong place, and no `done` either. Each goroutine writes an element of its own: nothing is
// shared.

#include <iostream>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

namespace tn = tenon;

struct item {
  std::string name;
  std::size_t length = 0;
};

void process(item& it) { it.length = it.name.size(); }

int main() {
  return tn::run([] {
    std::vector<item> items = {{"mortise"}, {"tenon"}, {"dovetail"}, {"dowel"}};

    // [snippet]
    tn::wait_group wg;
    for (item& it : items) {
      wg.go([&it] { process(it); });
    }
    wg.wait();
    // [/snippet]

    for (const item& it : items) std::cout << it.name << ": " << it.length << '\n';
  });
}
