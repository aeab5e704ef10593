// expect: error:.*(a_capacity_above_1_wants_its_reason|consteval)
// Go has nothing like it: a buffer says what keeps it from filling up
#include <tenon/tenon.hpp>

void f() { (void)tenon::make_chan<int>(2); }
