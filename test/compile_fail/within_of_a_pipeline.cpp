// expect: error: (use of deleted function .*within|call to deleted constructor of .*pipeline)
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

void f(const tenon::context& ctx) { tenon::pipeline p(tenon::within(ctx, std::chrono::seconds(1))); }
