// expect: static assertion failed.*elements of an initializer_list are gone
// Go has nothing like it: Go's composite literals live as long as they are used
#include <tenon/tenon.hpp>

void f() {
  auto some = {1, 2, 3};
  auto g = tenon::go([](std::initializer_list<int> all) { return all.size(); }, some);
  g.join();
}
