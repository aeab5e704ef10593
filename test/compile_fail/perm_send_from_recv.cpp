// expect: error: (no match for .*operator=|no viable overloaded '=')
// Go: test/chan/perm.go, cs = cr
#include <tenon/tenon.hpp>

void f(tenon::send_chan<int>& cs, const tenon::recv_chan<int>& cr) { cs = cr; }
