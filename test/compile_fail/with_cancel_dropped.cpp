// expect: error: ignoring return.*nodiscard.*dropping the scope cancels its context at once
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx) { tenon::with_cancel(ctx); }
