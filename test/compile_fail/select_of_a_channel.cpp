// expect: error: no matching function for call to .*select
// Go: a case is a send or a receive
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c) { tenon::select(c); }
