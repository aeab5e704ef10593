// expect: static assertion failed.*a channel carries plain, non-const values
// Go has nothing like it: Go has no constant types
#include <tenon/tenon.hpp>

void f() { (void)tenon::make_chan<const int>(); }
