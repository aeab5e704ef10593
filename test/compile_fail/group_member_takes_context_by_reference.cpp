// expect: static assertion failed.*take the context as .const context&. or .context.
// within: 6
#include <tenon/tenon.hpp>

void f(tenon::group& g) {
  g.go([](tenon::context&) {});
}
