// expect: error: .*no member named .*recv
// Go: test/chan/perm.go, <-cs
#include <tenon/tenon.hpp>

void f(const tenon::send_chan<int>& cs) { (void)cs.recv(); }
