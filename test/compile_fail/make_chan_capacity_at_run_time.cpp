// expect: error:.*(not usable in a constant expression|not a constant expression|consteval)
// Go has nothing like it: a buffer says what keeps it from filling up
#include <tenon/tenon.hpp>

void f(int n) { (void)tenon::make_chan<int>(n); }
