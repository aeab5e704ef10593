// expect: error: .*no member named .*close
// Go: test/chan/perm.go, close(cr)
#include <tenon/tenon.hpp>

void f(const tenon::recv_chan<int>& cr) { cr.close(); }
