// expect: error: (use of deleted function .*cancel_func|call to deleted constructor of .*cancel_func)
// Go has nothing like it: a cancel function is called by its one owner
#include <tenon/tenon.hpp>

void f(const tenon::cancel_func& a) { tenon::cancel_func b(a); }
