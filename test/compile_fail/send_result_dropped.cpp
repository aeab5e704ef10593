// expect: error: ignoring return.*nodiscard
// Go has nothing like it: whether it was sent is the point of the context form
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx, const tenon::chan<int>& c) { c.send(ctx, 1); }
