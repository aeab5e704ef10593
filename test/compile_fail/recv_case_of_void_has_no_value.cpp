// expect: error: (no match for .operator\*|no operator|indirection requires|constraints not satisfied|use of function .*with unsatisfied constraints)
// Go: a struct{} carries nothing
#include <tenon/tenon.hpp>

void f(const tenon::chan<void>& c) {
  auto stop = tenon::recv(c);
  *stop;
}
