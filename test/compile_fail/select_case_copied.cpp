// expect: error: (use of deleted function .*recv_case|call to implicitly-deleted copy constructor)
// Go has nothing like it: a case holds its value
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c) {
  auto a = tenon::recv(c);
  auto b(a);
}
