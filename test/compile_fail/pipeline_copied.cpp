// expect: error: (use of deleted function .*pipeline|call to deleted constructor of .*pipeline|overload resolution selected deleted operator)
// Go: vet's copylocks
#include <tenon/tenon.hpp>

void f(const tenon::pipeline& a) { tenon::pipeline b(a); }
