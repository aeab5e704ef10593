// expect: error: no matching (member )?function for call to .*produce
// Go: a channel of another type
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  (void)g.produce<int>([](tenon::sender<float>&) {});
}
