// expect: error: (no match for .*operator=|no viable overloaded '=')
// Go: test/chan/perm.go, cr = cs
#include <tenon/tenon.hpp>

void f(tenon::recv_chan<int>& cr, const tenon::send_chan<int>& cs) { cr = cs; }
