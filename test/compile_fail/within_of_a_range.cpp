// expect: error: (use of deleted function .*within|call to deleted member function .range)
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

void f(const tenon::context& ctx, const tenon::chan<int>& c) {
  for ([[maybe_unused]] int v : c.range(tenon::within(ctx, std::chrono::seconds(1)))) {
  }
}
