// expect: error: ignoring return.*nodiscard.*dropping the handle takes the function back at once
// Go has nothing like it: Go's stop function may be dropped
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f(const tenon::context& ctx) {
  tenon::after_func(ctx, [] {});
}
