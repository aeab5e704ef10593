// expect: static assertion failed.*must not leave the lock
// Go has nothing like it: the guide's average-balance race compiles
#include <vector>

#include <tenon/tenon.hpp>

int& f(tenon::guarded<std::vector<int>>& g) {
  return g.with([](std::vector<int>& v) -> int& { return v[0]; });
}
