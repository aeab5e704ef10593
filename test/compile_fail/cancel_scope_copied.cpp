// expect: error: (use of deleted function .*cancel_scope|call to deleted constructor of .*cancel_scope)
// Go has nothing like it: a cancel function is called by its one owner
#include <tenon/tenon.hpp>

void f(const tenon::cancel_scope& a) { tenon::cancel_scope b(a); }
