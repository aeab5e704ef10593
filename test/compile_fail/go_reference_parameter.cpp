// expect: static assertion failed.*pass std::ref
// Go has nothing like it: Go's closures capture by reference
#include <tenon/tenon.hpp>

void f() {
  int n = 0;
  tenon::go([](int& x) { ++x; }, n);
}
