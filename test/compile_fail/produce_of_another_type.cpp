// expect: static assertion failed.*produce<T> calls f.sender<T>&, context. or f.sender<T>&., with this T
// within: 6
// Go: a channel of another type
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  (void)g.produce<int>([](tenon::sender<float>&) {});
}
