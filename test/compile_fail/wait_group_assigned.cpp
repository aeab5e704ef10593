// expect: error: (use of deleted function .*wait_group|call to deleted constructor of .*wait_group|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(tenon::wait_group& a, const tenon::wait_group& b) { a = b; }
