// expect: error: (no match for .*operator=|no viable overloaded '=')
// Go: test/chan/perm.go, c = cr
#include <tenon/tenon.hpp>

void f(tenon::chan<int>& c, const tenon::recv_chan<int>& cr) { c = cr; }
