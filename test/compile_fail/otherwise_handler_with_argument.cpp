// expect: error: no match(ing function)? for call to .*otherwise_t|error: no matching function for call to object of type .*otherwise_t
// Go: a default case receives nothing
#include <tenon/tenon.hpp>

void f() {
  tenon::select(tenon::otherwise([](int) {}));
}
