// expect: error: .*no member named .*close
// Go has nothing like it: the channel closes with its last sender
#include <tenon/tenon.hpp>

void f(const tenon::sender<int>& a) { a.close(); }
