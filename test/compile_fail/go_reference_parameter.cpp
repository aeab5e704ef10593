// expect: static assertion failed.*pass std::ref
// within: 6
// Go has nothing like it: Go's closures capture by reference
#include <tenon/tenon.hpp>

void f() {
  int n = 0;
  tenon::go([](int& x) { ++x; }, n);
}
