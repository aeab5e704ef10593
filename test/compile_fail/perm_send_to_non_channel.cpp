// expect: error: no matching function for call to .*send
// Go: test/chan/perm.go, n <- 2
#include <tenon/tenon.hpp>

void f(int n) { tenon::select(tenon::send(n, 2)); }
