// expect: error: .*no member named .*recv
// Go: test/chan/perm.go, x, ok = <-cs
#include <tenon/tenon.hpp>

void f(const tenon::context& ctx, const tenon::send_chan<int>& cs) {
  if (auto x = cs.recv(ctx)) (void)x;
}
