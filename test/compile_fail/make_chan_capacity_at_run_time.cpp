// expect: constant_0_or_1_else_give_a_reason
// within: 6
// Go has nothing like it: a buffer says what keeps it from filling up
#include <tenon/tenon.hpp>

void f(int n) { (void)tenon::make_chan<int>(n); }
