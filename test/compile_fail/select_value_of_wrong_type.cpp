// expect: error: (cannot convert|cannot initialize|invalid conversion|no viable conversion)
// Go: an assignment of another type
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c) {
  auto next = tenon::recv(c);
  tenon::select(next);
  int* p = *next;
  (void)p;
}
