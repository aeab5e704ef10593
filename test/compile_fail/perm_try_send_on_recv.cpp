// expect: error: .*no member named .*try_send
// Go: test/chan/perm.go, cr <- 0 in a select with a default
#include <tenon/tenon.hpp>

void f(const tenon::recv_chan<int>& cr) { (void)cr.try_send(0); }
