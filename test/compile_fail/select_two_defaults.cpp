// expect: static assertion failed.*more than one `otherwise`
// Go: multiple defaults in select
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c) { tenon::select(tenon::otherwise, tenon::recv(c), tenon::otherwise); }
