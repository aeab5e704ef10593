// expect: static assertion failed.*must not leave the lock
// Go has nothing like it: the guide's average-balance race compiles
#include <tenon/tenon.hpp>

int* f(tenon::guarded<int>& g) {
  return g.with([](int& v) { return &v; });
}
