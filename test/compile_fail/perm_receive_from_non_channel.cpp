// expect: error: no matching function for call to .*recv
// Go: test/chan/perm.go, <-n
#include <tenon/tenon.hpp>

#include "support/into.hpp"

void f(int n, int& v) { tenon::select(tenon_test::into(n, v)); }
