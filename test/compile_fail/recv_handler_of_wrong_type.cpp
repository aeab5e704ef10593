// expect: error: no matching function for call to .*recv
// Go: an assignment of another type
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c) {
  tenon::select(tenon::recv(c, [](int*) {}));
}
