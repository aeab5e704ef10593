// expect: static assertion failed.*elements of an initializer_list are gone
// within: 6
#include <tenon/tenon.hpp>

void f(tenon::pipeline& p) {
  auto some = {1, 2, 3};
  (void)p.generate(some);
}
