// expect: error: (.*begin.* was not declared|invalid range expression of type .*send_chan)
// Go: test/chan/perm.go, for range cs
#include <tenon/tenon.hpp>

void f(const tenon::send_chan<int>& cs) {
  for ([[maybe_unused]] auto&& ignored : cs) {
  }
}
