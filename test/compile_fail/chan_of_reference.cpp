// expect: static assertion failed.*a channel carries plain, non-const values
// Go has nothing like it: Go has no references
#include <tenon/tenon.hpp>

void f() { (void)tenon::make_chan<int&>(); }
