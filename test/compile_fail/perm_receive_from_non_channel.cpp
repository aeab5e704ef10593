// expect: error: no matching function for call to .*recv
// Go: test/chan/perm.go, <-n
#include <tenon/tenon.hpp>

void f(int n) { tenon::select(tenon::recv(n)); }
