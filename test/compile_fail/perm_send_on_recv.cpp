// expect: error: .*no member named .*send
// Go: test/chan/perm.go, cr <- 0
#include <tenon/tenon.hpp>

void f(const tenon::recv_chan<int>& cr) { cr.send(0); }
