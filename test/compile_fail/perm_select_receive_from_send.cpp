// expect: error: no matching function for call to .*recv
// Go: test/chan/perm.go, case x := <-cs
#include <tenon/tenon.hpp>

void f(const tenon::chan<int>& c, const tenon::send_chan<int>& cs) { tenon::select(tenon::recv(c), tenon::recv(cs)); }
