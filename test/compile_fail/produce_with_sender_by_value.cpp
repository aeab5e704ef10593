// expect: static assertion failed.*take the sender as .sender<T>&., not by value
// within: 6
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  (void)g.produce<int>([](tenon::sender<int> out) { (void)out.send(1); });
}
