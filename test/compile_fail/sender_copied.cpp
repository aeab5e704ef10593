// expect: error: (use of deleted function .*sender|call to deleted constructor of .*sender|call to implicitly-deleted)
// Go has nothing like it: another sender is made where one can see it, by clone
#include <tenon/tenon.hpp>

void f(const tenon::sender<int>& a) { tenon::sender<int> b(a); }
