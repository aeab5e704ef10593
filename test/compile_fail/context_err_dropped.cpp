// expect: error: ignoring return.*nodiscard
// Go: errcheck
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx) { ctx.err(); }
