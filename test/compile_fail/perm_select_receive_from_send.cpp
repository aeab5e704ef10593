// expect: error: no matching function for call to .*recv
// Go: test/chan/perm.go, case x := <-cs
#include <tenon/tenon.hpp>

#include "support/into.hpp"

void f(const tenon::chan<int>& c, const tenon::send_chan<int>& cs, int& x) {
  tenon::select(tenon_test::into(c, x), tenon_test::into(cs, x));
}
