// expect: static assertion failed.*pointer into the caller.s frame
// Go has nothing like it: Go's escape analysis moves the array to the heap
#include <tenon/tenon.hpp>

void f(const tenon::context& ctx) {
  int numbers[3] = {1, 2, 3};
  auto g = tenon::go(ctx, [](tenon::context, const int* n) { return *n; }, numbers);
  g.join();
}
