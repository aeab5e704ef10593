// expect: error: (use of deleted function .*group|call to deleted constructor of .*group|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(const tenon::group& a) { tenon::group b(a); }
