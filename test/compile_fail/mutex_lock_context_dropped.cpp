// expect: error: ignoring return.*nodiscard
// Go has nothing like it: whether it is locked must be known
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx, tenon::mutex& mu) { mu.lock(ctx); }
