// expect: error: ignoring return.*nodiscard.*dropping this cancels
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx) { tenon::with_signals(ctx, {2}); }
