// expect: error: (no match for .*operator=|no viable overloaded '=')
// Go: test/chan/perm.go, c = cs
#include <tenon/tenon.hpp>

void f(tenon::chan<int>& c, const tenon::send_chan<int>& cs) { c = cs; }
