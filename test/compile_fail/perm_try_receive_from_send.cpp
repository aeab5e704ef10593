// expect: error: .*no member named .*try_recv
// Go: test/chan/perm.go, <-cs in a select with a default
#include <tenon/tenon.hpp>

void f(const tenon::send_chan<int>& cs) { (void)cs.try_recv(); }
