// expect: error: ignoring return.*nodiscard
// Go: an expression that is not used
#include <tenon/tenon.hpp>

#pragma GCC diagnostic error "-Wunused-result"

void f() { tenon::make_chan<int>(); }
