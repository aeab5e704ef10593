// expect: error: (use of deleted function .*within|call to deleted constructor of .*group)
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

void f(const tenon::context& ctx) { tenon::group g(tenon::within(ctx, std::chrono::seconds(1))); }
