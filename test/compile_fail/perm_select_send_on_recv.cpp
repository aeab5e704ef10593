// expect: error: no matching function for call to .*send
// Go: test/chan/perm.go, case cr <- 0
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c, const tenon::recv_chan<int>& cr) {
  tenon::select(tenon::send(c, 0), tenon::send(cr, 0));
}
