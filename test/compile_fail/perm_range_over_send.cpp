// expect: error: (.*begin.* was not declared|invalid range expression of type .*send_chan)
// Go: test/chan/perm.go, for _ = range cs
#include <tenon/tenon.hpp>

void f(const tenon::send_chan<int>& cs) {
  for (int v : cs) (void)v;
}
