// expect: static assertion failed.*pointer into the caller.s frame
// Go has nothing like it: Go's escape analysis moves the array to the heap
#include <tenon/tenon.hpp>

void f() {
  char name[16] = "tenon";
  auto g = tenon::go([](const char* s) { return *s; }, name);
  g.join();
}
